"""V17, what SIGTERM to one of two consumers costs under load, and of V16 how long the start of one takes."""

import asyncio
import re
import secrets
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import bench_service
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from bench_places import Places, run
from bench_service import Process
from bench_table import Row, limit

from hanro.broker import KafkaBroker, Message
from hanro.consume.loop import BATCH
from hanro.events.envelope import encode
from hanro.events.orders import OrderLine, OrderPlaced, StatedAmount
from hanro.testing.probe import AT
from hanro_local.databases import SchemaUrls

REPETITIONS = 3
GROUP = "catalog.orders"
PARTITIONS = 12
PART = 25
PAUSE_SECONDS = 0.05
LOOK_SECONDS = 0.02
STEADY_SECONDS = 3.0
SECONDS = 60.0
_STALE = re.compile(rb'^hanro_consumer_facts_total\{[^}]*outcome="stale"[^}]*\} ([0-9.e+]+)$', re.MULTILINE)

Offsets = dict[int, int]


class Watch:
    """Remember when each partition of a group last moved on, and its longest rest from `since` on."""

    def __init__(self) -> None:
        self.offsets: Offsets = {}
        self.moved_at: dict[int, float] = {}
        self.longest = 0.0
        self.since = float("inf")

    def look(self, offsets: Offsets, at: float) -> None:
        """Take in what is committed."""
        for partition, offset in offsets.items():
            if self.offsets.get(partition) == offset:
                continue
            before = self.moved_at.get(partition, at)
            if at >= self.since:
                # Silence that began before the signal is not the signal's.
                self.longest = max(self.longest, at - max(before, self.since))
            self.offsets[partition], self.moved_at[partition] = offset, at


def v17(places: Places, repetitions: int = REPETITIONS) -> list[Row]:
    """Stream facts of orders to two catalog-svc of one group, end one, and watch the group's offsets."""
    found = []
    for _ in range(repetitions):
        urls = places.database("catalog")
        with tempfile.TemporaryDirectory() as name:
            bench_service.make_keys(Path(name))
            found.append(_stop_one(urls, places.kafka(), Path(name), f"b{secrets.token_hex(4)}-"))
    ended, silent, twice = zip(*found, strict=True)
    return [
        limit("V17", "SIGTERM under load to exit 0", ended, unit="s", passes=12, stretch=5),
        limit("V17", "longest silence of a partition of its group", silent, unit="s", passes=1.0, stretch=0.3),
        limit("V17", "facts handled again; a batch in hand is 500", twice, unit="facts", passes=BATCH, stretch=0),
    ]


def start_to_consuming(places: Places, repetitions: int = REPETITIONS) -> Row:
    """Start catalog-svc beside a topic that has facts, and wait until it has moved the first offset."""
    seconds = []
    for _ in range(repetitions):
        urls, prefix = places.database("catalog"), f"b{secrets.token_hex(4)}-"
        run(_send(KafkaBroker(places.kafka(), topic_prefix=prefix)))
        with tempfile.TemporaryDirectory() as name:
            bench_service.make_keys(Path(name))
            began = time.perf_counter()
            with bench_service.started("catalog_svc", urls, places.kafka(), Path(name), prefix) as process:
                run(_first_move(places.kafka(), prefix + GROUP))
                seconds.append(time.perf_counter() - began)
                process.terminate()
    return limit("V16", "start to consuming", seconds, unit="s", passes=5.0, stretch=2.0)


async def _send(broker: KafkaBroker) -> None:
    await broker.ensure_topics([OrderPlaced.topic])
    producer = broker.producer()
    await producer.start()
    try:
        await producer.send_all([_message(place) for place in range(PART)], timeout_seconds=SECONDS)
    finally:
        await producer.close()


async def _first_move(kafka: str, group: str) -> None:
    stop, watch = asyncio.Event(), Watch()
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(_watch(kafka, group, watch, stop))
        while not watch.moved_at:
            await asyncio.sleep(LOOK_SECONDS)
        stop.set()


def _stop_one(urls: SchemaUrls, kafka: str, folder: Path, prefix: str) -> tuple[float, float, float]:
    run(KafkaBroker(kafka, topic_prefix=prefix).ensure_topics([OrderPlaced.topic]))
    with (
        bench_service.started("catalog_svc", urls, kafka, folder, prefix) as staying,
        bench_service.started("catalog_svc", urls, kafka, folder, prefix) as leaving,
    ):
        for process in (staying, leaving):
            process.get("/readyz")
        ended, silent = run(_measure(leaving, kafka, prefix))
        return ended, silent, sum(map(float, _STALE.findall(staying.get("/metrics"))))


async def _measure(leaving: Process, kafka: str, prefix: str) -> tuple[float, float]:
    stop, watch = asyncio.Event(), Watch()
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        group.create_task(_stream(KafkaBroker(kafka, topic_prefix=prefix), stop))
        group.create_task(_watch(kafka, prefix + GROUP, watch, stop))
        await _all_move(watch)
        await asyncio.sleep(STEADY_SECONDS)
        watch.since = time.perf_counter()
        ended = await asyncio.to_thread(leaving.terminate)
        # Until each partition has moved again, whoever has it now.
        await _all_move(watch)
        stop.set()
    return ended, watch.longest


async def _all_move(watch: Watch) -> None:
    """Wait until each partition moves on, twice: what was under way does not count."""
    for _ in range(2):
        before = time.perf_counter()
        while len(watch.moved_at) < PARTITIONS or min(watch.moved_at.values()) < before:
            await asyncio.sleep(LOOK_SECONDS)


async def _watch(kafka: str, group: str, watch: Watch, stop: asyncio.Event) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        while not stop.is_set():
            # A group has no coordinator before its first member came.
            with suppress(GroupCoordinatorNotAvailableError):
                found = await admin.list_consumer_group_offsets(group)
                offsets = {partition.partition: entry.offset for partition, entry in found.items()}
                watch.look(offsets, time.perf_counter())
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await admin.close()


async def _stream(broker: KafkaBroker, stop: asyncio.Event) -> None:
    """Send new orders, about 500 a second, until told to stop."""
    producer = broker.producer()
    await producer.start()
    count = 0
    try:
        while not stop.is_set():
            await producer.send_all([_message(place) for place in range(count, count + PART)], timeout_seconds=SECONDS)
            count += PART
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await producer.close()


def order_placed(place: int) -> OrderPlaced:
    """Make a new order's fact, one line; `place` tells it from others."""
    line = OrderLine(
        id=f"lin_{place:026d}",
        external_id="1",
        keys={"manage_number": "towel-01", "variant_id": "m-white"},
        title="見本タオル",
        quantity=1,
        open_quantity=1,
        shipped_quantity=0,
        status="new",
        unit_price=StatedAmount(text="1980", amount="1980", currency="JPY"),
    )
    return OrderPlaced(
        id=f"ord_{place:026d}",
        version=1,
        at=AT,
        account_id="acc_1",
        account_epoch=1,
        marketplace_id="rakuten_ichiba",
        external_id=f"{place}",
        status="new",
        work_state="new",
        placed_at=AT,
        first_seen_by="placed",
        lines=(line,),
        milestones={"placed": AT},
        href=f"/v1/orders/ord_{place:026d}",
    )


def _message(place: int) -> Message:
    fact = order_placed(place)
    key, value, headers = encode(fact, event_id=f"evt_{place:026d}", source="/order-svc", context={})
    return Message(fact.topic, key, value, headers)
