"""Facts of order-svc: what became of a marketplace order. No buyer stands in them."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from hanro.events.fact import Fact, Part

OrderState = Literal[
    "pending", "new", "accepted", "ready", "on_hold", "shipped", "completed", "cancelling", "cancelled"
]


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
    """The route that found it first, for example `placed` or `open`."""
    lines: tuple[OrderLine, ...]
    """Every line, in the marketplace's order; empty only while the order is quarantined."""
    milestones: dict[str, AwareDatetime]
    """Reached so far, by name: `placed`, `confirmed`, `shipped`, `completed`, `cancelled`; UTC."""
    holds: tuple[str, ...] = ()
    """Why the order must not be accepted or shipped now; empty: nothing holds it."""
    totals: dict[str, StatedAmount] = Field(default_factory=dict)
    """As stated: `goods`, `postage`, `total`, `payable`."""
    is_quarantined: bool = False
    """True while hanro cannot read it; its lines then say nothing."""
    is_backfilled: bool = False
    """True when it was placed before the account's `orders_from`: it sends no message."""
    is_test: bool = False
    """True for a sandbox order: no real stock, mail or quota."""
    href: str
    """Path of the whole order over REST."""


class OrderPlaced(OrderFact):
    """An order was seen for the first time."""

    type: ClassVar[str] = "hanro.order.placed.v1"


class OrderChanged(OrderFact):
    """Something about an order changed that has no fact of its own."""

    type: ClassVar[str] = "hanro.order.changed.v1"


class OrderConfirmed(OrderFact):
    """The seller accepted the order towards the marketplace."""

    type: ClassVar[str] = "hanro.order.confirmed.v1"


class OrderShipped(OrderFact):
    """The marketplace shows the whole order as shipped."""

    type: ClassVar[str] = "hanro.order.shipped.v1"


class OrderCompleted(OrderFact):
    """The marketplace closed the order."""

    type: ClassVar[str] = "hanro.order.completed.v1"


class OrderLinesCancelled(OrderFact):
    """Some lines or units were cancelled; others stand."""

    type: ClassVar[str] = "hanro.order.lines_cancelled.v1"


class OrderCancelled(OrderFact):
    """The whole order was cancelled."""

    type: ClassVar[str] = "hanro.order.cancelled.v1"


class OrderQuarantined(OrderFact):
    """An order could not be read; its bytes are kept, and nothing acts on it."""

    type: ClassVar[str] = "hanro.order.quarantined.v1"


class OrderReleased(OrderFact):
    """A quarantined order could be read at last."""

    type: ClassVar[str] = "hanro.order.released.v1"


ORDER_FACTS: tuple[type[OrderFact], ...] = (
    OrderPlaced,
    OrderChanged,
    OrderConfirmed,
    OrderShipped,
    OrderCompleted,
    OrderLinesCancelled,
    OrderCancelled,
    OrderQuarantined,
    OrderReleased,
)
"""What a service registers to follow orders."""
