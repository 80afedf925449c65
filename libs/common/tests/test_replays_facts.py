"""Replays on a real Postgres: whole, in order, taken up where they stood, and harmless to who has it all already."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import asyncpg
import pytest

from hanro import archive, operations, outbox, replays
from hanro.broker import Message, Producer, Refused
from hanro.clock import SystemClock
from hanro.consume import consume
from hanro.db import Database
from hanro.operations import Operation, OperationStatus
from hanro.outbox import Relay
from hanro.replays import KIND, Replayer, Wish
from hanro.testing.memory_broker import MemoryBroker
from hanro.testing.probe import (
    ProbeChanged,
    changed,
    counting,
    create_probe_tables,
    effects,
    message,
    publish,
    running,
    until,
)
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_probe_tables)

CLOCK = SystemClock()
OURS = "replay.probe-1"


class Replayed(ProbeChanged):
    """The same fact, read from the topic of the replay."""

    topic: ClassVar[str] = OURS


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


async def _archive(db: Database, broker: MemoryBroker, *, versions: int = 3, keys: str = "abc") -> None:
    """Let facts be published once, as they are every day."""
    async with db.begin() as tx:
        facts = [changed(key, version, amount=version) for version in range(1, versions + 1) for key in keys]
        await outbox.record(tx, *facts)

    async def is_published() -> bool:
        async with db.begin() as tx:
            return await outbox.backlog(tx) == 0

    async with running(Relay(db, broker, source="/probe-svc", clock=CLOCK).run):
        await until(is_published)


async def _ask(db: Database, topic: str = OURS, *, after: int = 0, last: int | None = None) -> Operation:
    async with db.begin() as tx:
        return await replays.request(
            tx, Wish(topic=topic, source_topic="hanro.probe", after=after, until=last), by="tester"
        )


async def _look(db: Database, operation: Operation) -> Operation:
    async with db.begin() as tx:
        return await operations.get_(tx, operation.id)


async def _ended(db: Database, operation: Operation) -> Operation:
    async def has_ended() -> bool:
        return (await _look(db, operation)).status in {OperationStatus.APPLIED, OperationStatus.REJECTED}

    await until(has_ended)
    return await _look(db, operation)


def _sent(broker: MemoryBroker, key: str, topic: str = OURS) -> list[int]:
    records = [record for log in broker.logs.get(topic, []) for record in log]
    wanted = f"prb_{key}".encode()
    return [ProbeChanged.model_validate_json(record.value or b"").version for record in records if record.key == wanted]


def _event_ids(broker: MemoryBroker, topic: str) -> set[bytes]:
    return {dict(record.headers)["ce_id"] for log in broker.logs[topic] for record in log}


async def test_a_replay_sends_the_same_events_in_their_order_to_the_topic_that_was_named(
    db: Database, broker: MemoryBroker
) -> None:
    await _archive(db, broker)
    async with running(Replayer(db, broker, CLOCK).run):
        done = await _ended(db, await _ask(db))
    assert (done.status, done.answer) == (OperationStatus.APPLIED, {"position": 9, "published_count": 9})
    assert [_sent(broker, key) for key in "abc"] == [[1, 2, 3]] * 3
    assert _event_ids(broker, OURS) == _event_ids(broker, "hanro.probe")
    # What is replayed is no news: the archive keeps nothing of it.
    assert len(await archive.events_after(db, 0, 100)) == 9


async def test_a_replay_keeps_to_the_positions_that_were_asked_for(db: Database, broker: MemoryBroker) -> None:
    await _archive(db, broker)
    async with running(Replayer(db, broker, CLOCK).run):
        done = await _ended(db, await _ask(db, after=3, last=7))
    assert done.answer == {"position": 7, "published_count": 4}
    assert [_sent(broker, key) for key in "abc"] == [[2, 3], [2], [2]]


async def test_a_new_consumer_catches_up_by_a_replay_and_a_second_one_changes_nothing(
    db: Database, broker: MemoryBroker
) -> None:
    await _archive(db, broker)
    subscription = replace(counting("newcomer"), facts=(Replayed,))

    async def consumer(stop: asyncio.Event) -> None:
        await consume(db, broker, subscription, clock=CLOCK, stop=stop)

    async def has_caught_up() -> bool:
        return {key: found.version for key, found in (await effects(db)).items()} == dict.fromkeys("abc", 3)

    async with running(Replayer(db, broker, CLOCK).run, consumer):
        await _ended(db, await _ask(db))
        await until(has_caught_up)
        before = await effects(db)
        await _ended(db, await _ask(db))
        # Behind the second replay, in its partition: once this is there, the replay was read.
        for key in "abc":
            await publish(broker, replace(message(changed(key, 4, amount=4)), topic=OURS))

        async def has_read_all() -> bool:
            return {found.version for found in (await effects(db)).values()} == {4}

        await until(has_read_all)
    after = await effects(db)
    assert {key: found.applied_count - before[key].applied_count for key, found in after.items()} == dict.fromkeys(
        "abc", 1
    )


class _Dying(MemoryBroker):
    """Be a broker under a process that dies after it has sent a batch and before it has written so."""

    def producer(self) -> Producer:
        inner = super().producer()

        class _Producer:
            start, flush, close = inner.start, inner.flush, inner.close

            async def send_all(self, messages: Sequence[Message], *, timeout_seconds: float) -> list[Refused | None]:
                await inner.send_all(messages, timeout_seconds=timeout_seconds)
                raise asyncio.CancelledError

        return _Producer()


async def test_a_replay_whose_process_died_is_taken_up_where_it_stood(
    db: Database, broker: MemoryBroker, urls: SchemaUrls
) -> None:
    await _archive(db, broker)
    dying = _Dying()
    dying.logs = broker.logs
    asked = await _ask(db)
    with pytest.raises(asyncio.CancelledError):
        await Replayer(db, dying, CLOCK, batch=4).run(asyncio.Event())
    left = await _look(db, asked)
    assert (left.status, left.answer) == (OperationStatus.SENT, {"position": 0, "published_count": 0})
    assert await operations.claim_unsure(db, [KIND], limit=1, lease=timedelta(seconds=60)) == []
    await _move_clock(urls, replays.LEASE)
    async with running(Replayer(db, broker, CLOCK).run):
        done = await _ended(db, asked)
    assert done.answer == {"position": 9, "published_count": 9}
    # Sent twice is what had been sent when it died, and nothing else; the order of each key starts again there.
    assert [_sent(broker, key) for key in "abc"] == [[1, 2, 1, 2, 3], [1, 1, 2, 3], [1, 1, 2, 3]]


async def test_a_replay_that_is_stopped_is_given_back_between_two_batches(db: Database, broker: MemoryBroker) -> None:
    await _archive(db, broker)
    asked = await _ask(db)
    stop = asyncio.Event()

    class _Stopping(MemoryBroker):
        async def ensure_topics(self, names: Sequence[str], partitions: int = 12) -> None:
            await super().ensure_topics(names, partitions)
            stop.set()

    stopping = _Stopping()
    stopping.logs = broker.logs
    await Replayer(db, stopping, CLOCK, batch=2).run(stop)
    left = await _look(db, asked)
    assert (left.status, left.answer) == (OperationStatus.SENT, {"position": 2, "published_count": 2})
    async with running(Replayer(db, broker, CLOCK).run):
        await _ended(db, asked)
    assert [_sent(broker, key) for key in "abc"] == [[1, 2, 3]] * 3


async def test_a_broker_that_is_away_is_told_in_the_operation_and_waited_for(
    db: Database, broker: MemoryBroker
) -> None:
    await _archive(db, broker)
    broker.is_away = True
    asked = await _ask(db)

    async def is_told() -> bool:
        return bool((await _look(db, asked)).failure)

    async with running(Replayer(db, broker, CLOCK).run):
        await until(is_told)
        told = await _look(db, asked)
        broker.is_away = False
        done = await _ended(db, asked)
    assert (told.status, (told.failure or {})["code"]) == (OperationStatus.SENT, "unavailable")
    assert (done.status, done.failure) == (OperationStatus.APPLIED, None)
    assert [_sent(broker, key) for key in "abc"] == [[1, 2, 3]] * 3


async def test_two_workers_share_the_replays_and_do_each_once(db: Database, broker: MemoryBroker) -> None:
    await _archive(db, broker)
    async with running(*(Replayer(db, broker, CLOCK).run for _ in range(2))):
        asked = [await _ask(db, topic) for topic in (OURS, "replay.probe-2", OURS)]
        for operation in asked:
            assert (await _ended(db, operation)).status is OperationStatus.APPLIED
    assert _sent(broker, "a") == [1, 2, 3, 1, 2, 3]
    assert _sent(broker, "a", "replay.probe-2") == [1, 2, 3]


async def test_a_replay_of_what_is_no_longer_kept_says_so(db: Database, broker: MemoryBroker, urls: SchemaUrls) -> None:
    await _archive(db, broker)
    asked = await _ask(db, after=2)
    await _move_clock(urls, timedelta(days=33))
    await db.run(archive.prune)
    async with running(Replayer(db, broker, CLOCK).run):
        done = await _ended(db, asked)
    assert (done.status, (done.failure or {})["code"]) == (OperationStatus.REJECTED, "events-gone")


async def test_a_fact_that_the_broker_refuses_for_good_ends_the_replay(db: Database, broker: MemoryBroker) -> None:
    await _archive(db, broker)
    async with db.begin() as tx:
        await tx.execute("update archive set value = convert_to(repeat('x', 1100000), 'UTF8') where position = 5")
    async with running(Replayer(db, broker, CLOCK).run):
        done = await _ended(db, await _ask(db))
    assert (done.status, (done.failure or {})["code"]) == (OperationStatus.REJECTED, "refused")


async def _move_clock(urls: SchemaUrls, by: timedelta) -> None:
    owner = await asyncpg.connect(urls.owner)
    await owner.execute("update probe.clock_offset set seconds = $1", by.total_seconds())
    await owner.close()
