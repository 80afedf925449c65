"""Moves leaders and coordinators between two brokers while facts are published and consumed: fault 14."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import pytest
from fault_cluster import KILLED, MOVING, REPLICAS, STEADY, TOLD, Cluster
from fault_forms import form

from hanro import inbox, outbox
from hanro.broker import KafkaBroker
from hanro.clock import SystemClock
from hanro.consume import Subscription, consume
from hanro.db import Database, Transaction, connect
from hanro.events.envelope import Received
from hanro.testing.probe import (
    Heard,
    changed,
    counting,
    create_probe_tables,
    message,
    publish,
    running,
    store,
    until,
)
from hanro_local.databases import SchemaUrls

CLOCK = SystemClock()
KEYS = 24
# No partition may stand still for longer (I11).
BLOCKED_SECONDS = 90.0
STOPS = form(short=(KILLED,), whole=(KILLED, TOLD, KILLED))

Change = tuple[Received, int]


def prepare(urls: SchemaUrls) -> None:
    """Make the probe's tables, and one that keeps each effect for itself."""
    create_probe_tables(urls)
    asyncio.run(_keep_effects(urls))


async def _keep_effects(urls: SchemaUrls) -> None:
    connection = await asyncpg.connect(urls.owner)
    try:
        await connection.execute(
            f'create table "{urls.schema}".each_effect (place bigint generated always as identity (cache 1),'
            " aggregate_id text not null, version bigint not null)"
        )
    finally:
        await connection.close()


pytestmark = [pytest.mark.fault, pytest.mark.schema("probe", prepare)]


async def _apply(tx: Transaction, changes: Sequence[Change]) -> None:
    await store(tx, changes)
    await tx.execute(
        "insert into each_effect (aggregate_id, version) select * from unnest($1::text[], $2::bigint[])",
        [received.fact.id for received, _ in changes],
        [received.fact.version for received, _ in changes],
    )


def _subscription() -> Subscription[int, Change]:
    return counting(apply=_apply)


async def _each_effect(db: Database) -> list[tuple[str, int]]:
    async with db.begin() as tx:
        rows = await tx.fetch("select aggregate_id, version from each_effect order by place")
    return [(row["aggregate_id"], row["version"]) for row in rows]


@asynccontextmanager
async def _two_processes(urls: SchemaUrls, broker: KafkaBroker, heard: Heard) -> AsyncIterator[Database]:
    """Run a relay, and two members of one group with a pool each."""
    opened = [connect(urls.runtime, schema="probe") for _ in range(2)]
    relay = outbox.Relay(opened[0], broker, source="/probe-svc", clock=CLOCK, observer=heard)
    members = [partial(_consume, db, broker, heard) for db in opened]
    try:
        async with running(relay.run, *members):
            yield opened[0]
    finally:
        for db in opened:
            await db.close()


async def _consume(db: Database, broker: KafkaBroker, heard: Heard, stop: asyncio.Event) -> None:
    await consume(db, broker, _subscription(), clock=CLOCK, stop=stop, observer=heard)


class _Load:
    """Record facts of all keys, one version after the other."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.version = 0

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.more()
            await asyncio.sleep(0.1)

    async def more(self) -> None:
        self.version += 1
        async with self._db.begin() as tx:
            await outbox.record(tx, *(changed(key, self.version) for key in range(KEYS)))

    async def reach(self, *, more: int = 0) -> None:
        """Wait until what is recorded now, or so many versions later, has its effect for every key."""
        wanted = self.version + more

        async def is_there() -> bool:
            async with self._db.begin() as tx:
                rows = await tx.fetch("select count(*) from effects where version >= $1", wanted)
            return bool(rows[0][0] == KEYS)

        await until(is_there, BLOCKED_SECONDS)


async def test_effects_happen_once_and_in_order_while_leaders_and_the_coordinator_move(
    urls: SchemaUrls, cluster: Cluster, note: Callable[[str, object], None]
) -> None:
    prefix = await cluster.group_of(MOVING)
    broker = KafkaBroker(cluster.bootstrap, topic_prefix=prefix, group_prefix=prefix, replica_count=REPLICAS)
    topic, group = f"{prefix}hanro.probe", f"{prefix}probe"
    heard, longest = Heard(), 0.0
    async with _two_processes(urls, broker, heard) as db:
        load = _Load(db)
        await load.more()
        await load.reach()
        async with running(load.run):
            for number in STOPS:
                # Both lead, and the group belongs to the one that goes.
                await cluster.await_leader(MOVING, topic, group, is_alone=False)
                await load.reach()
                began = time.monotonic()
                cluster.stop_moving(number)
                await load.reach(more=2)
                longest = max(longest, time.monotonic() - began)
                await cluster.await_leader(STEADY, topic, group, is_alone=True)
                await asyncio.to_thread(cluster.bring_back)
                await cluster.await_leader(MOVING, topic, group, is_alone=False)
        await load.reach()
        found = await _each_effect(db)
    note("seconds until effects went on behind a stop", round(longest, 1))
    assert heard.dead == 0
    assert not heard.refusals
    _check(found, load.version)


async def test_without_an_inbox_a_fact_that_comes_again_is_seen_as_a_second_effect(
    urls: SchemaUrls, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_all(_tx: Transaction, _consumer: str, versions: dict[str, int]) -> dict[str, None]:
        return dict.fromkeys(versions)

    monkeypatch.setattr(inbox, "take", take_all)
    prefix = await cluster.group_of(STEADY)
    broker = KafkaBroker(cluster.bootstrap, topic_prefix=prefix, group_prefix=prefix, replica_count=REPLICAS)
    async with _two_processes(urls, broker, Heard()) as db:
        load = _Load(db)
        await load.more()
        await load.reach()
        await publish(broker, message(changed(0, 1)))

        async def is_double() -> bool:
            return len(await _each_effect(db)) > KEYS

        await until(is_double)
        found = await _each_effect(db)
    with pytest.raises(AssertionError, match="twice"):
        _check(found, 1)


def _check(found: list[tuple[str, int]], last: int) -> None:
    """Check that each fact had its effect once at most, never an older behind a newer, and the last of each key."""
    twice = [effect for effect, count in Counter(found).items() if count > 1]
    assert twice == [], "twice"
    newest: dict[str, int] = {}
    for key, version in found:
        assert newest.get(key, 0) < version, "went back"
        newest[key] = version
    assert newest == {f"prb_{key}": last for key in range(KEYS)}
