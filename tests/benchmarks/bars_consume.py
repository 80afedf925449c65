"""V7, V8 and V18: what the consumer costs over a loop by hand, with effects, and with poison among the messages."""

import asyncio
import resource
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from bars_ingest import in_schema
from baselines import bare_consumer
from bench_places import Places, run
from bench_table import Row, limit, ratio

from hanro.broker import KafkaBroker, Message
from hanro.clock import SystemClock
from hanro.consume import Subscription, consume
from hanro.db import Database, Transaction, connect
from hanro.events.envelope import Received, encode
from hanro.events.fact import Fact
from hanro.testing.probe import AT
from hanro_local.databases import SchemaUrls

MESSAGES = 20_000
REPETITIONS = 3
POISON_EVERY = 100
POISON = 13
SECONDS = 120.0
TABLES = ("inbox", "dead_letters", "effects", "outbox")


class StockTold(Fact):
    """Be a fact of usual size: about 1.5 KB with its headers."""

    type: ClassVar[str] = "hanro.bench.told.v1"
    topic: ClassVar[str] = "hanro.bench"

    amount: int
    """The state; 13 is refused by `decide`."""
    note: str = ""
    """Makes it as long as an order's fact."""


class Counter:
    """Be the observer that knows how fast all was handled, from the end of the first batch on."""

    def __init__(self, count: int) -> None:
        self.done = asyncio.Event()
        self.left = count
        self.timed = 0
        self.started = self.cpu = self.rate = self.busy = 0.0

    def handled(self, subscription: str, applied: int, stale: int, skipped: int, dead: int) -> None:
        """Count one batch; older versions that came with a newer one are counted by `gaps`' caller, not here."""
        del subscription
        self.left -= applied + stale + skipped + dead
        if not self.started:
            self.started, self.cpu, self.timed = time.perf_counter(), time.process_time(), self.left
        if self.left <= 0 and not self.done.is_set():
            self.rate = self.timed / (time.perf_counter() - self.started)
            self.busy = (time.process_time() - self.cpu) / self.timed
            self.done.set()

    def gaps(self, subscription: str, count: int) -> None:
        """Ask nothing."""

    def paused(self, subscription: str, why: str) -> None:
        """Say what disturbs a measurement."""
        raise RuntimeError(f"{subscription} paused: {why}")

    def lag(self, subscription: str, topic: str, partition: int, count: int) -> None:
        """Ask nothing."""


def told(place: int, amount: int = 1) -> StockTold:
    """Make a fact of usual size."""
    return StockTold(id=f"sku_{place:07d}", version=1, at=AT, amount=amount, note="販路" * 180)


def messages(count: int, *, poison_every: int = 0) -> list[Message]:
    """Make messages of as many aggregates; one in `poison_every` is refused by `decide`."""
    made = []
    for place in range(count):
        is_poison = poison_every and place % poison_every == 0
        fact = told(place, POISON if is_poison else 1)
        key, value, headers = encode(fact, event_id=f"evt_{place:026d}", source="/bench", context={})
        made.append(Message(fact.topic, key, value, headers))
    return made


class NoTransaction:
    """Be a transaction that stores nothing: every fact is news."""

    async def fetch(self, _sql: str, *args: object) -> list[tuple[str, None]]:
        """Answer the inbox: no id was known before."""
        ids = args[1]
        assert isinstance(ids, list)
        return [(one, None) for one in ids]


class NoDatabase:
    """Be a database without one: what is left is the wrapper's own cost."""

    async def run(self, work: Any) -> Any:
        """Do the work once."""
        return await work(NoTransaction())


async def load(_tx: Transaction, _facts: Sequence[Received]) -> Mapping[str, int]:
    """Know nothing."""
    return {}


def decide(_known: int | None, received: Received) -> tuple[str, int, int]:
    """Give the row; 13 is a bug."""
    fact = received.fact
    if not isinstance(fact, StockTold) or fact.amount == POISON:
        raise ValueError("thirteen")
    return fact.id, fact.version, fact.amount


def pass_by(_known: int | None, _received: Received) -> None:
    """Decide nothing."""


async def store(tx: Transaction, changes: Sequence[tuple[str, int, int]]) -> None:
    """Upsert in one statement."""
    await tx.execute(bare_consumer.KEEP, *map(list, zip(*changes, strict=True)))


async def nothing(_tx: Transaction, _changes: Sequence[object]) -> None:
    """Have no effect."""


WITHOUT_EFFECT = Subscription(name="bench", facts=(StockTold,), load=load, decide=pass_by, apply=nothing)
STORING = Subscription(name="bench", facts=(StockTold,), load=load, decide=decide, apply=store)


