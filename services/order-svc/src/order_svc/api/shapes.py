"""Gives orders the form that callers see."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from hanro.events.orders import OrderLine, OrderState, StatedAmount
from order_svc.store.orders import StoredOrder


class Quarantine(BaseModel):
    """Why an order cannot be read; its lines, totals and status then say nothing, or are old."""

    code: str
    why: str


class OrderSummary(BaseModel):
    """An order without its buyer. Times are UTC, `placed_local` is the marketplace's own text."""

    id: str
    account_id: str
    marketplace_id: str
    external_id: str
    version: int
    status: OrderState
    work_state: str
    placed_at: datetime
    placed_local: str
    first_seen_by: str
    lines: tuple[OrderLine, ...]
    milestones: dict[str, datetime]
    holds: tuple[str, ...]
    totals: dict[str, StatedAmount]
    quarantine: Quarantine | None
    is_backfilled: bool
    is_test: bool
    created_at: datetime
    changed_at: datetime


class OrderShown(OrderSummary):
    """An order, whole.

    `stated` is what the marketplace says besides: packages without addresses, taxes, discounts, differences, times.
    `personal` (scope orders:personal) holds buyer, addresses, payments, gift and notes; null without the scope, and
    where nothing is known or it was erased.
    """

    stated: dict[str, Any]
    personal: dict[str, Any] | None


class OrderPageShown(BaseModel):
    """Orders, the last one found first."""

    items: list[OrderSummary]
    next: str | None


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
