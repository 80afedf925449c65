"""From a commit in one place to its effect in another, over the real broker: restarts, rebalances, a kill."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from functools import partial

import pytest

from hanro import outbox
from hanro.broker import KafkaBroker, Record
from hanro.clock import SystemClock
from hanro.consume import consume
from hanro.db import Database, Transaction, connect
from hanro.events.envelope import Received, decode
from hanro.events.fact import Fact
from hanro.testing.probe import (
    Effect,
    Heard,
    ProbeChanged,
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
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_probe_tables)

CLOCK = SystemClock()

RELAY = """
import asyncio, sys
from hanro.broker import KafkaBroker
from hanro.clock import SystemClock
from hanro.db import connect
from hanro.outbox import Relay

async def main():
    db = connect(sys.argv[1], schema="probe")
    broker = KafkaBroker(sys.argv[2], topic_prefix=sys.argv[3])
    await Relay(db, broker, source="/probe-svc", clock=SystemClock()).run(asyncio.Event())

asyncio.run(main())
"""


@pytest.fixture
def prefix() -> str:
    return f"t{secrets.token_hex(4)}."


@pytest.fixture
def broker(kafka_bootstrap: str, prefix: str) -> KafkaBroker:
    return KafkaBroker(kafka_bootstrap, topic_prefix=prefix, group_prefix=prefix)


async def _consume(db: Database, broker: KafkaBroker, heard: Heard, stop: asyncio.Event) -> None:
    await consume(db, broker, counting(), clock=CLOCK, stop=stop, observer=heard)


async def _record(db: Database, *facts: Fact) -> None:
    async with db.begin() as tx:
        await outbox.record(tx, *facts)


async def _has_effects(db: Database, count: int, version: int) -> bool:
    found = await effects(db)
    return len(found) == count and all(effect.version == version for effect in found.values())


async def _read_all(broker: KafkaBroker) -> list[Record]:
    async def pass_by(_partitions: object) -> None:
        """Let them go."""

    consumer = broker.consumer(f"reader.{secrets.token_hex(2)}", ["hanro.probe"], pass_by)
    await consumer.start()
    found: list[Record] = []
    try:
        while part := await consumer.fetch(limit=500, timeout_seconds=1.0):
            found += part
    finally:
        await consumer.close()
    return found


async def test_a_commit_here_takes_effect_there_once(db: Database, broker: KafkaBroker) -> None:
    heard = Heard()
    relay = outbox.Relay(db, broker, source="/probe-svc", clock=CLOCK, observer=heard)
    async with running(relay.run, partial(_consume, db, broker, heard)):
        for version in range(1, 6):
            await _record(db, *(changed(n, version, amount=version) for n in range(40)))
        await until(lambda: _has_effects(db, 40, 5))
    assert (heard.published_count, heard.dead, heard.gap_count) == (200, 0, 0)


async def test_members_that_come_and_go_apply_every_fact_once(urls: SchemaUrls, broker: KafkaBroker) -> None:
    heard = Heard()
    opened = [connect(urls.runtime, schema="probe") for _ in range(3)]
    is_done = asyncio.Event()

    async def produce(_stop: asyncio.Event) -> None:
        for version in range(1, 9):
            await publish(broker, *(message(changed(n, version, amount=version)) for n in range(60)))
            await asyncio.sleep(0.15)
        is_done.set()

    try:
        async with running(partial(_consume, opened[0], broker, heard), produce):
            for db in opened[1:]:
                async with running(partial(_consume, db, broker, heard)):
                    await asyncio.sleep(0.8)
            await is_done.wait()
            await until(lambda: _has_effects(opened[0], 60, 8))
        # Whatever was read twice around a rebalance was known already.
        found = await effects(opened[0])
        assert sum(effect.applied_count for effect in found.values()) == heard.applied
        assert heard.dead == 0
    finally:
        for db in opened:
            await db.close()


async def test_a_restart_loses_nothing_and_repeats_nothing(db: Database, broker: KafkaBroker) -> None:
    heard = Heard()
    await publish(broker, *(message(changed(n, 1)) for n in range(30)))
    async with running(partial(_consume, db, broker, heard)):
        await until(lambda: _has_effects(db, 30, 1))
    await publish(broker, *(message(changed(n, 2)) for n in range(30)))
    async with running(partial(_consume, db, broker, heard)):
        await until(lambda: _has_effects(db, 30, 2))
    assert set((await effects(db)).values()) == {Effect(2, 1, 2)}
    assert heard.stale == 0


async def test_a_member_that_dies_in_its_batch_leaves_it_to_the_next(urls: SchemaUrls, broker: KafkaBroker) -> None:
    heard, is_in_hand = Heard(), asyncio.Event()

    async def store_never(tx: Transaction, changes: Sequence[tuple[Received, int]]) -> None:
        await store(tx, changes)
        is_in_hand.set()
        await asyncio.Event().wait()

    first, second = connect(urls.runtime, schema="probe"), connect(urls.runtime, schema="probe")
    await publish(broker, *(message(changed(n, 1)) for n in range(30)))
    dying = asyncio.ensure_future(
        consume(first, broker, counting(apply=store_never), clock=CLOCK, stop=asyncio.Event(), observer=heard)
    )
    await asyncio.wait_for(is_in_hand.wait(), 20)
    dying.cancel()
    await asyncio.wait([dying])
    async with running(partial(_consume, second, broker, heard)):
        await until(lambda: _has_effects(second, 30, 1))
    assert set((await effects(second)).values()) == {Effect(1, 1, 1)}
    await first.close()
    await second.close()


async def test_a_relay_killed_after_the_acknowledgement_publishes_twice_with_one_effect(
    db: Database, urls: SchemaUrls, broker: KafkaBroker, kafka_bootstrap: str, prefix: str
) -> None:
    await _record(db, *(changed(n, 1) for n in range(20)))
    await _record(db, *(changed(n, 2) for n in range(20)))
    relay = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RELAY, urls.runtime, kafka_bootstrap, prefix),
        env={**os.environ, "HANRO_FAILPOINTS": "relay.after_ack=kill"},
    )
    assert await asyncio.wait_for(relay.wait(), 30) == -signal.SIGKILL
    heard = Heard()
    second = outbox.Relay(db, broker, source="/probe-svc", clock=CLOCK, observer=heard)
    async with running(second.run, partial(_consume, db, broker, heard)):
        await until(lambda: _has_effects(db, 20, 2))
    records = await _read_all(broker)
    wanted = {ProbeChanged.type: ProbeChanged}
    received = [fact for record in records if (fact := decode(record.headers, record.value or b"", wanted))]
    assert (len(records), len({fact.event_id for fact in received})) == (80, 40)
    for n in range(20):
        assert [fact.fact.version for fact in received if fact.fact.id == f"prb_{n}"] == [1, 2, 1, 2]
    assert sum(effect.applied_count for effect in (await effects(db)).values()) == heard.applied
