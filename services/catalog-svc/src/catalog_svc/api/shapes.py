"""Says what answers look like."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalog_svc.domain.products import Product
from catalog_svc.domain.reservations import Reservation
from catalog_svc.domain.stock import Stock
from catalog_svc.store.listings import Listing
from hanro.errors import Rejected
from hanro.web import NextCursor, ProblemShown, Shown
from hanro.web.problems import of_failure


class VariantShown(Shown):
    """A variant of a product."""

    sku: str
    """Its key everywhere."""
    title: str
    """What tells it from the others."""
    barcode: str | None
    """JAN, EAN or GTIN; null: it has none."""


class ProductShown(Shown):
    """A product."""

    code: str
    """Its key."""
    title: str
    """Its name in the house."""
    version: int
    """Grows with each change; the ETag names it."""
    variants: list[VariantShown]
    """In the seller's order, never none."""


class ProductPage(Shown):
    """Products, by code."""

    items: list[ProductShown]
    """By code."""
    next: NextCursor


class StockShown(Shown):
    """The stock of a SKU: on hand - committed = available, never below 0."""

    id: str
    """stk_…: what facts call it."""
    sku: str
    """The variant."""
    version: int
    """Grows with each change, 0 before the first; the ETag names it."""
    on_hand: int
    """Units in the house."""
    committed: int
    """Units of them that open orders hold."""
    available: int
    """Units that nobody holds."""
    safety_buffer: int
    """Units that are never offered for sale."""
    short_count: int
    """Units that open orders want and nobody has."""


class StockPage(Shown):
    """Stock, by SKU."""

    items: list[StockShown]
    """By SKU."""
    next: NextCursor


class MovementShown(Shown):
    """A change of the units in the house."""

    sku: str
    """The variant."""
    at: datetime
    """When."""
    delta: int
    """How many came, or with a minus left."""
    on_hand_after: int
    """Units in the house after it."""
    cause: str
    """Why: the word that was sent, or `set` for a count."""
    note: str | None
    """For people; null: none."""
    order_id: str | None
    """The order that it belongs to; null: none."""
    by: str
    """Subject of the token that asked."""


class MovementPage(Shown):
    """Movements of a SKU."""

    items: list[MovementShown]
    """Newest first."""
    next: NextCursor


class ListingShown(Shown):
    """An offer of an account, and the SKU that it sells."""

    id: str
    """lst_…"""
    account_id: str
    """The account that offers it."""
    keys: dict[str, str]
    """By the names of the marketplace."""
    sku: str
    """What it sells."""
    version: int
    """Grows with each change."""


class ListingPage(Shown):
    """Mapped offers."""

    items: list[ListingShown]
    """By id."""
    next: NextCursor


class ReservationShown(Shown):
    """What a line of an order wants and holds."""

    order_id: str
    """The order."""
    line_id: str
    """The line of it."""
    account_id: str
    """The account that sold it."""
    external_id: str
    """The marketplace's order number."""
    placed_at: datetime
    """When the buyer ordered: who came first is served first."""
    title: str
    """What the marketplace calls what was bought."""
    sku: str | None
    """What it is here; null: no offer of that key is mapped."""
    is_mapped: bool
    """False: adopt the offer, and units are held at once."""
    wanted: int
    """Units that are still to be sent."""
    reserved: int
    """Units that are held for it."""
    short_count: int
    """Units that are missing."""
    shipped: int
    """Units that have left the house."""
    restocked: int
    """Units that left stock for it, came back from the buyer, and are in stock again."""


class ReservationPage(Shown):
    """What order lines want and hold."""

    items: list[ReservationShown]
    """By order and line."""
    next: NextCursor


class Outcome(Shown):
    """What became of one entry."""

    key: str
    """Which one: the key that it was sent with."""
    status: int
    """As if it had been sent alone: 200 or 201, or that of `problem`."""
    version: int | None = None
    """The version that stands now; null: it was refused."""
    problem: ProblemShown | None = None
    """Why it was refused, its pointers into the whole body; null: it was not."""


class AdoptOutcome(Outcome):
    """What became of one offer."""

    id: str | None = None
    """Id of the listing; null: it was refused."""


class Outcomes(Shown):
    """What became of each entry; one never stops another."""

    items: list[Outcome]
    """In the order asked."""


class AdoptOutcomes(Shown):
    """What became of each offer; one never stops another."""

    items: list[AdoptOutcome]
    """In the order asked."""


def show_product(product: Product) -> ProductShown:
    """Show a product."""
    return ProductShown.model_validate(product)


def show_stock(stock: Stock) -> StockShown:
    """Show the stock of a SKU."""
    return StockShown.model_validate(stock)


def show_listing(listing: Listing) -> ListingShown:
    """Show a mapped offer."""
    return ListingShown(
        id=listing.id,
        account_id=listing.account_id,
        keys=dict(listing.keys),
        sku=listing.sku,
        version=listing.version,
    )


def show_reservation(line: Reservation) -> ReservationShown:
    """Show what an order line holds."""
    return ReservationShown(
        order_id=line.order_id,
        line_id=line.line_id,
        account_id=line.account_id,
        external_id=line.external_id,
        placed_at=line.placed_at,
        title=line.title,
        sku=line.sku,
        is_mapped=line.sku is not None,
        wanted=line.wanted,
        reserved=line.reserved,
        short_count=line.short_count,
        shipped=line.shipped,
        restocked=line.restocked,
    )


def show_refusal(place: int, key: str, refusal: Rejected) -> AdoptOutcome:
    """Show that the entry at a place was refused."""
    answer = of_failure(refusal)
    problem: dict[str, Any] = dict(answer.body) if isinstance(answer.body, Mapping) else {}
    if refusal.field:
        problem["errors"] = [
            {**fault, "pointer": f"/items/{place}{fault['pointer']}"} for fault in problem.get("errors", ())
        ]
    return AdoptOutcome(key=key, status=answer.status, problem=problem)
