"""The baseline of vending: one row read by its primary key, nothing around it, at the same rate.

The fastest form: asyncpg alone, one prepared statement a connection.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

SECONDS = 60.0
CONNECTIONS = 5

Timed = Callable[[str], Coroutine[Any, Any, float]]
"""Do one key's work and give the seconds that it took."""


@asynccontextmanager
async def reader(url: str, sql: str) -> AsyncIterator[Timed]:
    """Give what reads a key's row over a pool that is open."""
    async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS, timeout=SECONDS) as pool:

        async def read(key: str) -> float:
            began = time.perf_counter()
            async with pool.acquire() as connection:
                if await connection.fetchrow(sql, key) is None:
                    raise LookupError(key)
            return time.perf_counter() - began

        yield read


async def at_a_rate(work: Timed, keys: Sequence[str], per_second: float) -> list[float]:
    """Begin one key's work after the other at a rate, however long those before take, and give the seconds of each."""
    began = time.perf_counter()
    running: list[asyncio.Task[float]] = []
    async with asyncio.TaskGroup() as group:
        for number, key in enumerate(keys):
            await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            running.append(group.create_task(work(key)))
    return [task.result() for task in running]
