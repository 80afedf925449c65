"""Looks from outside at what a service has begun and not finished: what would be lost if nothing protected it.

Nothing of the service is asked, for it may stand still: only the database, Kafka's offsets and the simulator's journal.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from hanro_local.demo.api import Api

SECONDS = 10.0


@dataclass(frozen=True)
class Holding:
    """Be what a service has in hand: a count and what is counted."""

    count: int
    what: str


Look = Callable[[], Awaitable[Holding]]
"""Look at one service; the answer may be nothing."""


@dataclass
class Outside:
    """Hold the connections of an outsider who sees everything; made by `outside`."""

    database: asyncpg.Connection
    consumer: AIOKafkaConsumer
    admin: AIOKafkaAdminClient
    simulator: Api
    journal_position: int = 0

    def looks(self) -> Mapping[str, Look]:
        """Give a look for each service."""
        return {
            "order-svc": self.unstored_orders,
            "account-svc": self.unpublished_or_unread_access,
            "catalog-svc": self.unread_orders,
            "notifier-svc": self.claimed_messages,
        }

    async def unstored_orders(self) -> Holding:
        """Count the orders that order-svc has fetched since the last look and not stored, else its unpublished facts."""
        path = f"/_sim/journal?after={self.journal_position}&limit=10000&kind=request"
        page = (await self.simulator.call("GET", path)).json()
        self.journal_position = page["next"]
        fetched: set[str] = set()
        for entry in page["entries"]:
            if entry["function"] == "getOrder":
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

    async def _rows(self, query: str) -> int:
        return int(await self.database.fetchval(query, timeout=SECONDS))

    async def _lag(self, group_prefix: str, topic: str) -> int:
        numbers = self.consumer.partitions_for_topic(topic)
        if not numbers:
            await self.consumer.topics()
            return 0
        partitions = [TopicPartition(topic, number) for number in numbers]
        ends = await self.consumer.end_offsets(partitions)
        groups = [name for name, _ in await self.admin.list_consumer_groups() if name.startswith(group_prefix)]
        lags = []
        for group in groups:
            offsets = await self.admin.list_consumer_group_offsets(group)
            read = {place: offsets[place].offset for place in partitions if place in offsets}
            if read:
                lags.append(sum(ends[place] - max(0, read.get(place, 0)) for place in partitions))
        return max(lags, default=0)


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
