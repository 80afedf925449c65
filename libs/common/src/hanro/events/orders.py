"""Facts of order-svc: what became of a marketplace order. No buyer stands in them."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from hanro.events.fact import Fact, Part

OrderState = Literal[
    "pending", "new", "accepted", "ready", "on_hold", "shipped", "completed", "cancelling", "cancelled"
]

UNMAPPED_LINE = "unmapped-line"
"""Why a readable order is quarantined: an open line of it is mapped to no SKU."""


BY_FILE = "csv"
"""`first_seen_by` of an order that a seller's file brought before any route showed it."""


class StatedAmount(Part):
    """Tell an amount as the marketplace stated it."""

    text: str
    """Their characters, verbatim."""
    amount: str | None
    """Decimal string; None: not decided (a sentinel stood there), which is not zero."""
    currency: str | None
    """ISO 4217; None with `amount`."""


class OrderLine(Part):
    """Tell one line of an order."""

    id: str
    """Ours: `lin_…`."""
    external_id: str
    """The marketplace's."""
    keys: dict[str, str]
    """The seller's keys by the plug-in's key field, verbatim: stock is found by them."""
    title: str
    """The product's name as sold."""
    quantity: int = Field(ge=0)
    """Units that the marketplace shows now; cancelled ones are gone already."""
    open_quantity: int = Field(ge=0)
    """Units that stock must be held for: neither shipped nor cancelled."""
    shipped_quantity: int = Field(ge=0)
    """Units that left the house."""
    status: OrderState
    """The marketplace's, canonical."""
    unit_price: StatedAmount | None = None
    """Tax in or out as `is_tax_included` says."""
    is_tax_included: bool | None = None
    """None: not stated."""
    cancelled_quantity: int = Field(default=0, ge=0)
    """Units that were ordered and are cancelled; of a cancelled line all."""
    returned_quantity: int = Field(default=0, ge=0)
    """Units that left the house and came back, as the marketplace reports it; never more than left."""
    shipped_before: int | None = Field(default=None, ge=0)
    """Those of `shipped_quantity` that had left before hanro knew the line, or while the order held no stock: stock
    never counted them, the others leave it. None: not known; it was stored before this was kept."""
    decide_by: AwareDatetime | None = None
    """The marketplace's deadline to accept or refuse it; None: it has none."""


class OrderClaim(Part):
    """Tell a claim: somebody wants a cancellation, a return, an exchange. Why is not told: buyers write that."""

    external_id: str
    """The marketplace's."""
    kind: str
    """`cancel`, `return`, `exchange`, `not_received`, `other`."""
    stage: str
    """`requested`, `running`, `done`, `withdrawn`."""
    line_id: str | None
    """The marketplace's line; None: the whole order."""
    quantity: int | None
    """Units of the line; None: all."""
    by: str | None
    """Who asked: `buyer`, `seller`, `marketplace`; None: not told."""
    amount: StatedAmount | None
    """What is paid back; None: not told."""
    requested_at: AwareDatetime
    """When it was asked for; where that is not told, when it was first seen."""
    completed_at: AwareDatetime | None
    """When it was done; None: it is not, or that is not told."""


class OrderRefund(Part):
    """Tell money that goes back to the buyer, as the record of its payment states it; it cancels no unit."""

    payment_id: str | None = None
    """The marketplace's id of the payment that it goes back of; None: it has none."""
    method: str
    """How that was paid, by its name there."""
    amount: StatedAmount | None
    """What goes back; None: not told."""
    status: str
    """`open`, `done`, `failed`; `unknown`: not told, or not in a word whose meaning here is documented."""
    status_text: str
    """The same in the marketplace's own."""
    requested_at: AwareDatetime | None = None
    """When it was asked for; None: not told."""
    completed_at: AwareDatetime | None = None
    """When it was done; None: it is not, or that is not told."""
    details: dict[str, str] = Field(default_factory=dict)
    """What the marketplace says besides, by its own names, verbatim; nothing personal."""


ShipmentState = Literal["waiting", "sent", "registered", "rejected", "in_doubt", "observed", "replaced"]


class OrderShipment(Part):
    """Tell one parcel that was asked to be registered at the marketplace."""

    id: str
    """Ours: `shi_…`."""
    package_id: str | None = None
    """The marketplace's id of the destination; None: it names none."""
    carrier_code: str
    """The carrier, in hanro's catalogue of that marketplace."""
    tracking_number: str | None = None
    """The parcel's; None: it has none."""
    tracking_url: str | None = None
    """The carrier's page for that number; None: not known."""
    shipped_on: date | None = None
    """The day that is told to the marketplace, in its zone."""
    lines: dict[str, int] = Field(default_factory=dict)
    """Units in it by the marketplace's line id; empty: not told."""
    state: ShipmentState
    """`registered`: the marketplace shows it; `rejected`: it will not be; `in_doubt`: nobody knows yet."""
    failure_code: str | None = None
    """Why it is rejected or in doubt: a stable name."""


