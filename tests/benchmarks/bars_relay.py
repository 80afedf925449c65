"""V9 and V10: how fast the relay drains an outbox, and how long a fact takes from commit to a consumer."""

import asyncio
import secrets
import statistics
import time

from bars_consume import StockTold, told
from bars_ingest import in_schema
from baselines import relay_lanes
from bench_places import Places, run
from bench_table import Row, limit, ratio

from hanro import outbox
from hanro.broker import KafkaBroker
from hanro.clock import SystemClock
from hanro.db import Database, connect
from hanro.outbox import Relay
from hanro_local.databases import SchemaUrls

ROWS = 10_000
ROW_BY_ROW = 500
PAGE = 500
REPETITIONS = 3
SECONDS = 120.0
RATE = 50
EVENTS = 200
REPLICAS = 10
TABLES = ("outbox", "archive")


class Published:
    """Be the observer that knows how fast rows left, from the end of the first batch on: then all is connected."""

    def __init__(self, count: int) -> None:
        self.done = asyncio.Event()
        self.left = count
        self.timed = 0
        self.started = self.rate = 0.0

    def published(self, count: int) -> None:
        """Count."""
        self.left -= count
        if not self.started:
            self.started, self.timed = time.perf_counter(), self.left
        if self.left <= 0 and not self.done.is_set():
            self.rate = self.timed / (time.perf_counter() - self.started)
            self.done.set()

    def refused(self, fact_type: str, why: str) -> None:
        """Say what disturbs a measurement."""
        raise RuntimeError(f"{fact_type} was refused: {why}")

    def waiting(self, why: str) -> None:
        """Say what disturbs a measurement."""
        raise RuntimeError(f"the relay waits for the {why}")


def v9(places: Places, repetitions: int = REPETITIONS, count: int = ROWS) -> list[Row]:
    """Compare draining with the bare lane, which keeps no archive, and with row by row."""

    async def measure(ours: SchemaUrls, bare: SchemaUrls) -> list[tuple[float, float, float]]:
        db, plain = connect(ours.runtime, schema="probe"), connect(bare.runtime, schema="probe")
        broker = KafkaBroker(places.kafka(), topic_prefix=f"b{secrets.token_hex(4)}-")
        prefix = f"b{secrets.token_hex(4)}-"
        await broker.ensure_topics([StockTold.topic])
        await KafkaBroker(places.kafka(), topic_prefix=prefix).ensure_topics([StockTold.topic])
        try:
            found = []
            for _ in range(repetitions):
                for urls in (ours, bare):
                    await places.empty(urls, TABLES)
                await fill(db, count)
                ours_rate = await drained(db, broker, count)
                await fill(plain, count)
                lane = count / await relay_lanes.drain(in_schema(bare), places.kafka(), prefix)
                await fill(plain, ROW_BY_ROW)
                single = ROW_BY_ROW / await relay_lanes.drain_row_by_row(in_schema(bare), places.kafka(), prefix)
                found.append((ours_rate, lane, single))
            return found
        finally:
            await db.close()
            await plain.close()

    found = run(measure(places.database("probe"), places.database("probe")))
    return [
        ratio("V9", "relay drain against the bare lane", [(a, b) for a, b, _ in found], passes=0.60, stretch=0.80),
        ratio("V9", "relay drain against row by row", [(a, c) for a, _, c in found], passes=5, stretch=None),
    ]


def v10(places: Places, repetitions: int = REPETITIONS, count: int = EVENTS) -> list[Row]:
    """Measure how long a fact takes from its commit to a consumer, 50 a second, idle otherwise."""

    async def measure(urls: SchemaUrls, replicas: int) -> tuple[float, float]:
        broker = KafkaBroker(places.kafka(), topic_prefix=f"b{secrets.token_hex(4)}-")
        await broker.ensure_topics([StockTold.topic])
        dbs = [connect(urls.runtime, schema="probe") for _ in range(replicas)]
        try:
            return await _delays(dbs, broker, count)
        finally:
            for db in dbs:
                await db.close()

    rows = []
    for replicas, passes, stretch in ((1, 25, 12), (REPLICAS, 70, 45)):
        urls = places.database("probe")
        found = [run(measure(urls, replicas)) for _ in range(repetitions)]
        late, middle = [p99 * 1000 for p99, _ in found], [p50 * 1000 for _, p50 in found]
        what = f"{replicas} replica{'s' if replicas > 1 else ''}, commit to consumer"
        rows.append(limit("V10", f"{what}, p99", late, unit="ms", passes=passes, stretch=stretch))
        rows.append(limit("V10", f"{what}, p50", middle, unit="ms", passes=None, stretch=None))
    return rows


async def fill(db: Database, count: int) -> None:
    """Record facts, 500 a transaction."""
    for start in range(0, count, PAGE):
        facts = [told(place) for place in range(start, min(start + PAGE, count))]
        async with db.begin() as tx:
            await outbox.record(tx, *facts)


async def drained(db: Database, broker: KafkaBroker, count: int) -> float:
    """Publish what was recorded and give rows a second."""
    observer, stop = Published(count), asyncio.Event()
    relay = Relay(db, broker, source="/bench", clock=SystemClock(), observer=observer)
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        group.create_task(relay.run(stop))
        await observer.done.wait()
        stop.set()
    return observer.rate


async def _delays(dbs: list[Database], broker: KafkaBroker, count: int) -> tuple[float, float]:
    """Give p99 and p50 of the seconds between a commit and its arrival; one process plays all replicas."""
    stop = asyncio.Event()
    committed: dict[str, float] = {}
    delays: list[float] = []

    async def listen(ready: asyncio.Event) -> None:
        consumer = broker.consumer("bench", [StockTold.topic], _nothing)
        await consumer.start()
        try:
            while len(delays) < count:
                for record in await consumer.fetch(limit=PAGE, timeout_seconds=0.5):
                    name = (record.key or b"").decode()
                    if name == told(count).id:
                        ready.set()
                    elif name in committed:
                        delays.append(time.perf_counter() - committed[name])
        finally:
            await consumer.close()

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        for db in dbs:
            group.create_task(Relay(db, broker, source="/bench", clock=SystemClock()).run(stop))
        ready = asyncio.Event()
        listening = group.create_task(listen(ready))
        async with dbs[0].begin() as tx:
            await outbox.record(tx, told(count))
        await ready.wait()
        for place in range(count):
            async with dbs[place % len(dbs)].begin() as tx:
                await outbox.record(tx, told(place))
                # Before the commit: it can only make the delay longer.
                committed[told(place).id] = time.perf_counter()
            await asyncio.sleep(1 / RATE)
        await listening
        stop.set()
    hundredths = statistics.quantiles(delays, n=100)
    return hundredths[98], hundredths[49]


async def _nothing(_partitions: object) -> None:
    return
