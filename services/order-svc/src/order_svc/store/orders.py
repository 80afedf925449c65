"""Keeps orders, without their buyers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import AwareDatetime

from hanro.db import Transaction
from hanro.events.fact import Part
from hanro.events.orders import OrderLine, StatedAmount
from order_svc.domain.orders import Order

if TYPE_CHECKING:
    import asyncpg


class Document(Part):
    """Be the part of an order that is stored as one JSON value."""

    lines: tuple[OrderLine, ...]
    milestones: dict[str, AwareDatetime]
    holds: tuple[str, ...]
    totals: dict[str, StatedAmount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Be the bytes under which an order was sighted: equal ones say nothing new."""

    raw_hash: bytes
    is_readable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """Be the orders of a page that are known: `same` were sighted under equal bytes, `known` were not."""

    known: Mapping[str, Order]
    same: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Narrow a list of orders; None narrows nothing."""

    account_ids: Sequence[str] | None = None
    status: str | None = None
    work_state: str | None = None
    external_id: str | None = None
    is_quarantined: bool | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """Be an order with the times of its row."""

    order: Order
    created_at: datetime
    changed_at: datetime
    sheet: str = field(repr=False)


# JSON as text: the driver's own reading would make Python values of it.
_READ = """
    select id, account_id, account_epoch, marketplace_id, external_id, version, status, work_state, placed_at,
        placed_local, first_seen_by, seen_at, is_quarantined, quarantine_code, quarantine_why, is_backfilled, is_test,
        document::text as document, sheet::text as sheet, raw_hash, reading_hash, created_at, changed_at
    from orders
"""

# What is equal byte by byte is not read out: a page of known orders costs one look at an index.
_LOCK = """
    select orders.id, orders.external_id, same.is_same
    from unnest($2::text[], $3::bytea[], $4::boolean[]) as look (external_id, raw_hash, is_readable)
    join orders on orders.account_id = $1 and orders.external_id = look.external_id
    cross join lateral (
        select orders.raw_hash = look.raw_hash and orders.is_quarantined = not look.is_readable as is_same
    ) same
    order by orders.id for update of orders
"""


async def lock_orders(tx: Transaction, account_id: str, looks: Mapping[str, Look]) -> Locked:
    """Lock the orders of a page that are known, by external id, sorted by id; those of equal bytes are only named."""
    rows = await tx.fetch(
        _LOCK,
        account_id,
        list(looks),
        [look.raw_hash for look in looks.values()],
        [look.is_readable for look in looks.values()],
    )
    changed = [row["id"] for row in rows if not row["is_same"]]
    # They are locked: a second statement may read them, and sees the newest.
    found = await tx.fetch(f"{_READ} where id = any($1::text[])", changed) if changed else []
    return Locked(
        known={row["external_id"]: order_of(row) for row in found},
        same=frozenset(row["external_id"] for row in rows if row["is_same"]),
    )


async def save_orders(tx: Transaction, orders: Sequence[Order]) -> None:
    """Store orders as they stand now, new and known ones, in one statement."""
    if not orders:
        return
    ordered = sorted(orders, key=lambda order: order.id)
    await tx.execute(
        _SAVE.replace("{now}", tx.now_sql),
        [order.id for order in ordered],
        [order.account_id for order in ordered],
        [order.account_epoch for order in ordered],
        [order.marketplace_id for order in ordered],
        [order.external_id for order in ordered],
        [order.version for order in ordered],
        [order.status for order in ordered],
        [order.work_state for order in ordered],
        [order.placed_at for order in ordered],
        [order.placed_local for order in ordered],
        [order.first_seen_by for order in ordered],
        [order.seen_at for order in ordered],
        [order.is_quarantined for order in ordered],
        [order.quarantine_code for order in ordered],
        [order.quarantine_why for order in ordered],
        [order.is_backfilled for order in ordered],
        [order.is_test for order in ordered],
        [_document(order) for order in ordered],
        [order.sheet for order in ordered],
        [order.raw_hash for order in ordered],
        [order.reading_hash for order in ordered],
    )


_SAVE = """
    insert into orders (
        id, account_id, account_epoch, marketplace_id, external_id, version, status, work_state, placed_at,
        placed_local, first_seen_by, seen_at, is_quarantined, quarantine_code, quarantine_why, is_backfilled, is_test,
        document, sheet, raw_hash, reading_hash, created_at, changed_at, followed_at
    )
    select t.*, clock.at, clock.at, clock.at
    from unnest(
        $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[],
        $9::timestamptz[], $10::text[], $11::text[], $12::timestamptz[], $13::boolean[], $14::text[], $15::text[],
        $16::boolean[], $17::boolean[], $18::json[], $19::json[], $20::bytea[], $21::bytea[]
    ) as t, (select {now} as at) clock
    on conflict (id) do update set
        account_epoch = excluded.account_epoch, version = excluded.version, status = excluded.status,
        work_state = excluded.work_state, placed_at = excluded.placed_at, placed_local = excluded.placed_local,
        seen_at = excluded.seen_at, is_quarantined = excluded.is_quarantined,
        quarantine_code = excluded.quarantine_code, quarantine_why = excluded.quarantine_why,
        is_backfilled = excluded.is_backfilled, is_test = excluded.is_test, document = excluded.document,
        sheet = excluded.sheet, raw_hash = excluded.raw_hash, reading_hash = excluded.reading_hash,
        changed_at = excluded.changed_at, followed_at = excluded.followed_at
