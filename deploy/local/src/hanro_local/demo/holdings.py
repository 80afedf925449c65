"""Looks from outside at what a service has begun and not finished: what would be lost if nothing protected it.

Nothing of the service is asked, for it may stand still: only the database, Kafka's offsets and the simulator's journal.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from hanro_local.demo.api import Api
from hanro_local.demo.partitions import partitions

SECONDS = 10.0
SCHEMAS = ("account", "catalog", "orders", "notifier")
JOURNAL = "/_sim/journal?kind=request"
FETCH = "getOrder"
CANCELLED = 900
# Long enough for facts to arrive before a consumer that stands still, far shorter than its session.
PILING_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 0.3


@dataclass(frozen=True)
class Holding:
    """Be what a service has in hand: a count and what is counted."""

    count: int
    what: str


@dataclass(frozen=True)
class Watch:
    """Say how one service is looked at: `look` counts what it holds, perhaps nothing, while it stands still.

    It is stopped after `moment`; while it stands so long, `seconds`, work may pile up before it.
    """

    look: Callable[[], Awaitable[Holding]]
    moment: Callable[[], Awaitable[None]]
    seconds: float


@dataclass
class Outside:
    """Hold the connections of an outsider who sees everything; made by `outside`."""

    database: asyncpg.Connection
    consumer: AIOKafkaConsumer
    admin: AIOKafkaAdminClient
    simulator: Api
    journal_position: int = 0
    partitions: dict[str, list[TopicPartition]] = field(default_factory=dict)

    def watches(self) -> Mapping[str, Watch]:
        """Say for each service how it is looked at."""
        return {
            "catalog-svc": Watch(self.unread_orders, _any_moment, seconds=PILING_SECONDS),
            "notifier-svc": Watch(self.claimed_messages, _any_moment, seconds=0),
            "account-svc": Watch(self.unpublished_or_unread_access, _any_moment, seconds=0),
            # It holds a page for the blink of an eye.
            "order-svc": Watch(self.unstored_orders, self.fetching, seconds=0),
        }

    async def unstored_orders(self) -> Holding:
        """Count the orders that order-svc has fetched since the last look and not stored, else facts not published."""
        page = (await self.simulator.call("GET", f"{JOURNAL}&after={self.journal_position}&limit=10000")).json()
        self.journal_position = page["next"]
        fetched: set[str] = set()
        for entry in page["entries"]:
            if entry["function"] == FETCH:
                fetched.update(json.loads(entry["request_body"])["orderNumberList"])
        stored = await self.database.fetch(
            "select external_id from orders.orders where external_id = any($1)", list(fetched), timeout=SECONDS
        )
        unstored = len(fetched - {row["external_id"] for row in stored})
        if unstored:
            return Holding(unstored, "orders of an unstored page")
        return Holding(await self._rows("select count(*) from orders.outbox"), "outbox rows")

    async def unpublished_or_unread_access(self) -> Holding:
        """Count the facts that account-svc has not published, else the access reports that it has not read."""
        rows = await self._rows("select count(*) from account.outbox")
        return (
            Holding(rows, "outbox rows")
            if rows
            else Holding(await self._lag("account", "hanro.access"), "unread facts")
        )

    async def unread_orders(self) -> Holding:
        """Count the facts of orders that catalog-svc has not read to the end."""
        return Holding(await self._lag("catalog", "hanro.orders"), "unread facts")

    async def claimed_messages(self) -> Holding:
        """Count the messages that notifier-svc has claimed: being sent, or taken to be sent next."""
        claimed = (
            "select count(*) from notifier.messages where state = 'sending'"
            " or (state = 'planned' and attempt > failure_count and next_at > notifier.now())"
        )
        return Holding(await self._rows(claimed), "claimed messages")

    async def fetching(self) -> None:
        """Return at the moment when order-svc has been answered with orders; it had none of them before that."""
        while True:
            page = (await self.simulator.call("GET", f"{JOURNAL}&after={self.journal_position}&limit=10000")).json()
            if any(entry["function"] == FETCH for entry in page["entries"]):
                return
            self.journal_position = page["next"]

    async def count_outdated(self, truth: Mapping[str, object]) -> int:
        """Count the orders that are not stored, or not as cancelled as the marketplace has them."""
        rows = await self.database.fetch("select external_id, status from orders.orders", timeout=SECONDS)
        stored = {row["external_id"]: row["status"] == "cancelled" for row in rows}
        return sum(stored.get(number) != (progress == CANCELLED) for number, progress in truth.items())

    async def count_unpublished(self) -> int:
        """Count the rows of all outboxes."""
        return sum([await self._rows(f"select count(*) from {schema}.outbox") for schema in SCHEMAS])  # noqa: S608  ours

    async def count_unread(self) -> int:
        """Count what any group has not read of the topics that it has ever read."""
        unread = 0
        for group, _ in await self.admin.list_consumer_groups():
            offsets = await self.admin.list_consumer_group_offsets(group)
            unread += sum([await self._unread(topic, offsets) for topic in {place.topic for place in offsets}])
        return unread

    async def count_unsent(self) -> int:
        """Count the messages whose fate is open."""
        return await self._rows("select count(*) from notifier.messages where state in ('planned', 'sending')")

    async def _rows(self, query: str) -> int:
        return int(await self.database.fetchval(query, timeout=SECONDS))

    async def _lag(self, group_prefix: str, topic: str) -> int:
        groups = [name for name, _ in await self.admin.list_consumer_groups() if name.startswith(group_prefix)]
        return sum([await self._unread(topic, await self.admin.list_consumer_group_offsets(name)) for name in groups])

    async def _unread(self, topic: str, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> int:
        if not any(place.topic == topic for place in offsets):
            return 0
        if topic not in self.partitions:
            self.partitions[topic] = await partitions(self.admin, [topic])
        ends = await self.consumer.end_offsets(self.partitions[topic])
        return sum(end - max(0, offsets[place].offset if place in offsets else 0) for place, end in ends.items())


async def _any_moment() -> None:
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311  any moment will do


@contextlib.asynccontextmanager
async def outside(database_url: str, kafka: str, simulator: Api) -> AsyncIterator[Outside]:
    """Connect as the database's superuser and to Kafka while the block lasts.

    Raises:
        OSError, asyncpg.PostgresError, aiokafka.errors.KafkaError: one of them cannot be reached.
    """
    async with contextlib.AsyncExitStack() as stack:
        database = await asyncpg.connect(database_url, timeout=SECONDS)
        stack.push_async_callback(database.close, timeout=SECONDS)
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
        stack.push_async_callback(consumer.stop)
        await consumer.start()
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        stack.push_async_callback(admin.close)
        await admin.start()
        yield Outside(database, consumer, admin, simulator)
