"""Declares the order files that RMS writes: their columns, what an order cannot be read without, what they state."""

from collections.abc import Iterable

from hanro.marketplace.types import CsvColumn, CsvLayout
from hanro_rakuten_ichiba.declared.words import ORDER_DOWNLOAD
from hanro_rakuten_ichiba.mapping.files import old, present
from hanro_rakuten_ichiba.mapping.files.columns import OLD_COLUMNS, PRESENT_COLUMNS
from hanro_rakuten_ichiba.mapping.files.trees import Columns
from hanro_rakuten_ichiba.mapping.order import DETAILS
from hanro_rakuten_ichiba.mapping.packages import ITEM_DETAILS, PACKAGE_DETAILS

_ENCODINGS = ("cp932", "utf-8-sig")
# Read by nobody: said again by others, or personal without a duty that needs it.
_NOT_MAPPED = (
    "注文者性別",
    "注文者誕生日",
    "消費税合計",
    "外税合計",
    "ラッピング種類",
    "送付先消費税",
    "同梱",
    "楽天バンク",
)
_ADDRESS = ("lines", "country", "kind", "postal_code", "region", "city", "street", "name", "phones")
_LINE = (
    "package_id", "title", "options_text", "quantity", "status", "status_text", "unit_price", "is_tax_included",
)  # fmt: skip
_PACKAGE = ("postage", "cash_on_delivery_fee", "noshi", *(f"address.{name}" for name in _ADDRESS))
_EACH = ("placed", "wish", "notes", "gift.is_wished", "payments.method")
# It knows no fees, no SKUs, and no ids of destinations.
_OLD_TOTALS = ("goods", "postage", "cash_on_delivery_fee", "total", "payable")
_NOT_OLD = ("package_id", "options_text")


def _columns(names: Iterable[str], mapped: Iterable[str], beginnings: tuple[str, ...]) -> tuple[CsvColumn, ...]:
    wanted = frozenset(mapped)
    return tuple(
        CsvColumn(
            name=name,
            aliases=_aliases(name),
            is_required=(name in wanted or name.startswith(beginnings))
            and not any(part in name for part in _NOT_MAPPED),
        )
        for name in names
    )


def _aliases(name: str) -> tuple[str, ...]:
    """Give a name without its blank and with half-width digits, as tools that pass files on write it."""
    other = name.replace(" (", "(").translate(str.maketrans("１２３", "123"))
    return (other,) if other != name else ()


def _of(*models: Columns) -> set[str]:
    return {column for model in models for column, _ in model.values()}


def _told(prefix: str, names: Iterable[str], model: Columns) -> set[str]:
    return {f"{prefix}{name}" for name in names if name in model}


PRESENT = CsvLayout(
    name="rms_orders",
    version="2023-12",
    encodings=_ENCODINGS,
    columns=_columns(
        PRESENT_COLUMNS,
        {
            *_of(present.ORDER, present.PACKAGE, present.ITEM, present.SKU),
            *present.DUE_DATES.values(),
            "支払方法名",
            "クレジットカード支払い方法",
            "クレジットカード支払い回数",
            "配送方法",
            "配送区分",
            "ポイント利用額",
        },
        ("注文者", "送付先", "ラッピング", "10%", "8%", "0%", "店舗発行クーポン", "楽天発行クーポン"),
    ),
    group_by=(present.KEY,),
    covers=frozenset(
        {*_EACH, "buyer", "totals", "taxes", "wrappings", "times", "holds", "payments.code", "payments.due_on"}
        | {f"payments.details.{name}" for name in ("cardPayType", "cardInstallmentDesc")}
        | {f"packages.{name}" for name in (*_PACKAGE, "external_id", "total", "carrier_code")}
        | {f"lines.{name}" for name in (*_LINE, "external_id", "keys", "tax_rate", "unit_price_with_tax", "decide_by")}
        | _told("details.", DETAILS, present.ORDER)
        | _told("lines.details.", ITEM_DETAILS, present.ITEM)
        | _told("packages.details.", PACKAGE_DETAILS, present.PACKAGE)
    ),
    download=ORDER_DOWNLOAD,
    read=present.read_present,
)
"""All columns of today. Source: rakuten-ichiba-orders 13 [wire]."""

OLD = CsvLayout(
    name="rms_orders_old",
    version="2019",
    encodings=_ENCODINGS,
    columns=_columns(
        OLD_COLUMNS,
        {
            *_of(old.ORDER, old.PACKAGE, old.ITEM),
            *old.PARCEL,
            "メールアドレス",
            "決済方法",
            "クレジットカード種類",
            "配送方法",
            "配送区分",
            "ポイント利用額",
            "税込別(包装紙)",
            "税込別(リボン)",
        },
        ("注文者", "送付先", "ラッピング名", "ラッピング料金"),
    ),
    group_by=(old.KEY,),
    covers=frozenset(
        {*_EACH, "buyer"}
        | {f"packages.{name}" for name in _PACKAGE}
        | {f"lines.{name}" for name in _LINE if name not in _NOT_OLD}
        | {f"totals.{name}" for name in _OLD_TOTALS}
        | _told("details.", DETAILS, old.ORDER)
    ),
    # RMS gives this file no more; who has one kept it.
    download=None,
    read=old.read_old,
)
"""All columns of the time before 楽天ペイ. Source: rakuten-ichiba-orders 13 [2+]."""

ORDER_LAYOUTS = (PRESENT, OLD)
