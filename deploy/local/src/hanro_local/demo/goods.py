"""States what the demo shop sells: its products, and which of the seller's keys at Rakuten Ichiba means which SKU."""

from dataclasses import dataclass

ON_HAND = 100_000
"""Units of each SKU, so that no order of a demo ever lacks one."""


@dataclass(frozen=True)
class Offer:
    """Be one SKU, and the keys under which the marketplace sells it: 商品管理番号 and SKU管理番号."""

    sku: str
    title: str
    manage_number: str
    variant_id: str


@dataclass(frozen=True)
class Goods:
    """Be one product with its offers."""

    code: str
    title: str
    offers: tuple[Offer, ...]


def _single(sku: str, title: str, key: str) -> Goods:
    # Without variants both keys are the same: rakuten-ichiba-orders 15.2.
    return Goods(code=sku, title=title, offers=(Offer(sku, title, key, key),))


GOODS = (
    Goods(
        code="TOWEL",
        title="見本タオル 選べるサイズ",
        offers=(
            Offer("TOWEL-M-WH", "見本タオル M ホワイト", "towel-01", "m-white"),
            Offer("TOWEL-M-NV", "見本タオル M ネイビー", "towel-01", "m-navy"),
            Offer("TOWEL-S-WH", "見本タオル S ホワイト", "towel-01", "s-white"),
        ),
    ),
    _single("COOKIE-12", "見本クッキー 12枚入", "cookie-12"),
    _single("COOKIE-24", "見本クッキー 24枚入", "cookie-24"),
    _single("TEA-50", "見本煎茶 50g", "tea-50"),
    _single("BAG-01", "試験トートバッグ", "bag-01"),
    _single("CUP-01", "架空マグカップ", "cup-01"),
    _single("SOAP-03", "例示石けん 3個組", "soap-03"),
)

OFFERS = tuple(offer for goods in GOODS for offer in goods.offers)
