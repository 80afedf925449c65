"""Says what stands on a delivery note 納品書, as texts in their places; how it looks is the template's affair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

from hanro.errors import LocalizedText, NeedsSeller, Rejected
from hanro.events.orders import OrderLine
from order_svc.domain.accounts import Account
from order_svc.domain.orders import Order
from order_svc.domain.printed import percent, price, printable

NOTE = "delivery_note"
INVOICE = "qualified_invoice"
"""What the document policy judges: the plain note, and the note that also calls itself a qualified invoice."""

JAPAN = timezone(timedelta(hours=9))
REDUCED_RATE = Decimal("0.08")
MARK = "※"
_WITHOUT_WORDING = LocalizedText(
    ja="適格請求書の記載なしの納品書は発行できます(with_invoice_wording を外してください)。",
    en="The delivery note without invoice wording can be had: leave with_invoice_wording out.",
)
_DISCOUNTS = {"coupon": "クーポン", "points": "ポイント利用", "promotion": "値引"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Be what a note is written from. `stated` is the order's sheet; `personal` the buyer's part, None: not there."""

    order: Order
    account: Account
    stated: Mapping[str, Any]
    personal: Mapping[str, Any] | None = field(repr=False)


def obstacle(subject: Subject, *, is_invoice: bool) -> Rejected | NeedsSeller | None:
    """Say why no note can be had of an order, and what to do; None: it can.

    Codes: order-quarantined, order-cancelled, buyer-unknown, buyer-erased; with invoice wording also issuer-missing and
    tax-undecided.
    """
    order = subject.order
    if order.is_quarantined:
        return Rejected(
            "The order cannot be read, so what it says may be old.",
            code="order-quarantined",
            remedy=LocalizedText(
                ja="注文の隔離の理由を解決してから、もう一度発行してください。",
                en="Clear up why the order is quarantined, then print it.",
            ),
        )
    if order.status == "cancelled" or not _lines(order):
        return Rejected(
            "The order is cancelled: nothing is delivered.",
            code="order-cancelled",
            remedy=LocalizedText(
                ja="キャンセル済みの注文を選択から外してください。", en="Leave the cancelled order out."
            ),
        )
    if subject.personal is None:
        return Rejected(
            "The buyer of this order was erased." if order.erased_at else "The buyer of this order was never told.",
            code="buyer-erased" if order.erased_at else "buyer-unknown",
            remedy=LocalizedText(
                ja="購入者情報がない注文です。必要ならマーケットプレイスの管理画面で発行してください。",
                en="There is no buyer to address it to; print it at the marketplace if you must.",
            ),
        )
    return _invoice_obstacle(subject) if is_invoice else None


def _invoice_obstacle(subject: Subject) -> Rejected | NeedsSeller | None:
    if subject.account.issuer is None:
        return NeedsSeller(
            "The account names no issuer of qualified invoices.",
            code="issuer-missing",
            remedy=LocalizedText(
                ja="アカウントに適格事業者名と登録番号を入力してください。", en="Name the account's issuer and number."
            ),
        )
    rows = subject.stated.get("taxes") or ()
    if not rows or any(row["gross"]["money"] is None or row["tax"]["money"] is None for row in rows):
        return Rejected(
            "The marketplace does not state what is due for each tax rate.",
            code="tax-undecided",
            remedy=_WITHOUT_WORDING,
        )
    return None


def write(subject: Subject, *, is_invoice: bool) -> dict[str, Any]:
    """Write the note of an order that has no obstacle: nothing but texts and lists of texts, safe to be set.

    Amounts and rates are the marketplace's own; what it has not decided reads 未確定. An amount of a line that it does
    not state is unit price times quantity. Times are Japan's.
    """
    found = _Found(subject)
    note = {
        "title": "納品書 兼 適格請求書" if is_invoice else "納品書",
        "recipient": found.recipient(),
        "shop": _shop(subject.account, is_invoice=is_invoice),
        "greeting": "下記のとおり納品いたします。",
        "facts": found.facts(),
        "sections": found.sections(),
        "sums": found.sums(),
        "taxes": found.taxes(),
        "remarks": found.remarks(),
    }
    cleaned: dict[str, Any] = printable(note)
    return cleaned


