"""Which servers answer is told by a gauge, also while nobody needs them: a real Postgres, the broker in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from hanro.db import Database, connect
from hanro.metrics import new_registry
from hanro.servers import KAFKA, POSTGRES, WATCH_SECONDS, ServersUp, watch
from hanro.testing.clock import FixedClock
from hanro.testing.memory_broker import MemoryBroker
from hanro.testing.probe import AT, create_probe_tables, until
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_probe_tables)


@pytest.fixture
def registry() -> CollectorRegistry:
    return new_registry()


@contextlib.asynccontextmanager
async def watched(db: Database, broker: MemoryBroker, registry: CollectorRegistry) -> AsyncIterator[FixedClock]:
    stop, clock = asyncio.Event(), FixedClock(AT)
    async with asyncio.TaskGroup() as group:
        group.create_task(watch(db, broker, ServersUp(registry), clock=clock, stop=stop))
        yield clock
        stop.set()
    await db.close()


async def asked(clock: FixedClock) -> None:
    """Wait until the servers were asked; the next turn begins when the clock is moved."""

    async def rests() -> bool:
        return bool(clock.sleeper_count)

    await until(rests)


def up(registry: CollectorRegistry, server: str) -> float | None:
    return registry.get_sample_value("hanro_server_up", {"server": server})


async def test_a_broker_that_goes_away_and_comes_back_is_told_though_nobody_needs_it(
    urls: SchemaUrls, registry: CollectorRegistry
) -> None:
    broker, seen = MemoryBroker(), []
    async with watched(connect(urls.runtime, schema="probe"), broker, registry) as clock:
        for is_away in (False, True, False):
            await asked(clock)
            broker.is_away = is_away
            clock.advance(WATCH_SECONDS)
            await asked(clock)
            seen.append((up(registry, KAFKA), up(registry, POSTGRES)))
    assert seen == [(1.0, 1.0), (0.0, 1.0), (1.0, 1.0)]


async def test_a_database_that_nobody_reaches_is_told_and_the_watch_goes_on(
    registry: CollectorRegistry, unused_tcp_port: int
) -> None:
    nowhere = connect(f"postgresql://probe@127.0.0.1:{unused_tcp_port}/probe", schema="probe")
    async with watched(nowhere, MemoryBroker(), registry) as clock:
        for _ in range(2):
            await asked(clock)
            assert (up(registry, POSTGRES), up(registry, KAFKA)) == (0.0, 1.0)
            clock.advance(WATCH_SECONDS)
