"""Knows what the synthetic shop sells, and turns choices and wishes into order lines."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

_FIRST_ITEM_ID = 10000119
_MOST = 999_999_999
_WISH_KEYS = frozenset(
    {"manageNumber", "variantId", "merchantDefinedSkuId", "units", "price", "taxRate", "itemName", "includeTaxFlag"}
)


@dataclass(frozen=True)
class Line:
    """A line of an order before it has an id. `price` is JPY a unit, with tax unless `is_tax_included` is False."""

    item_id: int
    manage_number: str
    item_number: str | None
    item_name: str
    variant_id: str
    merchant_sku_id: str | None
    sku_info: str | None
    price: int
    tax_percent: int
    units: int = 1
    selected_choice: str | None = None
    lead_time: str | None = None
    is_postage_free: bool = False
    is_tax_included: bool = True

    @property
    def unit_price_with_tax(self) -> int:
        """JPY a unit with tax, floor. Source: 8.4: 1500 at 10% without tax gives 1650 [2+]."""
        return self.price if self.is_tax_included else self.price * (100 + self.tax_percent) // 100


def _towel(variant_id: str, merchant_sku_id: str, sku_info: str) -> Line:
    return Line(
        item_id=_FIRST_ITEM_ID,
        manage_number="towel-01",
        item_number="towel",
        item_name="見本タオル 選べるサイズ",
        variant_id=variant_id,
        merchant_sku_id=merchant_sku_id,
        sku_info=sku_info,
        price=3980 if variant_id.startswith("m-") else 2980,
        tax_percent=10,
        selected_choice="名入れ:しません\n確認事項:了承しました",
        lead_time="1〜2日以内に発送予定（店舗休業日を除く）",
    )


def _single(
    number: int, name: str, title: str, *, price: int, tax_percent: int, merchant_sku_id: str | None = None
) -> Line:
    """A product without variants: its variantId is its manageNumber, as in the sample of 15.2."""
    return Line(
        item_id=_FIRST_ITEM_ID + number,
        manage_number=name,
        item_number=name.replace("-", ""),
        item_name=title,
        variant_id=name,
        merchant_sku_id=merchant_sku_id,
        sku_info=None,
        price=price,
        tax_percent=tax_percent,
    )


CATALOGUE: tuple[Line, ...] = (
    _towel("m-white", "TOWEL-M-WH", "サイズ:M\nカラー:ホワイト"),
    _towel("m-navy", "TOWEL-M-NV", "サイズ:M\nカラー:ネイビー"),
    _towel("s-white", "TOWEL-S-WH", "サイズ:S\nカラー:ホワイト"),
    _single(1, "cookie-12", "見本クッキー 12枚入", price=1080, tax_percent=8),
    _single(2, "cookie-24", "見本クッキー 24枚入", price=2000, tax_percent=8, merchant_sku_id="COOKIE-24"),
    _single(3, "tea-50", "見本煎茶 50g", price=702, tax_percent=8, merchant_sku_id="TEA-50"),
    replace(
        _single(4, "bag-01", "試験トートバッグ", price=5500, tax_percent=10, merchant_sku_id="BAG-01"),
        is_postage_free=True,
    ),
    replace(
        _single(5, "cup-01", "架空マグカップ", price=1500, tax_percent=10, merchant_sku_id="CUP-01"),
        is_tax_included=False,
    ),
    _single(6, "soap-03", "例示石けん 3個組", price=1320, tax_percent=10),
)


def choose_lines(chance: random.Random, count: int) -> list[Line]:
    """Choose `count` different lines of the catalogue with 1 to 3 units each."""
    return [replace(line, units=chance.choice((1, 1, 1, 2, 3))) for line in chance.sample(CATALOGUE, count)]


def wished_line(wish: Mapping[str, object]) -> Line:
    """Return the line that a wish describes; what it leaves open comes from the catalogue.

    Raises:
        ValueError: a key that no line has, or a number of units or yen that none can have (4.11: 0 to 999999999).
    """
    unknown = set(wish) - _WISH_KEYS
    if unknown:
        raise ValueError(f"a line has no {sorted(unknown)}")
    line = _nearest(wish)
    return replace(
        line,
        manage_number=_text(wish, "manageNumber", line.manage_number),
        variant_id=_text(wish, "variantId", line.variant_id),
        merchant_sku_id=_text_or_none(wish, "merchantDefinedSkuId", line.merchant_sku_id),
        item_name=_text(wish, "itemName", line.item_name),
        units=_whole(wish, "units", 1),
        price=_whole(wish, "price", line.price),
        tax_percent=round(float(str(wish.get("taxRate", line.tax_percent / 100))) * 100),
        is_tax_included=bool(_whole(wish, "includeTaxFlag", int(line.is_tax_included))),
    )


def _nearest(wish: Mapping[str, object]) -> Line:
    """Return the catalogue's line with the wish's numbers, or a new product under them."""
    manage_number, variant_id = wish.get("manageNumber"), wish.get("variantId")
    for line in CATALOGUE:
        if manage_number in (None, line.manage_number) and variant_id in (None, line.variant_id):
            return line
    name = str(manage_number or variant_id)
    # Stable and apart from the catalogue's ids; a repeated order of the same product must show the same itemId.
    number = sum(ord(character) * 31**place for place, character in enumerate(name)) % 80_000_000
    return _single(1000 + number, name, f"見本商品 {name}", price=1000, tax_percent=10)


def _text(wish: Mapping[str, object], key: str, default: str) -> str:
    return str(wish.get(key, default))


def _text_or_none(wish: Mapping[str, object], key: str, default: str | None) -> str | None:
    value = wish.get(key, default)
    return None if value is None else str(value)


def _whole(wish: Mapping[str, object], key: str, default: int) -> int:
    value = int(str(wish.get(key, default)))
    if not 0 <= value <= _MOST:
        raise ValueError(f"{key} is 0 to {_MOST}")
    return value
