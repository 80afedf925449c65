"""Gives orders the form that callers see."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hanro.events.orders import OrderLine, OrderState, StatedAmount
from hanro.web.shapes import NextCursor, Shown
from order_svc.domain.orders import WorkState
from order_svc.store.orders import StoredOrder


class Quarantine(Shown):
    """Why an order cannot be read; its lines, totals and status then say nothing, or are old."""

    code: str
    """Stable name of the kind of failure."""
    why: str
    """One sentence, without buyer data."""


class OrderSummary(Shown):
    """An order without its buyer. Times are UTC, `placed_local` is the marketplace's own text."""

    id: str
    """ord_…"""
    account_id: str
    """The account that it was sold by."""
    marketplace_id: str
    """Where."""
    external_id: str
    """The marketplace's order number."""
    version: int
    """Grows with each change; the ETag and the facts name it."""
    status: OrderState
    """How far it is at the marketplace, in hanro's words."""
    work_state: WorkState
    """How far our own work on it is."""
    placed_at: datetime
    """When the buyer ordered, UTC."""
    placed_local: str
    """The same, as the marketplace writes it."""
    first_seen_by: str
    """The route that found it first."""
    lines: tuple[OrderLine, ...]
    """What was ordered."""
    milestones: dict[str, datetime]
    """What was reached, and when."""
    holds: tuple[str, ...]
    """Why it must not be accepted or shipped now; empty: nothing is in the way."""
    totals: dict[str, StatedAmount]
    """Sums as stated by the marketplace, tax included, by name."""
    quarantine: Quarantine | None
    """Why it cannot be read; null: it can."""
    is_backfilled: bool
    """Placed before `orders_from` of its account: no message is sent."""
    is_test: bool
    """A sandbox order: no real stock, mail or quota."""
    created_at: datetime
    """When hanro stored it."""
    changed_at: datetime
    """When it changed here last."""


class OrderShown(OrderSummary):
    """An order, whole.

    `stated` is what the marketplace says besides: packages without addresses, taxes, discounts, differences, times.
    `personal` (scope orders:personal) holds buyer, addresses, payments, gift and notes; null without the scope, and
    where nothing is known or it was erased.
    """

    stated: dict[str, Any]
    """Packages without addresses, taxes, discounts, differences, times."""
    personal: dict[str, Any] | None
    """Buyer, addresses, payments, gift, notes; null: the scope orders:personal is missing, nothing is known, or it
    was erased.
    """


class OrderPageShown(Shown):
    """Orders, the last one found first."""

    items: list[OrderSummary]
    """The last one found first."""
    next: NextCursor


def summary(stored: StoredOrder) -> OrderSummary:
    """Show an order in a list."""
    return OrderSummary(**_fields(stored))


def whole(stored: StoredOrder, personal: Mapping[str, Any] | None) -> OrderShown:
    """Show one order."""
    return OrderShown(
        **_fields(stored), stated=json.loads(stored.sheet), personal=dict(personal) if personal is not None else None
    )


def _fields(stored: StoredOrder) -> dict[str, Any]:
    order = stored.order
    return {
        "id": order.id,
        "account_id": order.account_id,
        "marketplace_id": order.marketplace_id,
        "external_id": order.external_id,
        "version": order.version,
        "status": order.status,
        "work_state": order.work_state,
        "placed_at": order.placed_at,
        "placed_local": order.placed_local,
        "first_seen_by": order.first_seen_by,
        "lines": order.lines,
        "milestones": order.milestones,
        "holds": order.holds,
        "totals": order.totals,
        "quarantine": Quarantine(code=order.quarantine_code or "", why=order.quarantine_why or "")
        if order.is_quarantined
        else None,
        "is_backfilled": order.is_backfilled,
        "is_test": order.is_test,
        "created_at": stored.created_at,
        "changed_at": stored.changed_at,
    }