class _Found:
    """Hold an order's parts where a note looks for them."""

    def __init__(self, subject: Subject) -> None:
        personal = subject.personal or {}
        self._order = subject.order
        self._stated = subject.stated
        self._buyer: Mapping[str, Any] = personal.get("buyer") or {}
        self._gift: Mapping[str, Any] = personal.get("gift") or {}
        self._payments: Sequence[Mapping[str, Any]] = personal.get("payments") or ()
        self._addresses = {one["external_id"]: one.get("address") for one in personal.get("packages") or ()}
        self._details = {one["external_id"]: one for one in subject.stated.get("lines") or ()}
        lines = _lines(subject.order)
        by_package: dict[str | None, list[OrderLine]] = {}
        for line in lines:
            by_package.setdefault(self._details.get(line.external_id, {}).get("package_id"), []).append(line)
        packages = {one["external_id"]: one for one in subject.stated.get("packages") or ()}
        self._by_package = [(packages.get(key or "", {}), found) for key, found in by_package.items()]

    def recipient(self) -> dict[str, Any]:
        """Give whom the note is addressed to: the one destination, else the buyer."""
        destination = self._destination()
        if destination is None:
            return _block(self._buyer.get("address"), self._buyer.get("name"))
        return _block(destination, destination.get("name") or self._buyer.get("name"))

    def facts(self) -> list[list[str]]:
        """Give number, day, who ordered, how it is paid and when it is wished for."""
        placed = self._order.placed_at.astimezone(JAPAN)
        wish = self._stated.get("wish") or {}
        destination = self._destination()
        buyer, receiver = _name(self._buyer.get("name")), _name((destination or {}).get("name"))
        found = {
            "注文番号": self._order.external_id,
            "注文日時": f"{placed:%Y/%m/%d %H:%M}",
            "ご注文者": f"{buyer} 様" if buyer and destination and buyer != receiver else "",
            "お支払方法": "、".join(one["method"] for one in self._payments),
            "お届け希望": " ".join(filter(None, (wish.get("day"), wish.get("band_text")))),
        }
        return [[label, text] for label, text in found.items() if text]

    def sections(self) -> list[dict[str, Any]]:
        """Give a section for each destination, in the order's own sequence: its head, its extras, its rows."""
        count = len(self._by_package)
        found = []
        for number, (package, lines) in enumerate(self._by_package, start=1):
            address = self._addresses.get(package.get("external_id"))
            rows = [self._row(line) for line in lines]
            if number == count:
                rows += [_wrapping(one) for one in self._stated.get("wrappings") or ()]
            found.append(
                {
                    "head": f"お届け先 {number}/{count}" if count > 1 else "",
                    "recipient": _block(address, (address or {}).get("name")) if count > 1 else None,
                    "extras": self._extras(package, is_first=number == 1),
                    "rows": rows,
                    "postage": price(package.get("postage")) if count > 1 and package.get("postage") else "",
                }
            )
        return found

    def sums(self) -> list[list[str]]:
        """Give the order's sums, what lowers them as negative rows, and what the buyer pays last."""
        totals = self._stated.get("totals") or {}
        goods_label = "商品合計(税抜)" if totals.get("is_goods_tax_included") is False else "商品合計"
        rows = [
            *_sum(goods_label, totals.get("goods"), is_zero_shown=True),
            *_sum("送料", totals.get("postage"), is_zero_shown=True),
            *_sum("合計(税込)", totals.get("total"), is_zero_shown=True),
            *_sum("代引手数料", totals.get("cash_on_delivery_fee")),
            *_sum("決済手数料", totals.get("payment_fee")),
            *_sum("その他手数料", totals.get("buyer_fee")),
        ]
        for one in self._stated.get("discounts") or ():
            label = _DISCOUNTS.get(one["kind"], _DISCOUNTS["promotion"])
            named = f"{label}({one['name']})" if one.get("name") else label
            rows.append([named, price(one["amount"], is_negative=True)])
        return [*rows, *_sum("ご請求金額", totals.get("payable"), is_zero_shown=True)]

    def taxes(self) -> list[list[str]]:
        """Give what the marketplace states for each tax rate: rate, gross, tax; verbatim."""
        return [
            [f"{percent(one['rate'])}対象", price(one["gross"]), price(one["tax"])]
            for one in self._stated.get("taxes") or ()
        ]

    def remarks(self) -> list[str]:
        """Give what has to be said below: what the mark means, and sums that do not add up."""
        is_reduced = any(_is_reduced(self._details.get(one.external_id, {})) for one in _lines(self._order))
        found = [f"{MARK} は軽減税率(8%)対象です。"] if is_reduced else []
        for one in self._stated.get("differences") or ():
            stated, computed = ({"money": one[key]} for key in ("stated", "computed"))
            found.append(f"金額の相違({one['rule']}): 記載 {price(stated)} / 内訳からの計算 {price(computed)}")
        return found

    def _destination(self) -> Mapping[str, Any] | None:
        if len(self._by_package) != 1:
            return None
        found: Mapping[str, Any] | None = self._addresses.get(self._by_package[0][0].get("external_id"))
        return found

    def _extras(self, package: Mapping[str, Any], *, is_first: bool) -> list[list[str]]:
        found = [["のし", package["noshi"]]] if package.get("noshi") else []
        if is_first and self._gift:
            found.append(["ギフト", "希望あり" if self._gift.get("is_wished") else "ソーシャルギフト"])
            giver = _name((self._gift.get("giver") or {}).get("name"))
            found += [["贈り主", f"{giver} 様"]] if giver else []
            found += [["メッセージ", self._gift["note"]]] if self._gift.get("note") else []
        return found

    def _row(self, line: OrderLine) -> dict[str, str]:
        details = self._details.get(line.external_id, {})
        stated = line.unit_price
        unit = {"money": {"amount": stated.amount, "currency": stated.currency} if stated else None}
        is_without_tax = line.is_tax_included is False
        return {
            "title": line.title,
            "options": details.get("options_text") or "",
            "sku": " / ".join(dict.fromkeys(line.keys.values())),
            "quantity": f"{line.quantity:,}",
            "unit": price(unit) + ("(税抜)" if is_without_tax else ""),
            "mark": MARK if _is_reduced(details) else "",
            "amount": price(details.get("total") or unit, times=1 if details.get("total") else line.quantity),
        }


