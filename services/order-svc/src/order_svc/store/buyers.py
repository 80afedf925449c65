"""Keeps what is personal about an order: sealed rows, one an order, and who was told a contact."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from hanro.db import Transaction

Table = Literal["buyers", "raw_orders"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """Be an encrypted row; `version` is the order's when it was sealed, and part of what the seal is bound to."""

    order_id: str
    version: int
    sealed: bytes = field(repr=False)


async def save_sealed(tx: Transaction, table: Table, rows: Sequence[SealedRow]) -> None:
    """Store sealed rows in one statement; the one that was there goes."""
    if not rows:
        return
    ordered = sorted(rows, key=lambda row: row.order_id)
    await tx.execute(
        f"""
        insert into {table} (order_id, version, sealed) select * from unnest($1::text[], $2::bigint[], $3::bytea[])
        on conflict (order_id) do update set version = excluded.version, sealed = excluded.sealed
        """,  # noqa: S608  one of two names of ours
        [row.order_id for row in ordered],
        [row.version for row in ordered],
        [row.sealed for row in ordered],
    )


async def find_sealed(tx: Transaction, table: Table, order_id: str) -> SealedRow | None:
    """Give the sealed row of an order, or None: never told, or erased."""
    rows = await tx.fetch(f"select order_id, version, sealed from {table} where order_id = $1", order_id)  # noqa: S608  one of two names of ours
    return SealedRow(**dict(rows[0])) if rows else None


async def save_contact_use(tx: Transaction, order_id: str, *, subject: str, purpose: str, at: datetime) -> None:
    """Write down who was told a buyer's contact."""
    await tx.execute(
        "insert into contact_uses (order_id, subject, purpose, used_at) values ($1, $2, $3, $4)",
        order_id,
        subject,
        purpose,
        at,
    )


async def prune_contact_uses(tx: Transaction, kept: timedelta, *, limit: int) -> int:
    """Forget uses that are older than `kept`, at most `limit`, the oldest first; give how many."""
    return await tx.execute(
        f"""
        delete from contact_uses where id in (
            select id from contact_uses where used_at < (select {tx.now_sql}) - $1::interval order by id limit $2
        )
        """,  # noqa: S608  the schema's own clock
        kept,
        limit,
    )
