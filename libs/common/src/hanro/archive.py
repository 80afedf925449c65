"""Keeps what was published for 30 days, in a gapless order of its own, for those who read facts over REST."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hanro.db import Database, Transaction

DAYS_AHEAD = 7
DAYS_KEPT = 30

DDL_1 = (
    """
    create table "{schema}".archive (
        position bigint not null,
        event_id text not null,
        topic text not null,
        type text not null,
        source text not null,
        key text not null,
        headers text not null,
        value bytea not null,
        published_at timestamptz not null,
        primary key (position, published_at)
    ) partition by range (published_at)
    """,
    """
    create table "{schema}".archive_position (
        only_row boolean primary key default true check (only_row),
        last bigint not null default 0
    )
    """,
    'insert into "{schema}".archive_position default values',
    # The runtime role has no DDL: this function, the owner's, makes and drops days and nothing else.
    """
    create function "{schema}".archive_prune(days_ahead integer, days_kept integer) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
    set lock_timeout = '2s' as $$
    declare
        today date := "{schema}".now()::date;
        day date;
        old regclass;
        dropped integer := 0;
    begin
        perform pg_advisory_xact_lock(hashtextextended('hanro archive {schema}', 0));
        for day in select today + ahead from generate_series(-1, greatest(days_ahead, 0)) as ahead loop
            if to_regclass(format('"{schema}".%I', 'archive_' || to_char(day, 'YYYYMMDD'))) is null then
                execute format(
                    'create table "{schema}".%I partition of "{schema}".archive for values from (%L) to (%L)',
                    'archive_' || to_char(day, 'YYYYMMDD'), day::timestamptz, (day + 1)::timestamptz
                );
            end if;
        end loop;
        for old in
            select inhrelid::regclass from pg_inherits join pg_class on pg_class.oid = inhrelid
            where inhparent = '"{schema}".archive'::regclass
                and relname < 'archive_' || to_char(today - greatest(days_kept, 1), 'YYYYMMDD')
        loop
            execute format('drop table %s', old);
            dropped := dropped + 1;
        end loop;
        return dropped;
    end $$
    """,
    f'select "{{schema}}".archive_prune({DAYS_AHEAD}, {DAYS_KEPT})',
)

_MOVE = """
    with moved as (
        delete from outbox where id = any($1::bigint[]) returning *
    ), counted as (
        update archive_position set last = last + (select count(*) from moved) returning old.last as before
    )
    insert into archive (position, event_id, topic, type, source, key, headers, value, published_at)
    select before + row_number() over (order by id), event_id, topic, type, $2, key, headers, value, (select {now})
    from moved, counted
"""
_AFTER = """
    select position, event_id, topic, type, source, key, headers, value, published_at
    from archive
    where position > $1 and ($3::bigint is null or position <= $3) and ($4::text is null or topic = $4)
    order by position limit $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedEvent:
    """Be a published fact. `position` grows by one with each event of the schema; `data` is the fact's JSON as text."""

    position: int
    event_id: str
    type: str
    topic: str
    source: str
    key: str
    headers: tuple[tuple[str, bytes], ...]
    data: str
    published_at: datetime


async def events_after(
    db: Database, position: int, limit: int, *, until: int | None = None, topic: str | None = None
) -> list[ArchivedEvent]:
    """Give up to `limit` events behind a position, oldest first; 0 starts with the oldest that is kept.

    `until` is the last position that is given, `topic` the only one whose facts are; None: all.
    """
    async with db.begin() as tx:
        rows = await tx.fetch(_AFTER, position, limit, until, topic)
    return [
        ArchivedEvent(
            position=row["position"],
            event_id=row["event_id"],
            type=row["type"],
            topic=row["topic"],
            source=row["source"],
            key=row["key"],
            headers=unpack_headers(row["headers"], row["source"]),
            data=row["value"].decode(),
            published_at=row["published_at"],
        )
        for row in rows
    ]


async def oldest_position(db: Database) -> int:
    """Give the oldest position that is kept, where nothing is the next one: a cursor before it has missed events."""
    async with db.begin() as tx:
        rows = await tx.fetch("select position from archive order by position limit 1")
        return int(rows[0][0]) if rows else await newest_position(tx) + 1


async def newest_position(tx: Transaction) -> int:
    """Give the position of the newest event, 0 before the first."""
    return int((await tx.fetch("select last from archive_position"))[0][0])


async def move(tx: Transaction, outbox_ids: Sequence[int], source: str) -> None:
    """Move published rows from the outbox to the archive; only who holds the relay's lane may, or positions collide.

    Raises:
        asyncpg.CheckViolationError: the day has no partition yet: `prune` makes it.
    """
    await tx.execute(_MOVE.replace("{now}", tx.now_sql), list(outbox_ids), source)


async def prune(tx: Transaction) -> int:
    """Make the partitions of the next 7 days, drop those older than 30 days, and count the dropped; once an hour."""
    rows = await tx.fetch(f'select "{tx.schema}".archive_prune($1, $2)', DAYS_AHEAD, DAYS_KEPT)
    return int(rows[0][0])


def unpack_headers(headers: str, source: str) -> tuple[tuple[str, bytes], ...]:
    """Give a message's headers as they go over the wire, from the JSON that the outbox and the archive keep."""
    named: dict[str, str] = json.loads(headers)
    named["ce_source"] = source
    return tuple([(name, text.encode()) for name, text in named.items()])
