"""The outbox and its relay, with a real Postgres: nothing lost, nothing invented, order per key, one lane."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import asyncpg
import pytest

from hanro import archive, outbox
from hanro.broker import Message, Record, Refused
from hanro.clock import Clock, SystemClock
from hanro.db import Database, connect
from hanro.errors import ContractBroken
from hanro.events.envelope import decode
from hanro.events.fact import Fact
from hanro.ids import is_id
from hanro.testing.clock import FixedClock
from hanro.testing.memory_broker import MemoryBroker
from hanro.testing.probe import AT, Heard, ProbeChanged, changed, create_probe_tables, running, until
from hanro.testing.schemas import terminate_backends
from hanro.trace import following
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_probe_tables)

CLOCK = SystemClock()


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


def _relay(db: Database, broker: MemoryBroker, heard: Heard | None = None, clock: Clock = CLOCK) -> outbox.Relay:
    return outbox.Relay(db, broker, source="/probe-svc", clock=clock, observer=heard)


async def _record(db: Database, *facts: Fact) -> None:
    async with db.begin() as tx:
        await outbox.record(tx, *facts)


async def _count(db: Database, table: str = "outbox") -> int:
    # Outside of a transaction: where connections are cut inside of one, that is the relay's.
    async with db.statements() as statements:
        return int((await statements.fetch(f"select count(*) from {table}"))[0][0])  # noqa: S608  names of this file


def _log(broker: MemoryBroker) -> list[Record]:
    return [record for log in broker.logs.get("hanro.probe", []) for record in log]


def _versions(broker: MemoryBroker, key: str) -> list[int]:
    facts = [decode(record.headers, record.value or b"", {ProbeChanged.type: ProbeChanged}) for record in _log(broker)]
    return [received.fact.version for received in facts if received is not None and received.fact.id == f"prb_{key}"]


async def _drained(db: Database) -> bool:
    return await _count(db) == 0


async def test_a_recorded_fact_is_published_once_and_leaves_the_outbox(db: Database, broker: MemoryBroker) -> None:
    with following("cor_1", causation="evt_0"):
        await _record(db, changed("a", 1))
    async with running(_relay(db, broker).run):
        await until(lambda: _drained(db))
    (record,) = _log(broker)
    received = decode(record.headers, record.value or b"", {ProbeChanged.type: ProbeChanged})
    assert received is not None
    assert is_id(received.event_id, "evt")
    assert (received.fact, received.source, received.correlation_id, received.causation_id, record.key) == (
        changed("a", 1),
        "/probe-svc",
        "cor_1",
        "evt_0",
        b"prb_a",
    )


async def test_a_rolled_back_transaction_publishes_nothing(db: Database, broker: MemoryBroker) -> None:
    async with running(_relay(db, broker).run):
        with pytest.raises(ZeroDivisionError):  # noqa: PT012  the block is the case
            async with db.begin() as tx:
                await outbox.record(tx, changed("a", 1))
                raise ZeroDivisionError
        await _record(db, changed("b", 1))
        await until(lambda: _drained(db))
    assert [record.key for record in _log(broker)] == [b"prb_b"]


async def test_facts_of_a_key_are_published_in_the_order_of_recording(db: Database, broker: MemoryBroker) -> None:
    for version in range(1, 41):
        await _record(db, *(changed(key, version) for key in "abcde"))
    async with running(_relay(db, broker).run):
        await until(lambda: _drained(db))
    assert {key: _versions(broker, key) for key in "abcde"} == {key: list(range(1, 41)) for key in "abcde"}


async def test_recording_nothing_writes_nothing(db: Database) -> None:
    await _record(db)
    assert await _count(db) == 0


class Swollen(Fact):
    """A fact that is too large."""

    type: ClassVar[str] = "hanro.probe.swollen.v1"
    topic: ClassVar[str] = "hanro.probe"

    text: str
    """Anything."""


async def test_a_fact_over_900_kb_is_refused_before_it_is_written(db: Database) -> None:
    with pytest.raises(ContractBroken) as caught:
        await _record(db, Swollen(id="prb_a", version=1, at=AT, text="x" * 950_000))
    assert (caught.value.code, await _count(db)) == ("too-large", 0)


async def test_many_relays_at_once_publish_each_fact_once(urls: SchemaUrls, broker: MemoryBroker) -> None:
    opened = [connect(urls.runtime, schema="probe", pool_size=2) for _ in range(4)]
    try:
        async with running(*(_relay(db, broker).run for db in opened)):
            for version in range(1, 31):
                await asyncio.gather(*(_record(db, changed(place, version)) for place, db in enumerate(opened)))
            await until(lambda: _drained(opened[0]))
        assert [_versions(broker, str(place)) for place in range(4)] == [list(range(1, 31))] * 4
    finally:
        for db in opened:
            await db.close()


async def test_who_does_not_have_the_lane_waits_without_a_lock(db: Database, broker: MemoryBroker) -> None:
    clock = FixedClock()
    async with running(_relay(db, broker, clock=clock).run):
        async with db.begin() as other:
            await other.fetch("select pg_advisory_xact_lock(hashtextextended('hanro outbox probe', 0))")
            await _record(db, changed("a", 1))
            await asyncio.sleep(0.3)
            waiting = await other.fetch(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )
            assert (waiting, _log(broker)) == ([], [])
        # Asked again after 15 ms until it was had, not at the next poll, after 400 ms at the earliest.
        for _ in range(10):
            clock.advance(0.02)
            await asyncio.sleep(0.1)
        assert await _drained(db)


async def test_a_relay_hears_this_process_at_once_and_others_by_polling(db: Database, broker: MemoryBroker) -> None:
    clock = FixedClock()
    async with running(_relay(db, broker, clock=clock).run):
        await _record(db, changed("a", 1))
        await until(lambda: _drained(db))
        async with db.begin() as tx:
            # As another process would: no signal here.
            await tx.execute(
                "insert into outbox (event_id, topic, type, key, headers, value)"
                " values ('evt_x', 'hanro.probe', 'x', 'prb_b', '{}', '')"
            )
        await asyncio.sleep(0.2)
        assert not await _drained(db)
        clock.advance(0.6)
        await until(lambda: _drained(db))


async def test_what_was_sent_without_commit_is_sent_again_in_order(
    db: Database, broker: MemoryBroker, urls: SchemaUrls
) -> None:
    await _record(db, *(changed("a", version) for version in range(1, 6)))
    is_cut = asyncio.Event()

    class Cutting(MemoryBroker):
        """Has the relay's backend terminated between the acknowledgement and the delete."""

        def producer(self) -> "CutProducer":
            return CutProducer()

    class CutProducer:
        """Sends by the twin, then cuts once."""

        def __init__(self) -> None:
            self._inner = broker.producer()

        async def start(self) -> None:
            await self._inner.start()

        async def send_all(self, messages: Sequence[Message], *, timeout_seconds: float) -> list[Refused | None]:
            answers = await self._inner.send_all(messages, timeout_seconds=timeout_seconds)
            if not is_cut.is_set():
                is_cut.set()
                await terminate_backends(urls.runtime, state="idle in transaction")
            return answers

        async def flush(self, *, timeout_seconds: float) -> None:
            await self._inner.flush(timeout_seconds=timeout_seconds)

        async def close(self) -> None:
            await self._inner.close()

    cutting = Cutting()
    cutting.logs = broker.logs
    heard = Heard()
    async with running(_relay(db, cutting, heard).run):
        await until(lambda: _drained(db))
    assert _versions(broker, "a") == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
    assert heard.pauses == ["database"]
    assert [event.position for event in await archive.events_after(db, 0, 100)] == [1, 2, 3, 4, 5]


