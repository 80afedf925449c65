"""Says which columns an export of orders can have, and what stands in them: a row for each line of an order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hanro.events.orders import OrderLine, StatedAmount
from order_svc.domain.orders import Order

# Some characters of JIS have two code points, and the codec knows the other one. Source: Microsoft's code page 932.
_SAME_IN_JIS = str.maketrans("〜−‖—¢£¬", "～－∥―￠￡￢")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Be one line of an order with what stands around it; `line` None: the order shows none."""

    order: Order
    line: OrderLine | None
    details: Mapping[str, Any] = field(repr=False)
    destination: Mapping[str, Any] = field(repr=False)
    buyer: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Be a column: its Japanese header and its cell. With `is_personal` it shows the buyer."""

    ja: str
    cell: Callable[[Row], str]
    is_personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unencodable:
    """Be a character that an encoding lacks: where it stands, never the text around it. Numbers begin with 1."""

    row: int
    column: str
    position: int
    code_point: int


def _amount(stated: StatedAmount | None) -> str:
    return (stated.amount or "") if stated else ""


def _total(name: str) -> Callable[[Row], str]:
    return lambda row: _amount(row.order.totals.get(name))


def _of_line(show: Callable[[OrderLine], str]) -> Callable[[Row], str]:
    return lambda row: show(row.line) if row.line else ""


def _name(holder: Mapping[str, Any]) -> str:
    return str((holder.get("name") or {}).get("full") or "")


def _address(holder: Mapping[str, Any]) -> str:
    return " ".join(holder.get("lines") or ())


def _bought_at(row: Row) -> Mapping[str, Any]:
    return row.buyer.get("address") or {}


COLUMNS: Mapping[str, Column] = {
    "order_id": Column(ja="受注ID", cell=lambda row: row.order.id),
    "order_number": Column(ja="注文番号", cell=lambda row: row.order.external_id),
    "marketplace": Column(ja="モール", cell=lambda row: row.order.marketplace_id),
    "account_id": Column(ja="アカウントID", cell=lambda row: row.order.account_id),
    "status": Column(ja="モールの状態", cell=lambda row: row.order.status),
    "work_state": Column(ja="受注状態", cell=lambda row: row.order.work_state),
    "placed_at": Column(ja="注文日時(UTC)", cell=lambda row: f"{row.order.placed_at:%Y-%m-%dT%H:%M:%SZ}"),
    "placed_local": Column(ja="注文日時", cell=lambda row: row.order.placed_local),
    "line_number": Column(ja="明細番号", cell=_of_line(lambda line: line.external_id)),
    "sku": Column(ja="商品番号", cell=_of_line(lambda line: " / ".join(dict.fromkeys(line.keys.values())))),
    "title": Column(ja="商品名", cell=_of_line(lambda line: line.title)),
    "options": Column(ja="項目・選択肢", cell=lambda row: row.details.get("options_text") or ""),
    "quantity": Column(ja="数量", cell=_of_line(lambda line: str(line.quantity))),
    "shipped_quantity": Column(ja="発送済み数量", cell=_of_line(lambda line: str(line.shipped_quantity))),
    "line_status": Column(ja="明細の状態", cell=_of_line(lambda line: line.status)),
    "unit_price": Column(ja="単価", cell=_of_line(lambda line: _amount(line.unit_price))),
    "tax_rate": Column(ja="税率", cell=lambda row: str(row.details.get("tax_rate") or "")),
    "goods": Column(ja="商品合計", cell=_total("goods")),
    "postage": Column(ja="送料", cell=_total("postage")),
    "total": Column(ja="合計", cell=_total("total")),
    "payable": Column(ja="請求金額", cell=_total("payable")),
    "holds": Column(ja="保留の理由", cell=lambda row: " ".join(row.order.holds)),
    "buyer_name": Column(ja="注文者氏名", cell=lambda row: _name(row.buyer), is_personal=True),
    "buyer_postal_code": Column(
        ja="注文者郵便番号", cell=lambda row: _bought_at(row).get("postal_code") or "", is_personal=True
    ),
    "buyer_address": Column(ja="注文者住所", cell=lambda row: _address(_bought_at(row)), is_personal=True),
    "buyer_phone": Column(
        ja="注文者電話番号", cell=lambda row: " ".join(row.buyer.get("phones") or ()), is_personal=True
    ),
    "buyer_email": Column(ja="注文者メール", cell=lambda row: row.buyer.get("email") or "", is_personal=True),
    "recipient_name": Column(ja="送付先氏名", cell=lambda row: _name(row.destination), is_personal=True),
    "recipient_postal_code": Column(
        ja="送付先郵便番号", cell=lambda row: row.destination.get("postal_code") or "", is_personal=True
    ),
    "recipient_address": Column(ja="送付先住所", cell=lambda row: _address(row.destination), is_personal=True),
    "recipient_phone": Column(
        ja="送付先電話番号", cell=lambda row: " ".join(row.destination.get("phones") or ()), is_personal=True
    ),
}
"""By name, which is also the English header; in the order of the default file."""

WITHOUT_BUYER: Sequence[str] = tuple(name for name, column in COLUMNS.items() if not column.is_personal)


def rows_of(order: Order, stated: Mapping[str, Any], personal: Mapping[str, Any] | None) -> list[Row]:
    """Give the rows of an order, one a line; an order without lines has one row."""
    known = personal or {}
    details = {one["external_id"]: one for one in stated.get("lines") or ()}
    addresses = {one["external_id"]: one.get("address") or {} for one in known.get("packages") or ()}

    def row(line: OrderLine | None) -> Row:
        found = details.get(line.external_id, {}) if line else {}
        destination = addresses.get(found.get("package_id"), {})
        return Row(order=order, line=line, details=found, destination=destination, buyer=known.get("buyer") or {})

    return [row(line) for line in order.lines or (None,)]


def cells(row: Row, columns: Sequence[str], encoding: str) -> list[str]:
    """Give a row's texts; for cp932 each character in the form that it has there, where it has one."""
    found = [COLUMNS[name].cell(row) for name in columns]
    return [text.translate(_SAME_IN_JIS) for text in found] if encoding == "cp932" else found


def unencodable(texts: Sequence[str], columns: Sequence[str], encoding: str, *, row: int) -> Unencodable | None:
    """Give the first character of a row that an encoding lacks; None: all fit."""
    for name, text in zip(columns, texts, strict=True):
        try:
            text.encode(encoding)
        except UnicodeEncodeError as error:
            return Unencodable(row=row, column=name, position=error.start + 1, code_point=ord(text[error.start]))
    return None
