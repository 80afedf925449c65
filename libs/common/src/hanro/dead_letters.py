"""Keeps what a consumer could not handle, with its bytes and the cause, until somebody redrives or drops it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from hanro.broker import Record
from hanro.db import Database, Transaction, is_away, is_conflict, state_of
from hanro.effects import put
from hanro.errors import ContractBroken, Failure, Rejected, Retryable, Unsupported
from hanro.events.envelope import decode, type_of
from hanro.ids import new_id
from hanro.subscriptions import Subscription

DDL_1 = (
    # A record that comes again is the same letter; the digest tells a recreated topic's records from the old ones.
    """
    create table "{schema}".dead_letters (
        id text primary key,
        consumer text not null,
        topic text not null,
        partition_number integer not null,
        record_offset bigint not null,
        digest bytea not null,
        key bytea,
        headers text not null,
        value bytea,
        type text,
        code text not null,
        cause text not null,
        attempts integer not null default 1,
        created_at timestamptz not null default "{schema}".now(),
        failed_at timestamptz not null default "{schema}".now(),
        unique (consumer, topic, partition_number, record_offset, digest)
    )
    """,
)

LONGEST_TEXT = 500

_INSERT = """
    insert into dead_letters as known
        (id, consumer, topic, partition_number, record_offset, digest, key, headers, value, type, code, cause)
    select id, $2, topic, partition_number, record_offset, digest, key, headers, value, type, code, cause
    from unnest($1::text[], $3::text[], $4::int[], $5::bigint[], $6::bytea[], $7::bytea[], $8::text[], $9::bytea[],
        $10::text[], $11::text[], $12::text[])
        as given (id, topic, partition_number, record_offset, digest, key, headers, value, type, code, cause)
    order by topic, partition_number, record_offset
    on conflict (consumer, topic, partition_number, record_offset, digest) do update
    set code = excluded.code, cause = excluded.cause, attempts = known.attempts + 1, failed_at = excluded.failed_at
"""
_COLUMNS = """
    select id, consumer, topic, partition_number, record_offset, key, headers, value, type, code, cause, attempts,
        created_at, failed_at
    from dead_letters
"""
_LIST = (
    _COLUMNS + "where ($1::text is null or id < $1) and ($2::text is null or consumer = $2) order by id desc limit $3"
)
_GET = _COLUMNS + "where id = $1"
_FAILED_AGAIN = (
    "update dead_letters set code = $2, cause = $3, attempts = attempts + 1, failed_at = {now} where id = $1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Be a record that was put aside. `cause` is a sentence without values of the data; times are aware UTC.

    `type` is None where the record named none; `code` is that of one of the six errors, or `bug`.
    """

    id: str
    consumer: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...] = field(repr=False)
    value: bytes | None = field(repr=False)
    type: str | None
    code: str
    cause: str
    attempts: int
    created_at: datetime
    failed_at: datetime


async def save(tx: Transaction, consumer: str, failures: Sequence[tuple[Record, Exception]]) -> None:
    """Put records aside in one statement; one that is there already gets the new cause and one attempt more."""
    if not failures:
        return
    records = [record for record, _ in failures]
    causes = [describe(error) for _, error in failures]
    await tx.execute(
        _INSERT,
        [new_id("dlt") for _ in records],
        consumer,
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [_digest(record) for record in records],
        [record.key for record in records],
        [_pack(record.headers) for record in records],
        [record.value for record in records],
        [None if kind is None else _storable(kind) for kind in (type_of(record.headers) for record in records)],
        [code for code, _ in causes],
        [cause for _, cause in causes],
    )


async def list_(db: Database, *, limit: int, after: str | None = None, consumer: str | None = None) -> list[DeadLetter]:
    """Give up to `limit` letters, newest first; `after` is the id of the last one of the page before."""
    async with db.begin() as tx:
        return [_letter(row) for row in await tx.fetch(_LIST, after, consumer, limit)]


async def get_(db: Database, letter_id: str) -> DeadLetter:
    """Give a letter.

    Raises:
        Rejected: code not-found.
    """
    async with db.begin() as tx:
        return await _find(tx, letter_id, _GET)


