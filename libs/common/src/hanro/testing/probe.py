"""Gives tests of messaging a fact, a table that counts its effects, and a consumer that fills it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import asyncpg

from hanro.broker import Broker, Message
from hanro.db import Database, Transaction
from hanro.events.envelope import Received, encode
from hanro.events.fact import Fact
from hanro.subscriptions import Subscription
from hanro.testing.schemas import CONNECT_SECONDS, OwnedSchema, create_shared_tables

AT = datetime(2026, 5, 11, 1, 15, 30, tzinfo=UTC)
SECONDS = 45.0

_SAVE = """
    insert into effects as known (aggregate_id, version, amount, applied_count)
    select aggregate_id, version, amount, 1
    from unnest($1::text[], $2::bigint[], $3::int[]) as given (aggregate_id, version, amount) order by aggregate_id
    on conflict (aggregate_id) do update
    set version = excluded.version, amount = excluded.amount, applied_count = known.applied_count + 1
"""


class ProbeChanged(Fact):
    """Something changed that only tests know."""

    type: ClassVar[str] = "hanro.probe.changed.v1"
    topic: ClassVar[str] = "hanro.probe"

    amount: int
    """The state; 13 is refused by `decide`, 0 by the table, 1013 by a bug in `apply`."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Be a row of the table: `applied_count` tells how often something was applied to the aggregate."""

    version: int
    amount: int
    applied_count: int


@dataclass
class Heard:
    """Be an observer that keeps what it heard."""

    applied: int = 0
    stale: int = 0
    skipped: int = 0
    dead: int = 0
    gap_count: int = 0
    pauses: list[str] = field(default_factory=list)
    published_count: int = 0
    refusals: list[str] = field(default_factory=list)

    def handled(self, subscription: str, applied: int, stale: int, skipped: int, dead: int) -> None:  # noqa: ARG002  the observer's signature
        """Add one batch."""
        self.applied += applied
        self.stale += stale
        self.skipped += skipped
        self.dead += dead

    def gaps(self, subscription: str, count: int) -> None:  # noqa: ARG002
        """Add versions that were jumped over."""
        self.gap_count += count

    def paused(self, subscription: str, why: str) -> None:  # noqa: ARG002
        """Keep why a consumer waits."""
        self.pauses.append(why)

    def lag(self, subscription: str, topic: str, partition: int, count: int) -> None:
        """Ask nothing."""

    def published(self, count: int) -> None:
        """Add rows that left."""
        self.published_count += count

    def refused(self, fact_type: str, why: str) -> None:  # noqa: ARG002
        """Keep what never leaves."""
        self.refusals.append(fact_type)

    def waiting(self, why: str) -> None:
        """Keep why a relay waits."""
        self.pauses.append(why)


def create_probe_tables(urls: OwnedSchema) -> None:
    """Make the shared tables and `effects`; a `prepare` for the fixture `make_database`."""
    create_shared_tables(urls)
    asyncio.run(_create_effects(urls))


def changed(aggregate: object, version: int, amount: int = 1) -> ProbeChanged:
    """Make a fact."""
    return ProbeChanged(id=f"prb_{aggregate}", version=version, at=AT, amount=amount)


def message(fact: Fact, event_id: str | None = None) -> Message:
    """Make the message of a fact, as the relay of another service sends it."""
    key, value, headers = encode(
        fact, event_id=event_id or f"evt_{fact.id}_{fact.version}", source="/probe-svc", context={}
    )
    return Message(fact.topic, key, value, headers)


def counting(
    name: str = "probe",
    *,
    decide: Callable[[int | None, Received], tuple[Received, int]] | None = None,
    apply: Callable[[Transaction, Sequence[tuple[Received, int]]], Awaitable[None]] | None = None,
) -> Subscription[int, tuple[Received, int]]:
    """Make a subscription that stores the amount of each aggregate and counts how often it was applied."""
    return Subscription(name=name, facts=(ProbeChanged,), load=load, decide=decide or amount_of, apply=apply or store)


async def load(tx: Transaction, facts: Sequence[Received]) -> Mapping[str, int]:
    """Lock and give the amounts that are known."""
    rows = await tx.fetch(
        "select aggregate_id, amount from effects where aggregate_id = any($1) order by aggregate_id for update",
        [received.fact.id for received in facts],
    )
    return {row["aggregate_id"]: row["amount"] for row in rows}


def amount_of(_known: int | None, received: Received) -> tuple[Received, int]:
    """Decide: the amount; 13 is a bug."""
    if not isinstance(received.fact, ProbeChanged):
        raise TypeError(received.type)
    if received.fact.amount == 13:  # noqa: PLR2004  the unlucky one
        raise ValueError("thirteen")
    return received, received.fact.amount


async def store(tx: Transaction, changes: Sequence[tuple[Received, int]]) -> None:
    """Store in one statement; 1013 is a bug of this function."""
    if any(amount == 1013 for _, amount in changes):  # noqa: PLR2004  the unlucky one
        raise KeyError("a bug in apply")
    await tx.execute(
        _SAVE,
        [received.fact.id for received, _ in changes],
        [received.fact.version for received, _ in changes],
        [amount for _, amount in changes],
    )


async def effects(db: Database) -> dict[str, Effect]:
    """Give the table, by the aggregate's name without prefix."""
    async with db.begin() as tx:
        rows = await tx.fetch("select aggregate_id, version, amount, applied_count from effects")
    return {
        row["aggregate_id"].removeprefix("prb_"): Effect(row["version"], row["amount"], row["applied_count"])
        for row in rows
    }


async def publish(broker: Broker, *messages: Message) -> None:
    """Send messages, making their topics."""
    await broker.ensure_topics(sorted({sent.topic for sent in messages}))
    producer = broker.producer()
    await producer.start()
    try:
        await producer.send_all(messages, timeout_seconds=SECONDS)
    finally:
        await producer.close()


@asynccontextmanager
async def running(*loops: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> AsyncIterator[asyncio.Event]:
    """Run loops beside a block and stop them at its end; what a loop raises is raised."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(loop(stop))
        try:
            yield stop
        finally:
            stop.set()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = SECONDS) -> None:
    """Wait until something is so; TimeoutError after 45 s."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  what is waited for stands in another process's memory
            await asyncio.sleep(0.02)


async def _create_effects(urls: OwnedSchema) -> None:
    connection = await asyncpg.connect(urls.owner, timeout=CONNECT_SECONDS)
    try:
        await connection.execute(
            f'create table "{urls.schema}".effects (aggregate_id text primary key, version bigint not null,'
            " amount integer not null check (amount <> 0), applied_count integer not null)"
        )
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
