"""V7's and V8's baseline: `getmany` and pydantic by hand, without inbox, dead letters, transactions or metrics.

V7 reads each value from its bytes and moves the offsets after a batch; V8 upserts what a batch says by UNNEST before it
does. `upsert` is that UNNEST of ready rows, without Kafka.
"""

import time
from collections.abc import Sequence
from datetime import datetime

import asyncpg
from aiokafka import AIOKafkaConsumer
from pydantic import BaseModel

BATCH = 500
SECONDS = 60.0

KEEP = """
    insert into effects as known (aggregate_id, version, amount, applied_count)
    select aggregate_id, version, amount, 1
    from unnest($1::text[], $2::bigint[], $3::int[]) as given (aggregate_id, version, amount)
    on conflict (aggregate_id) do update
    set version = excluded.version, amount = excluded.amount, applied_count = known.applied_count + 1
"""


class Value(BaseModel):
    """Be what a message says."""

    id: str
    version: int
    at: datetime
    account_id: str | None = None
    account_epoch: int | None = None
    amount: int
    note: str = ""


async def read(bootstrap: str, topic: str, group: str, count: int, *, url: str | None = None) -> tuple[float, float]:
    """Read so many messages; give messages a second and CPU seconds a message, from the end of the first batch on.

    `url`: the database in which what they say is kept.
    """
    connection = await asyncpg.connect(url, timeout=SECONDS) if url else None
    keep = await connection.prepare(KEEP) if connection else None
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    try:
        seen = first = 0
        started = cpu = 0.0
        while seen < count:
            found = await consumer.getmany(timeout_ms=500, max_records=BATCH)
            values = [Value.model_validate_json(message.value) for messages in found.values() for message in messages]
            seen += len(values)
            if values:
                if connection and keep:
                    async with connection.transaction():
                        await keep.fetch(
                            [value.id for value in values],
                            [value.version for value in values],
                            [value.amount for value in values],
                        )
                await consumer.commit()
                if not first:
                    first, started, cpu = seen, time.perf_counter(), time.process_time()
        seconds, busy = time.perf_counter() - started, time.process_time() - cpu
        return (seen - first) / seconds, busy / (seen - first)
    finally:
        await consumer.stop()
        if connection:
            await connection.close(timeout=SECONDS)


async def upsert(url: str, rows: Sequence[tuple[str, int, int]]) -> float:
    """Upsert ready rows (id, version, amount), 500 a transaction, and give the seconds."""
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        keep = await connection.prepare(KEEP)
        started = time.perf_counter()
        for start in range(0, len(rows), BATCH):
            async with connection.transaction():
                await keep.fetch(*map(list, zip(*rows[start : start + BATCH], strict=True)))
        return time.perf_counter() - started
    finally:
        await connection.close(timeout=SECONDS)
