"""Keeps the slots in the service's schema: locked, read and written together, groups sorted by name."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.pacer.slots import Slot

if TYPE_CHECKING:
    import asyncpg

DDL_1: tuple[str, ...] = (
    """
    create table "{schema}".pacer (
        account_id text not null,
        api_group text not null,
        ready_at timestamptz not null,
        slowdown double precision not null default 1,
        holder text,
        slot_at timestamptz,
        held_until timestamptz,
        queue jsonb not null default '[]',
        primary key (account_id, api_group)
    ) with (fillfactor = 50)
    """,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Be a slot with its account, and when it was read by the schema's clock."""

    account_id: str
    slot: Slot
    read_at: datetime


async def prepare(tx: Transaction, account_id: str, groups: Sequence[str]) -> None:
    """Make the rows that are missing; a new group may send at once."""
    await tx.execute(
        f"""
        insert into pacer (account_id, api_group, ready_at)
        select $1, api_group, (select {tx.now_sql}) from unnest($2::text[]) as t (api_group) order by api_group
        on conflict do nothing
        """,  # noqa: S608  the schema's own clock
        account_id,
        sorted(groups),
    )


async def lock(tx: Transaction, account_id: str, groups: Sequence[str]) -> tuple[tuple[Slot, ...], datetime]:
    """Give the slots of some groups, sorted by name and locked, and what time it is; without a row, none."""
    rows = await tx.fetch(
        f"""
        select api_group, ready_at, slowdown, holder, slot_at, held_until, queue::text, {tx.now_sql} as now
        from pacer where account_id = $1 and api_group = any($2::text[]) order by api_group for update
        """,  # noqa: S608  the schema's own clock
        account_id,
        list(groups),
    )
    slots = tuple(_slot(row) for row in rows)
    # The oldest of the readings: a reading from before a wait for the lock only makes a turn wait longer.
    return slots, min((row["now"] for row in rows), default=_EPOCH)


async def list_(
    tx: Transaction, *, limit: int, account_id: str | None = None, after: tuple[str, str] | None = None
) -> list[Kept]:
    """Give the slots of every group that was ever used, by account and group, at most `limit`; nothing is locked."""
    account, group = after or ("", "")
    rows = await tx.fetch(
        f"""
        select account_id, api_group, ready_at, slowdown, holder, slot_at, held_until, queue::text, {tx.now_sql} as now
        from pacer where ($1::text is null or account_id = $1) and (account_id, api_group) > ($2, $3)
        order by account_id, api_group limit $4
        """,  # noqa: S608  the schema's own clock
        account_id,
        account,
        group,
        limit,
    )
    return [Kept(account_id=row["account_id"], slot=_slot(row), read_at=row["now"]) for row in rows]


async def save(tx: Transaction, account_id: str, slots: Sequence[Slot]) -> None:
    """Write slots that are locked, in one statement."""
    await tx.execute(
        """
        update pacer set ready_at = t.ready_at, slowdown = t.slowdown, holder = t.holder, slot_at = t.slot_at,
            held_until = t.held_until, queue = t.queue::jsonb
        from unnest($2::text[], $3::timestamptz[], $4::float8[], $5::text[], $6::timestamptz[], $7::timestamptz[],
            $8::text[]) as t (api_group, ready_at, slowdown, holder, slot_at, held_until, queue)
        where pacer.account_id = $1 and pacer.api_group = t.api_group
        """,
        account_id,
        [slot.api_group for slot in slots],
        [slot.ready_at for slot in slots],
        [slot.slowdown for slot in slots],
        [slot.holder for slot in slots],
        [slot.slot_at for slot in slots],
        [slot.held_until for slot in slots],
        [
            json.dumps([(name, (until - _EPOCH) // timedelta(microseconds=1)) for name, until in slot.queue])
            for slot in slots
        ],
    )


async def drop(tx: Transaction, account_id: str) -> None:
    """Forget the pace of an account."""
    await tx.execute("delete from pacer where account_id = $1", account_id)


def _slot(row: "asyncpg.Record") -> Slot:
    return Slot(
        api_group=row["api_group"],
        ready_at=row["ready_at"],
        slowdown=row["slowdown"],
        holder=row["holder"],
        slot_at=row["slot_at"],
        held_until=row["held_until"],
        queue=tuple((name, _EPOCH + timedelta(microseconds=until)) for name, until in json.loads(row["queue"])),
    )
