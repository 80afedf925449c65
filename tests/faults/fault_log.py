"""Writes into Kafka's topics what nobody should: old records again, and poison; and waits until all is read."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from fault_shop import Shop
from fault_stack import FaultStack
from fault_switches import Late

from hanro_local.demo.holdings import outside
from hanro_local.stack import DATABASE

TOPIC = "hanro.orders"


@dataclass(frozen=True)
class Copy:
    """Be the bytes of one record."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


async def read_copies(stack: FaultStack, wanted: Callable[[str], bool], topic: str = TOPIC) -> list[Copy]:
    """Read the records whose key is wanted, each partition from its first to its last."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=stack.parts.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[Copy] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=5000)).values():
                found += [Copy(record.key, record.value, tuple(record.headers)) for record in records]
        return [copy for copy in found if wanted((copy.key or b"").decode())]
    finally:
        await consumer.stop()


async def send(stack: FaultStack, copies: Sequence[Copy], topic: str = TOPIC) -> None:
    """Append records, in this order."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.parts.kafka)
    try:
        await producer.start()
        for copy in copies:
            await producer.send(topic, copy.value, key=copy.key, headers=list(copy.headers))
        await producer.flush()
    finally:
        await producer.stop()


async def readers(stack: FaultStack) -> set[tuple[str, str]]:
    """Give each group with each topic that it has read something of."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.parts.kafka)
    try:
        await admin.start()
        groups = [name for name, _ in await admin.list_consumer_groups()]
        return {(group, place.topic) for group in groups for place in await admin.list_consumer_group_offsets(group)}
    finally:
        await admin.close()


def shuffled(copies: Sequence[Copy], times: int, seed: int) -> list[Copy]:
    """Give every record so often, in an order that the seed decides."""
    many = list(copies) * times
    random.Random(seed).shuffle(many)  # noqa: S311  repeatable, not secret
    return many


async def all_read(stack: FaultStack, shop: Shop, seconds: float = 60.0) -> None:
    """Wait until no group has anything left to read.

    Raises:
        Late: something was left after so long.
    """
    deadline = time.monotonic() + seconds
    async with outside(stack.parts.postgres.url(DATABASE), stack.parts.kafka, shop.simulator) as seen:
        while left := await seen.count_unread():
            if time.monotonic() > deadline:
                raise Late(f"{left} records are not read after {seconds:.0f} s")
            await asyncio.sleep(0.2)