async def test_a_broker_that_is_away_is_waited_for_and_nothing_is_lost(db: Database, broker: MemoryBroker) -> None:
    broker.is_away = True
    heard = Heard()
    await _record(db, changed("a", 1))

    async def has_waited() -> bool:
        return len(heard.pauses) >= 2

    async with running(_relay(db, broker, heard).run):
        await until(has_waited)
        await _record(db, changed("a", 2))
        broker.is_away = False
        await until(lambda: _drained(db))
        broker.is_away = True
        await _record(db, changed("a", 3))
        heard.pauses.clear()
        await until(has_waited)
        broker.is_away = False
        await until(lambda: _drained(db))
    assert _versions(broker, "a") == [1, 2, 3]


async def test_topics_that_a_broker_lost_are_made_again(db: Database, broker: MemoryBroker) -> None:
    await _record(db, changed("a", 1))
    async with running(_relay(db, broker).run):
        await until(lambda: _drained(db))
        broker.logs.clear()
        await _record(db, changed("a", 2))
        await until(lambda: _drained(db))
    assert _versions(broker, "a") == [2]


async def test_a_row_that_the_broker_refuses_for_good_is_put_aside(db: Database, broker: MemoryBroker) -> None:
    heard = Heard()
    await _record(db, changed("a", 1), changed("b", 1))
    async with db.begin() as tx:
        await tx.execute("update outbox set value = convert_to(repeat('x', 1100000), 'UTF8') where key = 'prb_a'")
    async with running(_relay(db, broker, heard).run):
        await until(lambda: _drained(db))
    assert [record.key for record in _log(broker)] == [b"prb_b"]
    assert (await _count(db, "outbox_dead"), heard.refusals, heard.published_count) == (1, [ProbeChanged.type], 1)


