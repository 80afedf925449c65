"""Holds listings, what is wanted of them, and stock."""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal

from hanro.errors import LocalizedText
from hanro.marketplace.types.enums.catalogue import Level, Part, Requirement, SaleStatus, ValueType
from hanro.marketplace.types.plain import Amount, Cursor, TextRule
from hanro.money import Money
from hanro.value import value


@value
class ListingRef:
    """Name a listing: `seller_key` ours (manageNumber, SellerCode), `external_id` theirs (ItemCode, advertid)."""

    seller_key: str
    external_id: str | None = None


@value
class OfferRef:
    """Name what is bought of a listing: by `variant_key`, or by (axis, choice) in axis order."""

    listing: ListingRef
    variant_key: str | None = None
    options: tuple[tuple[str, str], ...] = ()


@value
class Attribute:
    """Hold the values of one attribute of a category."""

    id: str
    name: str
    values: tuple[str, ...]
    unit: str | None = None


@value
class Image:
    """Name an image: `url` ours, public; `location` what `upload` gave."""

    url: str
    sha256: str
    alt: str = ""
    location: str | None = None


@value
class ImageFile:
    """Hold an image's bytes."""

    sha256: str
    media_type: str
    content: bytes = field(repr=False)
    name: str


@value
class Variant:
    """Hold one variant. It has no quantity: a new offer starts at 0, Stock alone writes quantities."""

    key: str | None
    sku: str
    options: tuple[tuple[str, str], ...]
    price: Money
    list_price: Money | None
    barcode: str | None
    attributes: tuple[Attribute, ...]
    image: Image | None = None
    is_hidden: bool = False
    weight_grams: int | None = None
    settings: Mapping[str, str]


@value
class ListingDraft:
    """Hold a whole listing.

    `texts` by the plug-in's text_rules (title, tagline, description), `settings` by its listing_form.
    """

    ref: ListingRef
    sale: SaleStatus
    texts: Mapping[str, str]
    category_id: str
    brand_id: str | None
    shop_category_ids: tuple[str, ...]
    images: tuple[Image, ...]
    axes: tuple[tuple[str, tuple[str, ...]], ...]
    attributes: tuple[Attribute, ...]
    variants: tuple[Variant, ...]
    tax_rate: Decimal | None
    settings: Mapping[str, str]


@value
class ListingChange:
    """Ask for a listing as `wanted`; `acknowledged` None: never published; `stale`: parts to send though equal."""

    id: str
    version: int
    wanted: ListingDraft
    acknowledged: ListingDraft | None
    stale: frozenset[Part] = frozenset()


@value
class SeenOffer:
    """Hold an offer as they show it; `keys` by KeyField.name, verbatim."""

    ref: OfferRef
    keys: Mapping[str, str]
    price: Amount | None
    quantity: int | None
    is_hidden: bool


@value
class SeenListing:
    """Hold a listing as they show it; `draft` None: this call does not show it whole."""

    ref: ListingRef
    sale: SaleStatus
    status_text: str
    title: str | None
    keys: Mapping[str, str]
    offers: tuple[SeenOffer, ...]
    seen_at: datetime
    draft: ListingDraft | None


@value
class ListingPage:
    """Hold one page of listings; `cursor` None: that was all."""

    listings: tuple[SeenListing, ...]
    cursor: Cursor | None


@value
class Category:
    """Hold a category; `has_children_given`: its children came with the same answer."""

    external_id: str
    parent_id: str | None
    name: LocalizedText
    is_leaf: bool
    has_children_given: bool


@value
class AttributeRule:
    """Describe an attribute of a category.

    `group` of ONE_OF_GROUP. `values` None: too many, ask Listings.values; `is_closed`: these values only.
    """

    id: str
    name: str
    level: Level
    requirement: Requirement
    group: str | None
    type: ValueType
    rule: TextRule
    max_values: int
    units: tuple[str, ...]
    minimum: Decimal | None
    maximum: Decimal | None
    values: tuple[str, ...] | None
    is_closed: bool
    is_same_in_all_variants: bool


@value
class CategorySchema:
    """Hold the attributes of a category; `category_id` differs from `asked_id` where it was merged.

    Source: rakuten-ichiba-catalog 4.5.
    """

    category_id: str
    asked_id: str
    version: str
    attributes: tuple[AttributeRule, ...]


@value
class OfferTerms:
    """Hold the newest wanted terms of an offer; sent where a stock call cannot leave them out."""

    price: Money
    listing_price: Money
    sale_ends_on: date | None
    tax_rate: Decimal | None


@value
class StockTarget:
    """Ask for an absolute quantity, 0 to `limits.max_quantity`."""

    offer: OfferRef
    quantity: int
    version: int
    terms: OfferTerms


@value
class StockReading:
    """Hold a quantity as they show it; None: unlimited."""

    offer: OfferRef
    quantity: int | None
    price: Amount | None
    read_at: datetime
