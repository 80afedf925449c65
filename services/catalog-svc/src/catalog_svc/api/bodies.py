"""Says what requests look like; their limits stand here."""

from typing import Annotated

from pydantic import Field, StringConstraints

from catalog_svc.domain.products import Product, Variant
from hanro.web.shapes import Body

MOST_ENTRIES = 1000
MOST_VARIANTS = 400
LARGEST_QUANTITY = 1_000_000_000
LARGEST_VERSION = 1_000_000_000

KEY_PATTERN = r"^[^\s/](.*[^\s])?$"
LONGEST_KEY = 96

Key = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY, pattern=KEY_PATTERN)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Quantity = Annotated[int, Field(ge=0, le=LARGEST_QUANTITY, strict=True)]
Version = Annotated[int, Field(ge=0, le=LARGEST_VERSION)]


class VariantBody(Body):
    """Describe one variant."""

    sku: Key = Field(examples=["TOWEL-M-WH"])
    """Its key everywhere; no other product may have it. Up to 96 characters, no "/" in front, no blanks around."""
    title: Title = Field(examples=["M ホワイト"])
    """What tells it from the others."""
    barcode: Annotated[str, StringConstraints(pattern=r"^\d{8,14}$")] | None = Field(
        default=None, examples=["4900000000000"]
    )
    """JAN, EAN or GTIN, 8 to 14 digits; null: it has none."""


class ProductBody(Body):
    """Restate a product."""

    title: Title = Field(examples=["見本タオル"])
    """Its name in the house."""
    variants: list[VariantBody] = Field(min_length=1, max_length=MOST_VARIANTS)
    """All of them, in the seller's order; one that is left out is deleted, unless it is listed, ordered or in stock."""

    def product(self, code: str) -> Product:
        """Give the value."""
        variants = tuple(Variant(sku=one.sku, title=one.title, barcode=one.barcode) for one in self.variants)
        return Product(code=code, title=self.title, variants=variants)


class ProductEntry(ProductBody):
    """Restate a product among others."""

    code: Key = Field(examples=["TOWEL"])
    """The product's key."""
    if_version: Version | None = Field(default=None, examples=[3])
    """Refuses it where the version is another (0: it is new); null: whatever stands is replaced."""


class ProductsBody(Body):
    """Restate many products."""

    items: list[ProductEntry] = Field(min_length=1, max_length=MOST_ENTRIES)
    """Each is done or refused on its own."""


class CountBody(Body):
    """Set the units in the house."""

    on_hand: Quantity = Field(examples=[120])
    """All units in the house, those for open orders included."""
    safety_buffer: Quantity | None = Field(default=None, examples=[2])
    """Units that are never offered for sale; null: as it stands."""
    if_version: Version | None = Field(default=None, examples=[7])
    """The version that was counted against; where one SKU is set it may stand in for If-Match."""


class CountEntry(CountBody):
    """Set one SKU among others."""

    sku: Key = Field(examples=["TOWEL-M-WH"])
    """The SKU."""


class CountsBody(Body):
    """Set many SKUs."""

    items: list[CountEntry] = Field(min_length=1, max_length=MOST_ENTRIES)
    """Each is done or refused on its own; a SKU stands once."""


class MovementBody(Body):
    """Let units come (positive) or leave (negative)."""

    delta: int = Field(ge=-LARGEST_QUANTITY, le=LARGEST_QUANTITY, strict=True, examples=[-1])
    """How many come, or with a minus leave."""
    cause: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")] = Field(examples=["damaged"])
    """Why, in one word of your own: lower-case letters and "_"."""
    note: str | None = Field(default=None, max_length=1000, examples=["水濡れ"])
    """For people."""
    order_id: str | None = Field(default=None, max_length=64)
    """The order that it belongs to; null: none."""


class MappingEntry(Body):
    """Name one offer by the seller's keys, and its SKU."""

    keys: dict[str, Annotated[str, StringConstraints(max_length=200)]] = Field(
        min_length=1, max_length=8, examples=[{"manage_number": "towel-m", "variant_id": "wh"}]
    )
    """By the names of the marketplace's key fields, as its plug-in declares them."""
    sku: Key = Field(examples=["TOWEL-M-WH"])
    """What it sells."""


class AdoptBody(Body):
    """Map offers of an account to SKUs."""

    account_id: str = Field(min_length=1, max_length=64, examples=["acc_01K0000000000000000000000A"])
    """The account that offers them."""
    items: list[MappingEntry] = Field(min_length=1, max_length=MOST_ENTRIES)
    """Each is done or refused on its own."""
