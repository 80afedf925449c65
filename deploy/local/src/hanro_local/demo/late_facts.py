"""Brings facts again, and in the wrong order: whatever was published once may come twice, or after a newer one."""

import asyncio
from collections import defaultdict
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

SECONDS = 30.0
# Facts that arrive together are taken together, and of those the newest counts.
APART_SECONDS = 2.0


async def bring_again(bootstrap: str, topic: str) -> int:
    """Append every record of a topic once more, byte for byte: first each key's newest, then those before, and so on.

    Gives how many they were.

    Raises:
        TimeoutError: the topic cannot be read within 30 s.
        aiokafka.errors.KafkaError: Kafka refuses.
    """
    by_key: dict[bytes | None, list[ConsumerRecord[Any, Any]]] = defaultdict(list)
    found = await _read(bootstrap, topic)
    for record in found:
        by_key[record.key].append(record)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        while waiting := [records for records in by_key.values() if records]:
            for records in waiting:
                record = records.pop()
                await producer.send(
                    topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
                )
            await producer.flush()
            await asyncio.sleep(APART_SECONDS)
    finally:
        await producer.stop()
    return len(found)


async def _read(bootstrap: str, topic: str) -> "list[ConsumerRecord[Any, Any]]":
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[ConsumerRecord[Any, Any]] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=int(SECONDS * 1000))
            if not batches:
                raise TimeoutError(f"{topic} cannot be read")
            found += [record for records in batches.values() for record in records]
        return found
    finally:
        await consumer.stop()
