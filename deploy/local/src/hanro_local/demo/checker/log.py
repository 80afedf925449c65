"""Reads Kafka's topics from their first record to their last, as any outsider with a client could."""

import json
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient

PREFIX = "hanro."
READ_SECONDS = 30.0


@dataclass(frozen=True)
class Event:
    """Be one record: its CloudEvents attributes and its data; `value` are the bytes as they lie in the log."""

    topic: str
    key: str
    id: str
    type: str
    data: dict[str, Any]
    value: bytes


async def read_all(bootstrap: str) -> list[Event]:
    """Read every record of every `hanro.` topic that stands there now; records of one key keep their order.

    Raises:
        TimeoutError: the topics cannot be read within 30 s.
        ValueError: a record is no JSON in a CloudEvents envelope.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(PREFIX)]
    finally:
        await admin.close()
    # Without a group it is given every partition.
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        return await _read(consumer) if names else []
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer) -> list[Event]:
    ends = await consumer.end_offsets(consumer.assignment())
    events: list[Event] = []
    left = {partition for partition, end in ends.items() if end}
    while left:
        found = await consumer.getmany(timeout_ms=int(READ_SECONDS * 1000))
        if not found:
            raise TimeoutError(f"{len(left)} partitions cannot be read")
        for partition, records in found.items():
            events += [_event(record) for record in records if record.offset < ends[partition]]
        left = {partition for partition in left if await consumer.position(partition) < ends[partition]}
    return events


def _event(record: "ConsumerRecord[bytes, bytes]") -> Event:
    headers = {name: value.decode() for name, value in record.headers}
    value = record.value or b""
    try:
        return Event(
            topic=record.topic,
            key=(record.key or b"").decode(),
            id=headers["ce_id"],
            type=headers["ce_type"],
            data=json.loads(value),
            value=value,
        )
    except (KeyError, ValueError) as error:
        where = f"{record.topic}/{record.partition}@{record.offset}"
        raise ValueError(f"{where} is no JSON in a CloudEvents envelope") from error