"""


async def find_order(tx: Transaction, order_id: str) -> StoredOrder | None:
    """Give one order, or None."""
    rows = await tx.fetch(f"{_READ} where id = $1", order_id)
    return _stored(rows[0]) if rows else None


async def lock_order(tx: Transaction, order_id: str) -> Order | None:
    """Lock one order, or None."""
    rows = await tx.fetch(f"{_READ} where id = $1 for update", order_id)
    return order_of(rows[0]) if rows else None


async def get_orders(tx: Transaction, order_ids: Sequence[str]) -> dict[str, Order]:
    """Give orders by id; those that are not there are left out."""
    rows = await tx.fetch(f"{_READ} where id = any($1::text[])", list(order_ids))
    return {row["id"]: order_of(row) for row in rows}


async def list_orders(tx: Transaction, wanted: Filter, *, before_id: str | None, limit: int) -> list[StoredOrder]:
    """Give orders, the last one found first, at most `limit`; `before_id` goes on behind a page."""
    rows = await tx.fetch(
        f"""
        {_READ}
        where ($1::text[] is null or account_id = any($1)) and ($2::text is null or id < $2)
            and ($3::text is null or status = $3) and ($4::text is null or work_state = $4)
            and ($5::text is null or external_id = $5) and ($6::boolean is null or is_quarantined = $6)
            and ($7::timestamptz is null or placed_at >= $7) and ($8::timestamptz is null or placed_at < $8)
        order by id desc limit $9
        """,
        None if wanted.account_ids is None else list(wanted.account_ids),
        before_id,
        wanted.status,
        wanted.work_state,
        wanted.external_id,
        wanted.is_quarantined,
        wanted.placed_from,
        wanted.placed_to,
        limit,
    )
    return [_stored(row) for row in rows]


async def list_unseen(
    tx: Transaction,
    account_id: str,
    statuses: Sequence[str],
    seen: Sequence[str],
    *,
    known_before: datetime,
    limit: int,
) -> list[Order]:
    """Give orders in these statuses that a sweep did not show, those first that were followed up longest ago.

    Those that were first seen, or seen to change, at `known_before` or later were simply not there for that sweep.
    """
    rows = await tx.fetch(
        f"""
        {_READ}
        where account_id = $1 and status = any($2::text[]) and external_id <> all($3::text[])
            and seen_at < $4 and not (is_quarantined and external_id like 'unreadable-%')
        order by followed_at limit $5
        """,
        account_id,
        list(statuses),
        list(seen),
        known_before,
        limit,
    )
    return [order_of(row) for row in rows]


async def list_to_follow(
    tx: Transaction, account_id: str, statuses: Sequence[str], *, older_than: timedelta, limit: int
) -> list[Order]:
    """Give orders in these statuses that were last followed up longer ago than that, the longest first."""
    rows = await tx.fetch(
        f"""
        {_READ}
        where account_id = $1 and status = any($2::text[]) and followed_at < {tx.now_sql} - $3::interval
        order by followed_at limit $4
        """,
        account_id,
        list(statuses),
        older_than,
        limit,
    )
    return [order_of(row) for row in rows]


async def save_followed(tx: Transaction, order_ids: Sequence[str]) -> None:
    """Note that orders were read again, whether or not that changed them."""
    await tx.execute(
        f"""
        update orders set followed_at = {tx.now_sql}
        from (select id from orders where id = any($1::text[]) order by id for update) held where orders.id = held.id
        """,  # noqa: S608  the schema's own clock
        sorted(order_ids),
    )


def _document(order: Order) -> str:
    return Document(
        lines=order.lines, milestones=order.milestones, holds=order.holds, totals=order.totals
    ).model_dump_json()


def order_of(row: "asyncpg.Record") -> Order:
    """Read an order out of its row."""
    document = Document.model_validate_json(row["document"])
    return Order(
        id=row["id"],
        account_id=row["account_id"],
        account_epoch=row["account_epoch"],
        marketplace_id=row["marketplace_id"],
        external_id=row["external_id"],
        version=row["version"],
        status=row["status"],
        work_state=row["work_state"],
        placed_at=row["placed_at"],
        placed_local=row["placed_local"],
        first_seen_by=row["first_seen_by"],
        seen_at=row["seen_at"],
        lines=document.lines,
        milestones=document.milestones,
        holds=document.holds,
        totals=document.totals,
        is_quarantined=row["is_quarantined"],
        quarantine_code=row["quarantine_code"],
        quarantine_why=row["quarantine_why"],
        is_backfilled=row["is_backfilled"],
        is_test=row["is_test"],
        sheet=row["sheet"],
        raw_hash=row["raw_hash"],
        reading_hash=row["reading_hash"],
    )


def _stored(row: "asyncpg.Record") -> StoredOrder:
    return StoredOrder(
        order=order_of(row), created_at=row["created_at"], changed_at=row["changed_at"], sheet=row["sheet"]
    )