async def test_positions_of_the_archive_have_no_gap_and_no_twin(urls: SchemaUrls, broker: MemoryBroker) -> None:
    opened = [connect(urls.runtime, schema="probe", pool_size=2) for _ in range(3)]
    try:
        async with running(*(_relay(db, broker).run for db in opened)):
            for version in range(1, 21):
                await asyncio.gather(*(_record(db, changed(place, version)) for place, db in enumerate(opened)))
            await until(lambda: _drained(opened[0]))
        events = await archive.events_after(opened[0], 0, 1000)
        assert [event.position for event in events] == list(range(1, 61))
        assert [event.position for event in await archive.events_after(opened[0], 57, 2)] == [58, 59]
        assert (events[0].source, dict(events[0].headers)["ce_source"]) == ("/probe-svc", b"/probe-svc")
        assert ProbeChanged.model_validate_json(events[0].data).version == 1
        assert await archive.oldest_position(opened[0]) == 1
    finally:
        for db in opened:
            await db.close()


async def test_pruning_keeps_thirty_days_and_makes_the_next(
    db: Database, broker: MemoryBroker, urls: SchemaUrls
) -> None:
    await _record(db, changed("a", 1))
    async with running(_relay(db, broker).run):
        await until(lambda: _drained(db))
        assert await db.run(archive.prune) == 0
        for days, kept in ((29, 1), (33, 0)):
            await _move_clock(urls, timedelta(days=days))
            await db.run(archive.prune)
            assert len(await archive.events_after(db, 0, 10)) == kept
        # Positions go on where they were.
        await _record(db, changed("a", 2))
        await until(lambda: _drained(db))
    assert [event.position for event in await archive.events_after(db, 0, 10)] == [2]


async def test_a_day_without_partition_is_made_when_it_comes(
    db: Database, broker: MemoryBroker, urls: SchemaUrls
) -> None:
    await _move_clock(urls, timedelta(days=20))
    await _record(db, changed("a", 1))
    async with running(_relay(db, broker).run):
        await until(lambda: _drained(db))
    assert len(await archive.events_after(db, 0, 10)) == 1


async def test_the_backlog_is_counted_up_to_a_limit(db: Database) -> None:
    await _record(db, *(changed("a", version) for version in range(1, 8)))
    async with db.begin() as tx:
        assert (await outbox.backlog(tx), await outbox.backlog(tx, most=5)) == (7, 5)


async def _move_clock(urls: SchemaUrls, by: timedelta) -> None:
    owner = await asyncpg.connect(urls.owner)
    await owner.execute("update probe.clock_offset set seconds = $1", by.total_seconds())
    await owner.close()
