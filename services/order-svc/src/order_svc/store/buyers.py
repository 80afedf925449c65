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


_COLUMNS = ("order_id", "version", "sealed")
_REPLACE = """
    insert into {table} (order_id, version, sealed) select * from unnest($1::text[], $2::bigint[], $3::bytea[])
    on conflict (order_id) do update set version = excluded.version, sealed = excluded.sealed
"""


async def save_sealed(tx: Transaction, table: Table, rows: Sequence[SealedRow]) -> None:
    """Store sealed rows in one statement; the one that was there goes."""
    if not rows:
        return
    ordered = [(row.order_id, row.version, row.sealed) for row in sorted(rows, key=lambda row: row.order_id)]
    # Of orders that are stored with this nothing is there: a look for it at each row would be for nothing.
    if all(version == 1 for _, version, _ in ordered):
        await tx.insert(table, _COLUMNS, ordered)
    else:
        await tx.execute(_REPLACE.format(table=table), *(list(column) for column in zip(*ordered, strict=True)))


async def find_sealed(tx: Transaction, table: Table, order_id: str) -> SealedRow | None:
    """Give the sealed row of an order, or None: never told, or erased."""
    rows = await tx.fetch(f"select order_id, version, sealed from {table} where order_id = $1", order_id)  # noqa: S608  one of two names of ours
    return SealedRow(**dict(rows[0])) if rows else None


async def delete_sealed(tx: Transaction, table: Table, order_id: str) -> None:
    """Delete the sealed row of an order, if there is one."""
    await tx.execute(f"delete from {table} where order_id = $1", order_id)  # noqa: S608  one of two names of ours


async def list_sealed(tx: Transaction, table: Table, order_ids: Sequence[str]) -> list[SealedRow]:
    """Give the sealed rows of orders; those that were never told, or erased, are left out."""
    rows = await tx.fetch(
        f"select order_id, version, sealed from {table} where order_id = any($1::text[])",  # noqa: S608  one of two names of ours
        list(order_ids),
    )
    return [SealedRow(**dict(row)) for row in rows]


async def save_contact_use(tx: Transaction, order_id: str, *, subject: str, purpose: str, at: datetime) -> None:
    """Write down who was told a buyer's contact, read the order's bytes, or had both erased."""
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
