"""Says what requests and answers look like; the limits of both stand here."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from catalog_svc.domain.products import Product, Variant
from catalog_svc.domain.reservations import Reservation
from catalog_svc.domain.stock import Stock
from catalog_svc.store.listings import Listing
from catalog_svc.store.stock import Movement
from hanro.errors import Rejected
from hanro.web.problems import of_failure

MOST_ENTRIES = 1000
MOST_VARIANTS = 400
LARGEST_QUANTITY = 1_000_000_000
LARGEST_VERSION = 1_000_000_000

KEY_PATTERN = r"^[^\s/](.*[^\s])?$"
LONGEST_KEY = 96

Key = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY, pattern=KEY_PATTERN)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Quantity = Annotated[int, Field(ge=0, le=LARGEST_QUANTITY, strict=True)]


class Request(BaseModel):
    """Be a request's body: unknown members are refused by name."""

    model_config = ConfigDict(extra="forbid")


class VariantBody(Request):
    """Describe one variant."""

    sku: Key
    title: Title
    barcode: Annotated[str, StringConstraints(pattern=r"^\d{8,14}$")] | None = None


class ProductBody(Request):
    """Restate a product."""

    title: Title
    variants: list[VariantBody] = Field(min_length=1, max_length=MOST_VARIANTS)

    def product(self, code: str) -> Product:
        """Give the value."""
        variants = tuple(Variant(sku=one.sku, title=one.title, barcode=one.barcode) for one in self.variants)
        return Product(code=code, title=self.title, variants=variants)


class ProductEntry(ProductBody):
    """Restate a product among others; `if_version` refuses it where the version is another."""

    code: Key
    if_version: int | None = Field(default=None, ge=0, le=LARGEST_VERSION)


class ProductsBody(Request):
    """Restate many products."""

    items: list[ProductEntry] = Field(min_length=1, max_length=MOST_ENTRIES)


class CountBody(Request):
    """Set the units in the house; `if_version` may stand in for If-Match."""

    on_hand: Quantity
    safety_buffer: Quantity | None = None
    if_version: int | None = Field(default=None, ge=0, le=LARGEST_VERSION)


class CountEntry(CountBody):
    """Set one SKU among others."""

    sku: Key


class CountsBody(Request):
    """Set many SKUs."""

    items: list[CountEntry] = Field(min_length=1, max_length=MOST_ENTRIES)


class MovementBody(Request):
    """Let units come (positive) or leave (negative)."""

    delta: int = Field(ge=-LARGEST_QUANTITY, le=LARGEST_QUANTITY, strict=True)
    cause: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
    note: str | None = Field(default=None, max_length=1000)
    order_id: str | None = Field(default=None, max_length=64)


class MappingEntry(Request):
    """Name one offer by the seller's keys, and its SKU."""

    keys: dict[str, Annotated[str, StringConstraints(max_length=200)]] = Field(min_length=1, max_length=8)
    sku: Key


class AdoptBody(Request):
    """Map offers of an account to SKUs."""

    account_id: str = Field(min_length=1, max_length=64)
    items: list[MappingEntry] = Field(min_length=1, max_length=MOST_ENTRIES)


def show_product(product: Product) -> dict[str, object]:
    """Write a product."""
    return {
        "code": product.code,
        "title": product.title,
        "version": product.version,
        "variants": [{"sku": one.sku, "title": one.title, "barcode": one.barcode} for one in product.variants],
    }


def show_stock(stock: Stock) -> dict[str, object]:
    """Write the stock of a SKU."""
    return {
        "id": stock.id,
        "sku": stock.sku,
        "version": stock.version,
        "on_hand": stock.on_hand,
        "committed": stock.committed,
        "available": stock.available,
        "safety_buffer": stock.safety_buffer,
        "short_count": stock.short_count,
    }


def show_movement(movement: Movement) -> dict[str, object]:
    """Write a movement."""
    return {
        "sku": movement.sku,
        "at": instant(movement.at),
        "delta": movement.delta,
        "on_hand_after": movement.on_hand_after,
        "cause": movement.cause,
        "note": movement.note,
        "order_id": movement.order_id,
        "by": movement.by,
    }


def show_listing(listing: Listing) -> dict[str, object]:
    """Write a listing."""
    return {
        "id": listing.id,
        "account_id": listing.account_id,
        "keys": dict(listing.keys),
        "sku": listing.sku,
        "version": listing.version,
    }


def show_reservation(line: Reservation) -> dict[str, object]:
    """Write what an order line holds."""
    return {
        "order_id": line.order_id,
        "line_id": line.line_id,
        "account_id": line.account_id,
        "external_id": line.external_id,
        "placed_at": instant(line.placed_at),
        "title": line.title,
        "sku": line.sku,
        "is_mapped": line.sku is not None,
        "wanted": line.wanted,
        "reserved": line.reserved,
        "short_count": line.short_count,
        "shipped": line.shipped,
    }


def show_refusal(key: str, refusal: Rejected) -> dict[str, object]:
    """Write the outcome of an entry that was refused."""
    answer = of_failure(refusal)
    return {"key": key, "status": answer.status, "problem": answer.body}


def instant(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC, ending in Z."""
    return at.isoformat().replace("+00:00", "Z")
