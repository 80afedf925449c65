"""What a broker lost is told again from the archive, once, and nothing is where nothing was lost."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from hanro import archive, operations, outbox
from hanro.broker import Partition
from hanro.clock import SystemClock
from hanro.consume import consume
from hanro.db import Database
from hanro.outbox import Relay
from hanro.replays import Replayer
from hanro.restoring import Restorer
from hanro.testing.memory_broker import MemoryBroker
from hanro.testing.probe import changed, counting, create_probe_tables, effects, running, until

pytestmark = pytest.mark.schema("probe", create_probe_tables)

CLOCK = SystemClock()
TOPIC = "hanro.probe"
KEYS = "abcdef"


class SlowBroker(MemoryBroker):
    """Lets something happen between the question for ends and its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def ends(self, topics: Sequence[str]) -> Mapping[Partition, int]:
        """Answer late what was so at the question."""
        found = await super().ends(topics)
        self.asked.set()
        await self.may_answer.wait()
        return found


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


def _restorer(db: Database, broker: MemoryBroker) -> Restorer:
    return Restorer(db, broker, [TOPIC], service="probe-svc", clock=CLOCK)


async def _publish(db: Database, broker: MemoryBroker, version: int) -> None:
    async with db.begin() as tx:
        await outbox.record(tx, *(changed(key, version, amount=version) for key in KEYS))

    async def is_published() -> bool:
        async with db.begin() as tx:
            return await outbox.backlog(tx) == 0

    async with running(Relay(db, broker, source="/probe-svc", clock=CLOCK).run):
        await until(is_published)


async def test_facts_that_nobody_read_before_the_loss_take_effect_and_others_not_again(
    db: Database, broker: MemoryBroker
) -> None:
    async def consumer(stop: asyncio.Event) -> None:
        await consume(db, broker, counting(), clock=CLOCK, stop=stop)

    async def all_have(version: int) -> bool:
        found = await effects(db)
        return len(found) == len(KEYS) and {one.version for one in found.values()} == {version}

    await _publish(db, broker, 1)
    async with running(consumer):
        await until(lambda: all_have(1))
    await _publish(db, broker, 2)
    assert await _restorer(db, broker).look() == []
    broker.logs.clear()
    broker.groups.clear()
    assert await _restorer(db, broker).look() == [TOPIC]
    async with running(Replayer(db, broker, CLOCK).run, consumer):
        await until(lambda: all_have(2))
    assert {one.applied_count for one in (await effects(db)).values()} == {2}


async def test_a_loss_is_told_again_once_however_many_look(db: Database, broker: MemoryBroker) -> None:
    await _publish(db, broker, 1)
    restorers = [_restorer(db, broker) for _ in range(4)]
    await restorers[0].look()
    broker.logs.clear()
    found = await asyncio.gather(*(one.look() for one in restorers))
    assert sorted(found) == [[], [], [], [TOPIC]]
    assert [await one.look() for one in restorers] == [[], [], [], []]


async def test_a_single_partition_that_is_shorter_is_a_loss(db: Database, broker: MemoryBroker) -> None:
    await _publish(db, broker, 1)
    await _restorer(db, broker).look()
    next(log for log in broker.logs[TOPIC] if log).pop()
    assert await _restorer(db, broker).look() == [TOPIC]


async def test_who_looked_before_others_published_more_takes_nothing_for_lost(db: Database) -> None:
    broker = SlowBroker()
    await _publish(db, broker, 1)
    async with asyncio.TaskGroup() as group:
        late = group.create_task(_restorer(db, broker).look())
        await broker.asked.wait()
        await _publish(db, broker, 2)
        broker.may_answer.set()
        await _restorer(db, broker).look()
    assert late.result() == []
    assert await _restorer(db, broker).look() == []


async def test_what_the_broker_had_taken_before_its_loss_is_told_again_though_it_was_archived_later(
    db: Database, broker: MemoryBroker
) -> None:
    async def is_waited_for() -> bool:
        async with db.begin() as tx:
            return bool(await tx.fetch(_WAITING))

    await _publish(db, broker, 1)
    await _restorer(db, broker).look()
    broker.logs.clear()
    async with asyncio.TaskGroup() as group, db.begin() as relaying:
        await outbox.wait_for_lane(relaying)
        group.create_task(_restorer(db, broker).look())
        await until(is_waited_for)
        await outbox.record(relaying, changed("late", 1))
        rows = await relaying.fetch("select id from outbox")
        await archive.move(relaying, [row["id"] for row in rows], "/probe-svc")
    async with db.begin() as tx:
        (asked,) = await operations.list_(tx, limit=10)
    assert (asked.subject_id, asked.asked["until"]) == (TOPIC, len(KEYS) + 1)


_WAITING = """
    select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())
"""
