"""Holds an order as a marketplace showed it."""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal

from hanro.errors import Failure
from hanro.marketplace.types.enums.orders import ClaimKind, ClaimStage, Detail, Hold, OrderStatus, OrderTime, Party
from hanro.marketplace.types.people import Address, Buyer, Gift, Label, Wish
from hanro.marketplace.types.plain import Amount, Cursor, Moment
from hanro.marketplace.types.sums import Difference, Discount, Payment, TaxRow, Totals, Wrapping
from hanro.value import value


@value
class OrderRef:
    """Name an order; give all that is known: some marketplaces read by line, others by day."""

    external_id: str
    line_ids: tuple[str, ...] = ()
    placed_at: datetime | None = None


@value
class Parcel:
    """Hold one parcel as the marketplace knows it; `carrier_text` verbatim."""

    external_id: str | None
    carrier_code: str | None
    carrier_text: str
    number: str | None
    shipped_on: date | None
    url: str | None = None


@value
class Package:
    """Hold what goes to one destination."""

    external_id: str
    address: Address | None
    parcels: tuple[Parcel, ...]
    postage: Amount | None
    cash_on_delivery_fee: Amount | None
    total: Amount | None
    noshi: str | None = None
    carrier_code: str | None = None
    drop_off: str | None = None
    label: Label | None = None
    details: Mapping[str, str]


@value
class Line:
    """Hold one line: `quantity` units they show now, cancelled ones already gone; 0: removed.

    `keys` by KeyField.name, verbatim. `decide_by` is their deadline to accept, `ship_by` the last day to ship.
    """

    external_id: str
    package_id: str | None
    keys: Mapping[str, str]
    title: str
    options_text: str | None
    quantity: int
    status: OrderStatus
    status_text: str
    unit_price: Amount
    is_tax_included: bool | None
    tax_rate: Decimal | None
    unit_price_with_tax: Amount | None = None
    total: Amount | None = None
    barcodes: tuple[str, ...] = ()
    decide_by: datetime | None = None
    ship_by: date | None = None
    is_fulfilled_by_marketplace: bool = False
    details: Mapping[str, str]


@value
class Claim:
    """Hold a claim. A cancellation is CANCEL at DONE, a buyer's cancellation request CANCEL at REQUESTED."""

    external_id: str
    kind: ClaimKind
    stage: ClaimStage
    status_text: str
    order: OrderRef
    line_id: str | None
    quantity: int | None
    by: Party | None
    reason: str = field(repr=False)
    requested: Moment | None = None
    completed: Moment | None = None
    amount: Amount | None = None


@value
class SeenOrder:
    """Hold one sighting of an order; `seen_at` is HttpAnswer.sent_at, an older sighting never overrules a newer one.

    Without `has_all_lines` absent lines say nothing; lacking DISPATCH a READY line says nothing of shipping either.
    `lacks` names what was not asked. `notes` (personal) and `details` by their own names; `raw` is the order as sent.
    """

    external_id: str
    seen_at: datetime
    placed: Moment
    has_all_lines: bool
    lacks: frozenset[Detail]
    lines: tuple[Line, ...]
    packages: tuple[Package, ...]
    buyer: Buyer | None
    totals: Totals
    taxes: tuple[TaxRow, ...] = ()
    discounts: tuple[Discount, ...] = ()
    payments: tuple[Payment, ...] = ()
    wrappings: tuple[Wrapping, ...] = ()
    gift: Gift | None = None
    wish: Wish | None = None
    claims: tuple[Claim, ...] = ()
    holds: frozenset[Hold] = frozenset()
    times: Mapping[OrderTime, Moment]
    differences: tuple[Difference, ...] = ()
    notes: Mapping[str, str] = field(repr=False)
    details: Mapping[str, str]
    is_test: bool = False
    raw: bytes = field(repr=False)


@value
class UnreadableOrder:
    """Hold an order that could not be read, to quarantine; one bad order never stops a page."""

    external_id: str | None
    seen_at: datetime
    failure: Failure
    raw: bytes = field(repr=False)


Sighting = SeenOrder | UnreadableOrder


@value
class OrderPage:
    """Hold one page of sightings; `claims` are of orders not on it; `cursor` None: the window is done."""

    sightings: tuple[Sighting, ...]
    claims: tuple[Claim, ...]
    cursor: Cursor | None


@value
class Fetched:
    """Hold orders read again: they do not know the `missing` ones; of `unread` ones reading marked messages as read."""

    sightings: tuple[Sighting, ...]
    missing: tuple[OrderRef, ...]
    unread: tuple[OrderRef, ...] = ()