def _lines(order: Order) -> list[OrderLine]:
    return [line for line in order.lines if line.status != "cancelled" and line.quantity > 0]


def _is_reduced(details: Mapping[str, Any]) -> bool:
    return details.get("tax_rate") is not None and Decimal(str(details["tax_rate"])) == REDUCED_RATE


def _shop(account: Account, *, is_invoice: bool) -> dict[str, str]:
    issuer = account.issuer
    if issuer is None:
        return {"name": account.display_name, "issuer": "", "number": ""}
    return {
        "name": account.display_name,
        "issuer": issuer.registered_name if issuer.registered_name != account.display_name else "",
        "number": f"{'登録番号' if is_invoice else '事業者番号'} {issuer.number}",
    }


def _block(address: Mapping[str, Any] | None, name: Mapping[str, Any] | None) -> dict[str, Any]:
    address = address or {}
    pickup = address.get("pickup") or {}
    lines = [*address.get("lines", ()), address.get("company") or ""]
    if pickup.get("name"):
        lines.append(f"受取場所: {pickup['name']}")
    if address.get("kind") == "awaited":
        lines = ["お届け先はまだ入力されていません。"]
    full = _name(name)
    return {
        "postal": f"〒{address['postal_code']}" if address.get("postal_code") else "",
        "lines": [line for line in lines if line],
        "name": f"{full} 様" if full else "",
    }


def _name(name: Mapping[str, Any] | None) -> str:
    return str((name or {}).get("full") or "")


def _wrapping(wrapping: Mapping[str, Any]) -> dict[str, str]:
    rate = wrapping.get("tax_rate")
    found = price(wrapping["price"]) if wrapping.get("price") else ""
    return {
        "title": f"ラッピング {wrapping['kind']}: {wrapping['name']}",
        "options": "",
        "sku": "",
        "quantity": "1",
        "unit": found + ("" if wrapping["is_tax_included"] or not found else "(税抜)"),
        "mark": MARK if rate is not None and Decimal(str(rate)) == REDUCED_RATE else "",
        "amount": found,
    }


def _sum(label: str, amount: Mapping[str, Any] | None, *, is_zero_shown: bool = False) -> list[list[str]]:
    if amount is None:
        return []
    money = amount["money"]
    is_zero = money is not None and not Decimal(money["amount"])
    return [] if is_zero and not is_zero_shown else [[label, price(amount)]]
