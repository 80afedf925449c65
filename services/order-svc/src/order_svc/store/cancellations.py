"""Keeps cancellations that were asked for; how far each is stands in its operation."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.marketplace.types import CancelReason
from hanro.money import Money
from order_svc.domain.cancellations import Cancellation, Units

if TYPE_CHECKING:
    import asyncpg

_SELECT = """
    select cancellations.id, cancellations.order_id, cancellations.account_id, cancellations.operation_id,
        cancellations.units::text as units, cancellations.is_whole, cancellations.is_shipped, cancellations.reason,
        cancellations.comment, cancellations.is_restocked, cancellations.created_by, cancellations.created_at,
        operations.failure::text as failure,
        case operations.status when 'accepted' then 'waiting' else operations.status end as state
    from cancellations join operations on operations.id = cancellations.operation_id
"""


async def insert_cancellation(tx: Transaction, cancellation: Cancellation) -> None:
    """Store a cancellation that is asked for, once."""
    await tx.execute(
        f"""
        insert into cancellations (
            id, order_id, account_id, operation_id, units, is_whole, is_shipped, reason, comment, is_restocked,
            created_by, created_at
        ) values ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $8, $9, $10, $11, {tx.now_sql})
        """,  # noqa: S608  the schema's own clock
        cancellation.id,
        cancellation.order_id,
        cancellation.account_id,
        cancellation.operation_id,
        json.dumps([_told(one) for one in cancellation.units]),
        cancellation.is_whole,
        cancellation.is_shipped,
        cancellation.reason.value,
        cancellation.comment,
        cancellation.is_restocked,
        cancellation.created_by,
    )


async def list_of_orders(tx: Transaction, order_ids: Sequence[str]) -> dict[str, list[Cancellation]]:
    """Give the cancellations of orders, by order, the first asked for first; every order has a list."""
    rows = await tx.fetch(
        f"{_SELECT} where cancellations.order_id = any($1::text[]) order by cancellations.id", list(order_ids)
    )
    found: dict[str, list[Cancellation]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        found[row["order_id"]].append(_cancellation(row))
    return found


async def list_newest(tx: Transaction, order_id: str, limit: int) -> list[Cancellation]:
    """Give the cancellations of an order that were asked for last, at most `limit`, the first asked for first."""
    rows = await tx.fetch(
        f"{_SELECT} where cancellations.order_id = $1 order by cancellations.id desc limit $2", order_id, limit
    )
    return [_cancellation(row) for row in reversed(rows)]


async def forget_comments(tx: Transaction, operation_ids: Sequence[str]) -> None:
    """Forget what was written for the marketplace, once it needs to be told no more."""
    await tx.execute(
        """
        update cancellations set comment = null from (
            select id from cancellations where operation_id = any($1::text[]) and comment is not null
            order by id for update
        ) held where cancellations.id = held.id
        """,
        list(operation_ids),
    )


def _told(units: Units) -> dict[str, object]:
    refund = units.refund
    money = None if refund is None else {"amount": f"{refund.amount:f}", "currency": refund.currency}
    return {"line_id": units.line_id, "count": units.count, "refund": money}


def _units(told: dict[str, object]) -> Units:
    money = told["refund"]
    refund = Money(Decimal(money["amount"]), money["currency"]) if isinstance(money, dict) else None
    return Units(line_id=str(told["line_id"]), count=int(str(told["count"])), refund=refund)


def _cancellation(row: "asyncpg.Record") -> Cancellation:
    parts = {
        "units": tuple(_units(one) for one in json.loads(row["units"])),
        "reason": CancelReason(row["reason"]),
        "failure": None if row["failure"] is None else json.loads(row["failure"]),
    }
    return Cancellation(**{**dict(row), **parts})
