"""V7's and V8's baseline: `getmany` and pydantic by hand, without inbox, dead letters, transactions or metrics.

V7 reads each value from its bytes and moves the offsets after a batch; V8 takes ready rows and upserts them by UNNEST:
the version that was seen and what the event says, in one transaction a batch.
"""

import time
from collections.abc import Sequence
from datetime import datetime

import asyncpg
from aiokafka import AIOKafkaConsumer
from pydantic import BaseModel

BATCH = 500
SECONDS = 60.0

SEE = """
    insert into inbox as known (consumer, aggregate_id, version)
    select 'bench', aggregate_id, version from unnest($1::text[], $2::bigint[]) as given (aggregate_id, version)
    on conflict (consumer, aggregate_id) do update set version = excluded.version
"""
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


async def read(bootstrap: str, topic: str, group: str, count: int) -> tuple[float, float]:
    """Read so many messages; give messages a second and CPU seconds a message, from the end of the first batch on."""
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
            for messages in found.values():
                for message in messages:
                    Value.model_validate_json(message.value)
                seen += len(messages)
            if found:
                await consumer.commit()
                if not first:
                    first, started, cpu = seen, time.perf_counter(), time.process_time()
        seconds, busy = time.perf_counter() - started, time.process_time() - cpu
        return (seen - first) / seconds, busy / (seen - first)
    finally:
        await consumer.stop()


async def upsert(url: str, rows: Sequence[tuple[str, int, int]], *, is_seen: bool) -> float:
    """Upsert ready rows (id, version, amount), 500 a transaction, and give the seconds; `is_seen`: the versions too."""
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        see, keep = await connection.prepare(SEE), await connection.prepare(KEEP)
        started = time.perf_counter()
        for start in range(0, len(rows), BATCH):
            ids, versions, amounts = map(list, zip(*rows[start : start + BATCH], strict=True))
            async with connection.transaction():
                if is_seen:
                    await see.fetch(ids, versions)
                await keep.fetch(ids, versions, amounts)
        return time.perf_counter() - started
    finally:
        await connection.close(timeout=SECONDS)