def v7(places: Places, repetitions: int = REPETITIONS, count: int = 2 * MESSAGES) -> list[Row]:
    """Compare the wrapper with a loop by hand; no database on either side."""

    async def measure() -> list[tuple[tuple[float, float], tuple[float, float]]]:
        prefix = await published(places, messages(count))
        found = []
        for _ in range(repetitions):
            broker = KafkaBroker(places.kafka(), topic_prefix=prefix, group_prefix=f"{prefix}{secrets.token_hex(4)}-")
            ours = await consumed(cast("Database", NoDatabase()), broker, WITHOUT_EFFECT, count)
            bare = await bare_consumer.read(
                places.kafka(), prefix + StockTold.topic, prefix + secrets.token_hex(4), count
            )
            found.append((ours, bare))
        return found

    found = run(measure())
    return [
        ratio("V7", "consumer, no effect", [(a[0], b[0]) for a, b in found], passes=0.85, stretch=1.0),
        ratio(
            "V7",
            "its CPU a message",
            [(a[1] * 1e6, b[1] * 1e6) for a, b in found],
            passes=1.3,
            is_at_least=False,
            unit="us",
        ),
        # Of this process: what V5 and V7 take, and the rows that their baselines hold besides.
        limit("V15", "resident memory at most, V5 and V7", [_most_megabytes()], unit="MB", passes=300, stretch=200),
    ]


def _most_megabytes() -> float:
    # Kilobytes on Linux, bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def v8(places: Places, repetitions: int = REPETITIONS, count: int = MESSAGES) -> list[Row]:
    """Compare a consumer with inbox and one upsert an event with a loop by hand that has the same UNNEST alone.

    Shown beside, without a bar: against that UNNEST of ready rows. No loop that reads its events comes near it.
    """

    async def measure(ours: SchemaUrls, bare: SchemaUrls) -> list[tuple[float, float, float]]:
        prefix = await published(places, messages(count))
        rows = [(fact.id, fact.version, fact.amount) for fact in map(told, range(count))]
        db = connect(ours.runtime, schema="probe")
        try:
            found = []
            for _ in range(repetitions):
                await places.empty(ours, TABLES)
                rate, _ = await consumed(db, broker_for(places, prefix), STORING, count)
                await places.empty(bare, TABLES)
                by_hand, _ = await bare_consumer.read(
                    places.kafka(),
                    prefix + StockTold.topic,
                    prefix + secrets.token_hex(4),
                    count,
                    url=in_schema(bare),
                )
                await places.empty(bare, TABLES)
                found.append((rate, by_hand, count / await bare_consumer.upsert(in_schema(bare), rows)))
            return found
        finally:
            await db.close()

    found = run(measure(places.database("probe"), places.database("probe")))
    return [
        ratio(
            "V8",
            "consumer with inbox and an upsert an event",
            [(rate, by_hand) for rate, by_hand, _ in found],
            passes=0.50,
            stretch=0.65,
        ),
        ratio("V8", "against the upsert of ready rows", [(rate, ready) for rate, _, ready in found]),
        ratio("V8", "the loop by hand against that", [(by_hand, ready) for _, by_hand, ready in found]),
    ]


def v18(places: Places, repetitions: int = REPETITIONS, count: int = 10_000) -> list[Row]:
    """Compare good messages among poison with clean ones: both are hanro's."""

    async def measure(urls: SchemaUrls) -> list[tuple[float, float]]:
        clean = await published(places, messages(count))
        poisoned = await published(places, messages(count, poison_every=POISON_EVERY))
        db = connect(urls.runtime, schema="probe")
        try:
            found = []
            for _ in range(repetitions):
                rates = []
                for prefix in (poisoned, clean):
                    await places.empty(urls, TABLES)
                    rates.append((await consumed(db, broker_for(places, prefix), STORING, count))[0])
                found.append((rates[0] * (1 - 1 / POISON_EVERY), rates[1]))
            return found
        finally:
            await db.close()

    found = run(measure(places.database("probe")))
    return [ratio("V18", "good messages among 1% poison", found, passes=0.70, stretch=0.85)]


def broker_for(places: Places, prefix: str) -> KafkaBroker:
    """Give a broker with a group of its own: it reads the topic from its beginning."""
    return KafkaBroker(places.kafka(), topic_prefix=prefix, group_prefix=f"{prefix}{secrets.token_hex(4)}-")


async def published(places: Places, made: Sequence[Message]) -> str:
    """Send messages to a new topic and give its prefix."""
    prefix = f"b{secrets.token_hex(4)}-"
    broker = broker_for(places, prefix)
    await broker.ensure_topics([StockTold.topic])
    producer = broker.producer()
    await producer.start()
    try:
        for start in range(0, len(made), 1000):
            await producer.send_all(made[start : start + 1000], timeout_seconds=SECONDS)
    finally:
        await producer.close()
    return prefix


async def consumed(
    db: Database, broker: KafkaBroker, subscription: Subscription[Any, Any], count: int
) -> tuple[float, float]:
    """Consume a topic whole; give messages a second and CPU seconds a message."""
    counter, stop = Counter(count), asyncio.Event()
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        group.create_task(consume(db, broker, subscription, clock=SystemClock(), stop=stop, observer=counter))
        await counter.done.wait()
        stop.set()
    return counter.rate, counter.busy
