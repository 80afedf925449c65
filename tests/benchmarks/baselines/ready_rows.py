"""V5's and V6's baseline: rows that are ready, put into their tables by UNNEST alone, one transaction a page.

The fastest form: asyncpg without anything around it, one prepared statement a table, no conflicts to look for.
"""

import time
from collections.abc import Sequence
from typing import Any

import asyncpg

Row = tuple[Any, ...]
Page = dict[str, list[Row]]
SECONDS = 60.0


async def read_pages(url: str, tables: dict[str, str], size: int) -> list[Page]:
    """Read the rows of some tables, in the order of the given columns, `size` rows a page."""
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        rows = {
            table: [tuple(row) for row in await connection.fetch(f"select * from {table} order by {column}")]  # noqa: S608  names of ours
            for table, column in tables.items()
        }
    finally:
        await connection.close(timeout=SECONDS)
    count = max(map(len, rows.values()))
    return [{table: found[start : start + size] for table, found in rows.items()} for start in range(0, count, size)]


async def insert_pages(url: str, pages: Sequence[Page]) -> float:
    """Insert pages one after the other and give the seconds; identity columns take the values of the rows."""
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        statements = {table: await _statement(connection, table) for table in pages[0]}
        started = time.perf_counter()
        for page in pages:
            async with connection.transaction():
                for table, rows in page.items():
                    await statements[table].fetch(*map(list, zip(*rows, strict=True)))
        return time.perf_counter() - started
    finally:
        await connection.close(timeout=SECONDS)


async def _statement(connection: asyncpg.Connection, table: str) -> Any:
    columns = await connection.fetch(
        "select quote_ident(attname) as name, format_type(atttypid, null) as type from pg_attribute"
        " where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum",
        table,
    )
    arrays = ", ".join(f"${place}::{column['type']}[]" for place, column in enumerate(columns, 1))
    return await connection.prepare(
        f"insert into {table} overriding system value select * from unnest({arrays})"  # noqa: S608  names of ours
    )
