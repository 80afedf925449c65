"""V9's baselines: the bare lane (SKIP LOCKED 500, send all, wait once, DELETE) and the outbox sent row by row."""

import asyncio
import json
import time

import asyncpg
from aiokafka import AIOKafkaProducer

BATCH = 500
SECONDS = 60.0
_HEAD = """
    select id, topic, key, headers, value from outbox order by id limit $1 for update skip locked
"""


async def drain(url: str, bootstrap: str, prefix: str) -> float:
    """Send all there is, 500 a transaction, and give the seconds."""
    return await _drained(url, bootstrap, prefix, BATCH)


async def drain_row_by_row(url: str, bootstrap: str, prefix: str) -> float:
    """Send all there is, one row a transaction, and give the seconds."""
    return await _drained(url, bootstrap, prefix, 1)


async def _drained(url: str, bootstrap: str, prefix: str, size: int) -> float:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=256 * 1024
    )
    await producer.start()
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        # The topic's partitions are known before the clock runs, as the relay knows them.
        await producer.partitions_for(f"{prefix}hanro.bench")
        head = await connection.prepare(_HEAD)
        gone = await connection.prepare("delete from outbox where id = any($1::bigint[])")
        started = time.perf_counter()
        while True:
            async with connection.transaction():
                rows = await head.fetch(size)
                if not rows:
                    return time.perf_counter() - started
                sent = [
                    await producer.send(
                        prefix + row["topic"],
                        value=row["value"],
                        key=row["key"].encode(),
                        headers=[(name, text.encode()) for name, text in json.loads(row["headers"]).items()],
                    )
                    for row in rows
                ]
                await asyncio.gather(*sent)
                await gone.fetch([row["id"] for row in rows])
    finally:
        await connection.close(timeout=SECONDS)
        await producer.stop()