class OrderFact(Fact):
    """Restate an order; its id (`ord_…`) is the aggregate."""

    topic: ClassVar[str] = "hanro.orders"

    marketplace_id: str
    """The plug-in's id."""
    external_id: str
    """The marketplace's order number, an opaque text."""
    status: OrderState
    """The marketplace's, canonical: the least advanced of the lines that are not cancelled."""
    work_state: str
    """The shop's own: `new`, `in_progress`, `shipped`, `cancelled`; kept apart from `status`."""
    placed_at: AwareDatetime
    """When the buyer ordered, UTC."""
    first_seen_by: str
    """The route that found it first, for example `placed` or `open`; `csv`: a seller's file brought it."""
    lines: tuple[OrderLine, ...]
    """Every line, in the marketplace's order; empty only while the order cannot be read."""
    milestones: dict[str, AwareDatetime]
    """Reached so far, by name: `placed`, `confirmed`, `shipped`, `completed`, `cancelled`; UTC."""
    holds: tuple[str, ...] = ()
    """Why the order must not be accepted or shipped now; empty: nothing holds it."""
    totals: dict[str, StatedAmount] = Field(default_factory=dict)
    """As stated: `goods`, `postage`, `total`, `payable`."""
    shipments: tuple[OrderShipment, ...] = ()
    """Parcels that were registered, refused or are in doubt, the first asked for first; none by hand at the
    marketplace."""
    claims: tuple[OrderClaim, ...] = ()
    """Every claim that was ever shown, with the newest stage of each."""
    refunds: tuple[OrderRefund, ...] = ()
    """What payment records told of refunds when they were last read; empty also where nobody asked for them. The same
    money may stand in `claims`: they are never added up."""
    cancellation_requested_at: AwareDatetime | None = None
    """Since when a buyer's wish to cancel waits for an answer; None: none waits. The order is not cancelled by it."""
    is_quarantined: bool = False
    """True while hanro holds it back: nobody accepts it, ships it or writes to its buyer; see `quarantine_code`."""
    quarantine_code: str | None = None
    """Why it is held back: `unmapped-line` (its lines are true), else a code of what cannot be read in it."""
    is_backfilled: bool = False
    """True when it was placed before the account's `orders_from`, or a file brought it: it sends no message."""
    reserves_stock: bool = True
    """False while a file alone told of it and was not to move stock: its lines hold none."""
    is_test: bool = False
    """True for a sandbox order: no real stock, mail or quota."""
    erased_at: AwareDatetime | None = None
    """When its buyer was erased: nobody is written to any more, and what is held of the buyer goes. None: never."""
    href: str
    """Path of the whole order over REST."""

    @property
    def is_unreadable(self) -> bool:
        """Tell whether its lines say nothing, or are old: it is quarantined for another reason than its mapping."""
        return self.is_quarantined and self.quarantine_code != UNMAPPED_LINE


class OrderPlaced(OrderFact):
    """An order was seen for the first time."""

    type: ClassVar[str] = "hanro.order.placed.v1"


class OrderChanged(OrderFact):
    """Something about an order changed that has no fact of its own."""

    type: ClassVar[str] = "hanro.order.changed.v1"


class OrderConfirmed(OrderFact):
    """The seller accepted the order towards the marketplace."""

    type: ClassVar[str] = "hanro.order.confirmed.v1"


class OrderDecisionDue(OrderFact):
    """A line waits to be accepted or refused and its `decide_by` is near; told once for each deadline of an order."""

    type: ClassVar[str] = "hanro.order.decision_due.v1"


class OrderShipped(OrderFact):
    """The whole order is shipped: all its parcels are registered at the marketplace, or it shows it as shipped."""

    type: ClassVar[str] = "hanro.order.shipped.v1"


class ShipmentRejected(OrderFact):
    """A parcel will not be registered at the marketplace: the last one of `shipments` that is rejected says why."""

    type: ClassVar[str] = "hanro.order.shipment_rejected.v1"


class OrderCompleted(OrderFact):
    """The marketplace closed the order."""

    type: ClassVar[str] = "hanro.order.completed.v1"


class CancellationRequested(OrderFact):
    """A buyer wants an order, or a part of it, to be cancelled; the shop has to answer, nothing is cancelled yet."""

    type: ClassVar[str] = "hanro.order.cancellation_requested.v1"


class OrderLinesCancelled(OrderFact):
    """Some lines or units were cancelled; others stand."""

    type: ClassVar[str] = "hanro.order.lines_cancelled.v1"


class OrderCancelled(OrderFact):
    """The whole order was cancelled."""

    type: ClassVar[str] = "hanro.order.cancelled.v1"


class OrderQuarantined(OrderFact):
    """An order is held back: it cannot be read, or a line of it is mapped to no SKU; its bytes are kept."""

    type: ClassVar[str] = "hanro.order.quarantined.v1"


class OrderReleased(OrderFact):
    """A quarantined order could be read at last, or its last line was mapped."""

    type: ClassVar[str] = "hanro.order.released.v1"


class BuyerErased(OrderFact):
    """What was kept of an order's buyer was deleted on request; lines and totals stay."""

    type: ClassVar[str] = "hanro.order.buyer_erased.v1"


ORDER_FACTS: tuple[type[OrderFact], ...] = (
    OrderPlaced,
    OrderChanged,
    OrderConfirmed,
    OrderDecisionDue,
    OrderShipped,
    ShipmentRejected,
    OrderCompleted,
    CancellationRequested,
    OrderLinesCancelled,
    OrderCancelled,
    OrderQuarantined,
    OrderReleased,
    BuyerErased,
)
"""What a service registers to follow orders."""
