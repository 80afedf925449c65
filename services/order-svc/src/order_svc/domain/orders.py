"""Says what an order is here, and how a fact restates it."""

from dataclasses import field
from datetime import datetime
from typing import Literal

from hanro.events.orders import (
    UNMAPPED_LINE,
    OrderClaim,
    OrderFact,
    OrderLine,
    OrderRefund,
    OrderShipment,
    OrderState,
    StatedAmount,
)
from hanro.value import value
from order_svc.domain.states import cancellation_requested_at

UNSHIPPED: frozenset[OrderState] = frozenset({"pending", "new", "accepted", "ready", "on_hold", "cancelling"})
LEFT_THE_HOUSE: frozenset[OrderState] = frozenset({"shipped", "completed"})
WorkState = Literal["new", "in_progress", "shipped", "cancelled"]
SILENT = frozenset({"backfill", "csv"})
"""Ways to find an order that mean: it is not new to the seller, so nobody is told of it, whatever its age."""
CONFIRMED: frozenset[OrderState] = frozenset({"accepted", "ready", "shipped", "completed"})


@value
class Order:
    """Be an order without its buyer.

    `sheet` is the JSON of what the marketplace states besides (packages without addresses, taxes, discounts,
    differences, times). `raw_hash` and `reading_hash` tell whether a later sighting says anything else.
    `is_from_file`: a file alone told of it so far; `reserves_stock` is false while that file was not to move stock.
    Once its buyer is erased (`erased_at`) no sighting brings the buyer back.
    While it is quarantined because it cannot be read its lines, totals and status are those of the last sighting that
    could be, if any. `unmapped` holds the open lines that no SKU is mapped to, with the key that is missing.
    `refunds_read_at` is when payments were looked at last, None: never, so that nobody knows of `refunds`.
    """

    id: str
    account_id: str
    account_epoch: int
    marketplace_id: str
    external_id: str
    version: int
    status: OrderState
    work_state: WorkState
    placed_at: datetime
    placed_local: str
    first_seen_by: str
    seen_at: datetime
    lines: tuple[OrderLine, ...]
    milestones: dict[str, datetime]
    holds: tuple[str, ...]
    totals: dict[str, StatedAmount]
    is_quarantined: bool
    quarantine_code: str | None
    quarantine_why: str | None
    unmapped: dict[str, str | None]
    is_backfilled: bool
    is_test: bool
    erased_at: datetime | None
    reserves_stock: bool = True
    is_from_file: bool = False
    sheet: str = field(repr=False)
    raw_hash: bytes = field(repr=False)
    reading_hash: bytes = field(repr=False)
    shipments: tuple[OrderShipment, ...] = ()
    claims: tuple[OrderClaim, ...] = ()
    refunds: tuple[OrderRefund, ...] = ()
    refunds_read_at: datetime | None = None

    @property
    def decide_by(self) -> datetime | None:
        """Give the first deadline of a line that waits to be accepted; None: none waits, or it has no deadline."""
        return min((line.decide_by for line in self.lines if line.decide_by and line.status == "new"), default=None)

    @property
    def is_readable(self) -> bool:
        """Tell whether its lines are those of the last sighting: it is free, or waits for a mapping alone."""
        return self.quarantine_code in {None, UNMAPPED_LINE}


def restate(kind: type[OrderFact], order: Order, at: datetime) -> OrderFact:
    """Give a fact of that kind that restates the order as it stands; `at` is when it became known here."""
    return kind(
        id=order.id,
        version=order.version,
        at=at,
        account_id=order.account_id,
        account_epoch=order.account_epoch,
        marketplace_id=order.marketplace_id,
        external_id=order.external_id,
        status=order.status,
        work_state=order.work_state,
        placed_at=order.placed_at,
        first_seen_by=order.first_seen_by,
        lines=order.lines,
        milestones=order.milestones,
        holds=order.holds,
        totals=order.totals,
        shipments=order.shipments,
        claims=order.claims,
        refunds=order.refunds,
        cancellation_requested_at=cancellation_requested_at(order.status, order.claims),
        is_quarantined=order.is_quarantined,
        quarantine_code=order.quarantine_code,
        is_backfilled=order.is_backfilled,
        reserves_stock=order.reserves_stock,
        is_test=order.is_test,
        erased_at=order.erased_at,
        href=f"/v1/orders/{order.id}",
    )


def work_state_of(status: OrderState, known: WorkState | None) -> WorkState:
    """Give the shop's own state: it follows the marketplace forward, and never falls back.

    A marketplace may show an order as shipped only at night, whose parcels are registered since noon.
    """
    if status == "cancelled":
        return "cancelled"
    if status in LEFT_THE_HOUSE:
        return "shipped"
    if status in CONFIRMED:
        return "shipped" if known == "shipped" else "in_progress"
    return known if known is not None and known != "cancelled" else "new"
