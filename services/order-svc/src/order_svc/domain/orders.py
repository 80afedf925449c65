"""Says what an order is here, and how a fact restates it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hanro.events.orders import OrderFact, OrderLine, OrderState, StatedAmount

UNSHIPPED: frozenset[OrderState] = frozenset({"pending", "new", "accepted", "ready", "on_hold", "cancelling"})
LEFT_THE_HOUSE: frozenset[OrderState] = frozenset({"shipped", "completed"})
WorkState = Literal["new", "in_progress", "shipped", "cancelled"]
CONFIRMED: frozenset[OrderState] = frozenset({"accepted", "ready", "shipped", "completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Be an order without its buyer.

    `sheet` is the JSON of what the marketplace states besides (packages without addresses, taxes, discounts,
    differences, times). `raw_hash` and `reading_hash` tell whether a later sighting says anything else.
    While it is quarantined its lines, totals and status are those of the last sighting that could be read, if any.
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
    is_backfilled: bool
    is_test: bool
    sheet: str = field(repr=False)
    raw_hash: bytes = field(repr=False)
    reading_hash: bytes = field(repr=False)


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
        is_quarantined=order.is_quarantined,
        is_backfilled=order.is_backfilled,
        is_test=order.is_test,
        href=f"/v1/orders/{order.id}",
    )


def work_state_of(status: OrderState, known: WorkState | None) -> WorkState:
    """Give the shop's own state: it follows the marketplace forward, and never falls back to `new`."""
    if status == "cancelled":
        return "cancelled"
    if status in LEFT_THE_HOUSE:
        return "shipped"
    if status in CONFIRMED:
        return "in_progress"
    return known if known is not None and known != "cancelled" else "new"
