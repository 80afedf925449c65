"""The baseline of vending: one row read by its primary key, nothing around it, at the same rate.

The fastest form: asyncpg alone, one prepared statement a connection.
"""

import asyncio
import time
from collections.abc import Sequence

import asyncpg

SECONDS = 60.0
CONNECTIONS = 5


async def read_rows(url: str, sql: str, keys: Sequence[str], per_second: float) -> list[float]:
    """Read a row for each key, one after the other begins, `per_second` of them; give the seconds each took."""
    pool = await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS, timeout=SECONDS)
    try:

        async def read(key: str) -> float:
            began = time.perf_counter()
            async with pool.acquire() as connection:
                if await connection.fetchrow(sql, key) is None:
                    raise LookupError(key)
            return time.perf_counter() - began

        return await at_a_rate([lambda key=key: read(key) for key in keys], per_second)
    finally:
        await pool.close()


async def at_a_rate(works: Sequence[object], per_second: float) -> list[float]:
    """Begin works at a rate, however long those before take, and give the seconds of each in their order."""
    began = time.perf_counter()
    running: list[asyncio.Task[float]] = []
    async with asyncio.TaskGroup() as group:
        for number, work in enumerate(works):
            await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            running.append(group.create_task(work()))  # type: ignore[operator]
    return [task.result() for task in running]
