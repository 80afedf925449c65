"""Keeps parcels that were asked to be registered; how far each is stands in its operation."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.marketplace.types import Tracking
from order_svc.domain.shipments import Shipment

if TYPE_CHECKING:
    import asyncpg

UNCONFIRMED = """
    (operations.status in ('sent', 'in_doubt') and operations.sent_at < {now} - interval '10 minutes')
"""
"""So long after it was sent a parcel that no read has shown is called unconfirmed; the promise is 30 minutes."""
_STATE = """
    case when exists (
            select 1 from shipments newer join operations theirs on theirs.id = newer.operation_id
            where newer.replaces_id = shipments.id and theirs.status = 'applied'
        ) then 'replaced'
        when operations.status = 'accepted' then 'waiting' when operations.status = 'applied' then 'registered'
        else operations.status end
"""


def _select(tx: Transaction) -> str:
    return f"""
        select shipments.id, shipments.order_id, shipments.account_id, shipments.operation_id, shipments.package_id,
            shipments.lines::text as lines, shipments.carrier_code, shipments.marketplace_value,
            shipments.tracking_number, shipments.tracking_url, shipments.shipped_on, shipments.is_last,
            shipments.replaces_id, shipments.replaces_parcel, shipments.created_by, shipments.created_at,
            operations.failure::text as failure, operations.answer ->> 'external_id' as parcel_id,
            {_STATE} as state, {UNCONFIRMED.replace("{now}", tx.now_sql)} as is_unconfirmed
        from shipments join operations on operations.id = shipments.operation_id
    """  # noqa: S608  fixed texts and the schema's own clock


async def insert_shipment(tx: Transaction, shipment: Shipment) -> None:
    """Store a parcel that is asked for, once."""
    await tx.execute(
        f"""
        insert into shipments (
            id, order_id, account_id, operation_id, package_id, lines, carrier_code, marketplace_value,
            tracking_number, tracking_url, shipped_on, is_last, replaces_id, replaces_parcel, created_by, created_at
        ) values ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12, $13, $14, $15, {tx.now_sql})
        """,  # noqa: S608  the schema's own clock
        shipment.id,
        shipment.order_id,
        shipment.account_id,
        shipment.operation_id,
        shipment.package_id,
        json.dumps(dict(shipment.lines)),
        shipment.tracking.carrier_code,
        shipment.tracking.marketplace_value,
        shipment.tracking.number,
        shipment.tracking.url,
        shipment.shipped_on,
        shipment.is_last,
        shipment.replaces_id,
        shipment.replaces_parcel,
        shipment.created_by,
    )


async def find_shipment(tx: Transaction, shipment_id: str) -> Shipment | None:
    """Give one, or None."""
    rows = await tx.fetch(f"{_select(tx)} where shipments.id = $1", shipment_id)
    return _shipment(rows[0]) if rows else None


async def list_of_orders(tx: Transaction, order_ids: Sequence[str]) -> dict[str, list[Shipment]]:
    """Give the shipments of orders, by order, the first asked for first; every order has a list."""
    rows = await tx.fetch(
        f"{_select(tx)} where shipments.order_id = any($1::text[]) order by shipments.id", list(order_ids)
    )
    found: dict[str, list[Shipment]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        found[row["order_id"]].append(_shipment(row))
    return found


async def list_newest(tx: Transaction, order_id: str, limit: int) -> list[Shipment]:
    """Give the shipments of an order that were asked for last, at most `limit`, the first asked for first."""
    rows = await tx.fetch(
        f"{_select(tx)} where shipments.order_id = $1 order by shipments.id desc limit $2", order_id, limit
    )
    return [_shipment(row) for row in reversed(rows)]


async def list_shipments(
    tx: Transaction,
    *,
    account_ids: Sequence[str] | None,
    state: str | None,
    is_unconfirmed: bool | None,
    before_id: str | None,
    limit: int,
) -> list[Shipment]:
    """Give shipments, newest first, at most `limit`; `account_ids` None: of every account."""
    rows = await tx.fetch(
        f"""
        select * from ({_select(tx)}) shown
        where ($1::text[] is null or account_id = any($1)) and ($2::text is null or state = $2)
            and ($3::boolean is null or is_unconfirmed = $3) and ($4::text is null or id < $4)
        order by id desc limit $5
        """,  # noqa: S608  fixed texts and the schema's own clock
        None if account_ids is None else list(account_ids),
        state,
        is_unconfirmed,
        before_id,
        limit,
    )
    return [_shipment(row) for row in rows]


def _shipment(row: "asyncpg.Record") -> Shipment:
    said = dict(row)
    tracking = Tracking(
        carrier_code=said.pop("carrier_code"),
        marketplace_value=said.pop("marketplace_value"),
        number=said.pop("tracking_number"),
        url=said.pop("tracking_url"),
    )
    parts = {
        "lines": json.loads(row["lines"]),
        "tracking": tracking,
        "failure": None if row["failure"] is None else json.loads(row["failure"]),
        "is_unconfirmed": row["is_unconfirmed"] or False,
    }
    return Shipment(**{**said, **parts})