async def redrive(db: Database, letter_id: str, subscriptions: Sequence[Subscription[Any, Any]]) -> DeadLetter | None:
    """Put a letter through its consumer again, in one transaction; None: handled, and the letter is gone.

    A twin waits and finds nothing left. A version that is known already changes nothing and counts as handled. Where
    it fails again, the letter stays with the new cause and one attempt more, and is given.

    Raises:
        Rejected: code not-found: no such letter, or no such consumer in this version.
        Retryable: `decide` said so, or two that collide; the letter is as it was.
    """
    named = {subscription.name: subscription for subscription in subscriptions}
    try:
        async with db.begin() as tx:
            await _handle(tx, await _find(tx, letter_id, f"{_GET} for update"), named)
    except (_Missing, Retryable):
        raise
    except Exception as error:
        if is_away(error):
            raise
        if is_conflict(error):
            raise Retryable("another transaction was in the way", code="unavailable") from error
        code, cause = describe(error)
    else:
        return None
    async with db.begin() as tx:
        await tx.execute(_FAILED_AGAIN.format(now=tx.now_sql), letter_id, code, cause)
        return await _find(tx, letter_id, _GET)


async def drop(db: Database, letter_id: str) -> None:
    """Delete a letter for good.

    Raises:
        Rejected: code not-found.
    """
    async with db.begin() as tx:
        if not await tx.execute("delete from dead_letters where id = $1", letter_id):
            raise _Missing(f"there is no dead letter {letter_id}", code="not-found")


def describe(error: Exception) -> tuple[str, str]:
    """Give code and cause of a failure; where it is none of the six, its kind and place: its text may hold data.

    Both can be stored whatever stood in the record: a cause that the table refuses would end the consumer.
    """
    if isinstance(error, Failure):
        return _storable(error.code), _storable(error.why)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {place.tb_frame.f_code.co_qualname}, line {place.tb_lineno}" if place else ""
    state = state_of(error)
    return "bug", f"{type(error).__name__}{f' {state}' if state else ''}{where}"


class _Missing(Rejected):
    """Tell apart what is not there from what a consumer rejects."""


async def _handle(tx: Transaction, letter: DeadLetter, named: Mapping[str, Subscription[Any, Any]]) -> None:
    subscription = named.get(letter.consumer)
    if subscription is None:
        raise _Missing(f"this version has no consumer {letter.consumer}", code="not-found")
    if letter.value is None:
        raise ContractBroken("the message has no value", code="unreadable")
    received = decode(letter.headers, letter.value, subscription.wanted)
    if received is None:
        raise Unsupported(f"{letter.consumer} does not read {letter.type} in this version", code="absent")
    effect = await put(tx, subscription, [received])
    for failure in effect.failures.values():
        raise failure
    await tx.execute("delete from dead_letters where id = $1", letter.id)


async def _find(tx: Transaction, letter_id: str, sql: str) -> DeadLetter:
    rows = await tx.fetch(sql, letter_id)
    if not rows:
        raise _Missing(f"there is no dead letter {letter_id}", code="not-found")
    return _letter(rows[0])


def _letter(row: asyncpg.Record) -> DeadLetter:
    return DeadLetter(
        id=row["id"],
        consumer=row["consumer"],
        topic=row["topic"],
        partition=row["partition_number"],
        offset=row["record_offset"],
        key=row["key"],
        headers=tuple((name, value.encode("latin-1")) for name, value in json.loads(row["headers"])),
        value=row["value"],
        type=row["type"],
        code=row["code"],
        cause=row["cause"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        failed_at=row["failed_at"],
    )


def _pack(headers: Sequence[tuple[str, bytes]]) -> str:
    # Latin-1 maps every byte to one character, so whatever stood there comes back; JSON escapes the zero.
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers])


def _digest(record: Record) -> bytes:
    parts = repr((record.key, record.value, record.headers)).encode()
    return hashlib.sha256(parts).digest()


def _storable(text: str) -> str:
    # Postgres stores no zero character, and no half of a surrogate.
    return text.replace("\0", "�").encode(errors="replace").decode()[:LONGEST_TEXT]
