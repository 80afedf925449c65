"""Consumers on a real Postgres: each effect once, poison aside, and nothing lost while something is away."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import asyncpg
import pytest

from hanro import dead_letters
from hanro.broker import Message, Record
from hanro.clock import SystemClock
from hanro.consume import consume
from hanro.db import Database, Transaction
from hanro.errors import Rejected, Retryable
from hanro.events.envelope import Received
from hanro.subscriptions import Subscription
from hanro.testing.memory_broker import MemoryBroker
from hanro.testing.probe import (
    Effect,
    Heard,
    amount_of,
    changed,
    counting,
    create_probe_tables,
    effects,
    message,
    publish,
    running,
    store,
    until,
)
from hanro.testing.schemas import terminate_backends
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_probe_tables)

CLOCK = SystemClock()
HEADERS = (("ce_id", b"evt_x"), ("ce_type", b"hanro.probe.changed.v1"), ("ce_time", b"2026-05-11T01:15:30Z"))

Probe = Subscription[int, tuple[Received, int]]


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def heard() -> Heard:
    return Heard()


def _consumer(
    db: Database, broker: MemoryBroker, heard: Heard, subscription: Probe | None = None
) -> Callable[[asyncio.Event], Coroutine[Any, Any, None]]:
    return partial(_run, db, broker, heard, subscription or counting())


async def _run(db: Database, broker: MemoryBroker, heard: Heard, subscription: Probe, stop: asyncio.Event) -> None:
    await consume(db, broker, subscription, clock=CLOCK, stop=stop, observer=heard)


def _is_read(broker: MemoryBroker) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def ask() -> bool:
        committed = broker.groups["probe"].committed
        return all(
            committed.get((topic, number), 0) == len(log)
            for topic, logs in broker.logs.items()
            for number, log in enumerate(logs)
        )

    return ask


async def _consume_all(db: Database, broker: MemoryBroker, heard: Heard, subscription: Probe | None = None) -> None:
    async with running(_consumer(db, broker, heard, subscription)):
        await until(_is_read(broker))


async def test_a_fact_takes_effect_once_however_often_it_comes(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    facts = [message(changed(key, 1, amount=5)) for key in "abc"]
    await publish(broker, *facts)
    await _consume_all(db, broker, heard)
    for _ in range(3):
        await publish(broker, *facts)
        await _consume_all(db, broker, heard)
    assert await effects(db) == {key: Effect(1, 5, 1) for key in "abc"}
    assert (heard.applied, heard.dead) == (3, 0)


async def test_a_topic_read_again_from_the_start_changes_nothing(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    await publish(broker, *(message(changed("a", version, amount=version)) for version in range(1, 6)))
    await _consume_all(db, broker, heard)
    broker.groups["probe"].committed.clear()
    await _consume_all(db, broker, heard)
    assert await effects(db) == {"a": Effect(5, 5, 1)}
    assert (heard.applied, heard.stale) == (1, 1)


async def test_an_older_version_that_comes_late_is_passed_over(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    await publish(broker, message(changed("a", 3, amount=30)))
    await _consume_all(db, broker, heard)
    await publish(broker, message(changed("a", 2, amount=20)))
    await _consume_all(db, broker, heard)
    assert await effects(db) == {"a": Effect(3, 30, 1)}


async def test_versions_that_never_came_are_counted_and_not_waited_for(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    await publish(broker, message(changed("a", 1)), message(changed("a", 2)))
    await _consume_all(db, broker, heard)
    assert heard.gap_count == 0
    await publish(broker, message(changed("a", 5)))
    await _consume_all(db, broker, heard)
    assert (heard.gap_count, (await effects(db))["a"].version) == (2, 5)


async def test_an_unknown_type_is_skipped_and_counted(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    stranger = Message("hanro.probe", b"k", b"{}", (("ce_id", b"evt_1"), ("ce_type", b"hanro.probe.gone.v1")))
    await publish(broker, stranger, message(changed("a", 1)))
    await _consume_all(db, broker, heard)
    assert (heard.skipped, heard.applied, heard.dead) == (1, 1, 0)


@pytest.mark.parametrize(
    ("poison", "why"),
    [
        (Message("hanro.probe", b"prb_x", b"\xff\x00 no json", HEADERS), ("unreadable", "does not fit its schema")),
        (Message("hanro.probe", b"prb_x", b"{}", HEADERS), ("unreadable", "/id: missing")),
        (Message("hanro.probe", b"prb_x", b"{}", ()), ("unreadable", "no ce_type or ce_id")),
        (message(changed("x", 1, amount=13)), ("bug", "ValueError in amount_of")),
        (message(changed("x", 1, amount=0)), ("bug", "CheckViolationError 23514")),
        (message(changed("x", 1, amount=1013)), ("bug", "KeyError in store")),
    ],
    ids=["bytes", "schema", "headers", "decide", "sql", "apply"],
)
async def test_poison_is_put_aside_with_its_bytes_and_others_go_on(
    db: Database, broker: MemoryBroker, heard: Heard, poison: Message, why: tuple[str, str]
) -> None:
    before, behind = (
        [message(changed(f"b{n}", 1)) for n in range(20)],
        [message(changed(f"c{n}", 1)) for n in range(20)],
    )
    await publish(broker, *before, poison, *behind)
    await _consume_all(db, broker, heard)
    (letter,) = await dead_letters.list_(db, limit=10)
    assert len(await effects(db)) == 40
    assert (letter.key, letter.value, letter.headers) == (poison.key, poison.value, poison.headers)
    assert (letter.consumer, letter.topic, letter.code, letter.attempts) == ("probe", "hanro.probe", why[0], 1)
    assert why[1] in letter.cause
    assert (heard.applied, heard.dead) == (40, 1)


async def test_a_cause_that_cannot_be_stored_as_it_is_stops_nobody(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    def refuse(_known: int | None, received: Received) -> tuple[Received, int]:
        if received.fact.id == "prb_x":
            raise Rejected("half of \ud83d and a \0", code="refused")
        return received, 1

    await publish(broker, message(changed("a", 1)), message(changed("x", 1)), message(changed("b", 1)))
    await _consume_all(db, broker, heard, counting(decide=refuse))
    (letter,) = await dead_letters.list_(db, limit=10)
    assert (letter.code, letter.cause) == ("refused", "half of ? and a �")
    assert len(await effects(db)) == 2


async def test_poison_that_comes_again_is_the_same_letter(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    await publish(broker, message(changed("x", 1, amount=13)))
    for _ in range(2):
        await _consume_all(db, broker, heard)
        broker.groups["probe"].committed.clear()
    (letter,) = await dead_letters.list_(db, limit=10)
    assert letter.attempts == 2


async def test_a_hundred_equal_poisons_are_a_hundred_letters(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    await publish(broker, *([Message("hanro.probe", b"k", b"?", HEADERS)] * 100))
    await _consume_all(db, broker, heard)
    assert len(await dead_letters.list_(db, limit=200)) == 100


async def test_the_newer_version_behind_poison_takes_effect(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    await publish(broker, message(changed("a", 1, amount=13)))
    await _consume_all(db, broker, heard)
    await publish(broker, message(changed("a", 2, amount=7)))
    await _consume_all(db, broker, heard)
    assert await effects(db) == {"a": Effect(2, 7, 1)}


async def test_a_database_that_breaks_in_a_batch_is_waited_for(
    db: Database, broker: MemoryBroker, heard: Heard, urls: SchemaUrls
) -> None:
    tries: list[int] = []

    async def store_after_cuts(tx: Transaction, changes: Sequence[tuple[Received, int]]) -> None:
        tries.append(1)
        await store(tx, changes)
        if len(tries) <= 3:
            await terminate_backends(urls.runtime)

    await publish(broker, *(message(changed(n, 1)) for n in range(100)))
    await _consume_all(db, broker, heard, counting(apply=store_after_cuts))
    assert set((await effects(db)).values()) == {Effect(1, 1, 1)}
    assert (heard.pauses, heard.dead, len(tries)) == (["database"] * 3, 0, 4)


async def test_what_was_read_ahead_of_a_failed_batch_comes_again_too(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    tries: list[int] = []

    async def store_sometimes(tx: Transaction, changes: Sequence[tuple[Received, int]]) -> None:
        tries.append(len(changes))
        await store(tx, changes)
        if len(tries) in {1, 3, 4}:
            raise Retryable("not yet", code="unavailable")

    await publish(broker, *(message(changed(n, 1)) for n in range(1700)))
    await _consume_all(db, broker, heard, counting(apply=store_sometimes))
    found = await effects(db)
    assert (len(found), set(found.values())) == (1700, {Effect(1, 1, 1)})
    assert (heard.applied, heard.stale, len(heard.pauses)) == (1700, 0, 3)


async def test_a_deadlock_repeats_the_whole_batch(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    tries: list[int] = []

    async def store_after_conflict(tx: Transaction, changes: Sequence[tuple[Received, int]]) -> None:
        tries.append(len(changes))
        await store(tx, changes)
        if len(tries) == 1:
            await tx.execute("do $$ begin raise exception using errcode = '40P01'; end $$")

    await publish(broker, *(message(changed(n, 1)) for n in range(10)))
    await _consume_all(db, broker, heard, counting(apply=store_after_conflict))
    assert (tries, heard.applied, heard.dead, heard.pauses) == ([10, 10], 10, 0, [])


async def test_what_asks_for_later_comes_again_and_is_no_dead_letter(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    tries: list[int] = []

    def decide_later(known: int | None, received: Received) -> tuple[Received, int]:
        tries.append(1)
        if len(tries) < 3:
            raise Retryable("not yet", code="unavailable")
        return amount_of(known, received)

    await publish(broker, message(changed("a", 1)))
    await _consume_all(db, broker, heard, counting(decide=decide_later))
    assert (heard.pauses, heard.applied, heard.dead) == (["retryable"] * 2, 1, 0)


async def test_wrong_sql_ends_the_consumer_and_buries_nothing(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    async def store_nowhere(tx: Transaction, _changes: Sequence[tuple[Received, int]]) -> None:
        await tx.execute("insert into nowhere values (1)")

    await publish(broker, message(changed("a", 1)))
    with pytest.raises(asyncpg.UndefinedTableError):
        await _run(db, broker, heard, counting(apply=store_nowhere), asyncio.Event())
    assert await dead_letters.list_(db, limit=10) == []
    assert broker.groups["probe"].committed == {}


async def test_a_broker_that_is_away_is_waited_for(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    async def has_waited() -> bool:
        return "broker" in heard.pauses

    await publish(broker, message(changed("a", 1)))
    broker.is_away = True
    async with running(_consumer(db, broker, heard)):
        await until(has_waited)
        broker.is_away = False
        await until(_is_read(broker))
    assert await effects(db) == {"a": Effect(1, 1, 1)}


async def test_two_consumers_that_handle_the_same_batch_apply_it_once(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    twin = MemoryBroker()
    for one in (broker, twin):
        await publish(one, *(message(changed(n, version)) for version in (1, 2) for n in range(50)))
    async with running(_consumer(db, broker, heard), _consumer(db, twin, heard)):
        await until(_is_read(broker))
        await until(_is_read(twin))
    assert set((await effects(db)).values()) == {Effect(2, 1, 1)}
    assert (heard.applied, heard.stale) == (50, 50)


async def test_two_subscriptions_each_have_their_effect(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    await publish(broker, message(changed("a", 1)))
    await _consume_all(db, broker, heard)
    other = MemoryBroker()
    other.logs, other.groups["probe"] = broker.logs, other.groups["other"]
    async with running(_consumer(db, other, heard, counting("other"))):
        await until(_is_read(other))
    assert (await effects(db))["a"].applied_count == 2


async def test_a_batch_in_hand_is_stored_and_committed_before_the_partition_goes(
    db: Database, broker: MemoryBroker, heard: Heard
) -> None:
    is_in_hand, may_go_on = asyncio.Event(), asyncio.Event()

    async def store_slowly(tx: Transaction, changes: Sequence[tuple[Received, int]]) -> None:
        await store(tx, changes)
        is_in_hand.set()
        await may_go_on.wait()

    seen: list[Record] = []
    await publish(broker, *(message(changed(n, 1)) for n in range(30)))
    async with running(_consumer(db, broker, heard, counting(apply=store_slowly))):
        await asyncio.wait_for(is_in_hand.wait(), 10)

        async def pass_by(_partitions: object) -> None:
            """Let them go."""

        second = broker.consumer("probe", ["hanro.probe"], pass_by)
        joining = asyncio.ensure_future(second.start())
        await asyncio.sleep(0.2)
        assert not joining.done()
        may_go_on.set()
        await asyncio.wait_for(joining, 10)
        seen += await second.fetch(limit=100, timeout_seconds=0.3)
        await second.close()
    assert (seen, len(await effects(db))) == ([], 30)


async def test_what_was_read_ahead_is_left_to_the_next_owner(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    is_in_hand, may_go_on = asyncio.Event(), asyncio.Event()
    applied: set[str] = set()

    async def store_slowly(tx: Transaction, changes: Sequence[tuple[Received, int]]) -> None:
        is_in_hand.set()
        await may_go_on.wait()
        await store(tx, changes)
        applied.update(received.fact.id for received, _ in changes)

    async def pass_by(_partitions: object) -> None:
        """Let them go."""

    await publish(broker, *(message(changed(n, 1)) for n in range(1000)))
    second = broker.consumer("probe", ["hanro.probe"], pass_by)
    async with running(_consumer(db, broker, heard, counting(apply=store_slowly))):
        await asyncio.wait_for(is_in_hand.wait(), 10)
        await asyncio.sleep(0.2)
        joining = asyncio.ensure_future(second.start())
        await asyncio.sleep(0.1)
        may_go_on.set()
        await asyncio.wait_for(joining, 10)
        theirs = await second.fetch(limit=1000, timeout_seconds=1.0)
        await asyncio.sleep(0.5)
    await second.close()
    assert len(applied) + len(theirs) == 1000
    assert not applied & {(record.key or b"").decode() for record in theirs}


async def test_a_redelivery_after_the_commit_is_known_already(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    await publish(broker, *(message(changed(n, 1)) for n in range(10)))
    await _consume_all(db, broker, heard)
    # As a process that died between its commit and the offsets' leaves it.
    broker.groups["probe"].committed.clear()
    await publish(broker, *(message(changed(n, 2, amount=2)) for n in range(5)))
    await _consume_all(db, broker, heard)
    found = await effects(db)
    assert [found[str(n)].applied_count for n in range(10)] == [2] * 5 + [1] * 5


async def test_stopping_finishes_the_batch_in_hand(db: Database, broker: MemoryBroker, heard: Heard) -> None:
    stopped = asyncio.Event()

    async def store_and_stop(tx: Transaction, changes: Sequence[tuple[Received, int]]) -> None:
        stopped.set()
        await asyncio.sleep(0.2)
        await store(tx, changes)

    await publish(broker, *(message(changed(n, 1)) for n in range(10)))
    await asyncio.wait_for(_run(db, broker, heard, counting(apply=store_and_stop), stopped), 20)
    assert len(await effects(db)) == 10
    assert await _is_read(broker)()
