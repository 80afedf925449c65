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
    """Read the rows of some tables, in the order of the given columns; `size` rows of the first one are a page.

    Rows with an `order_id` go with their order.
    """
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        found = {
            table: await connection.fetch(f"select * from {table} order by {column}")  # noqa: S608  names of ours
            for table, column in tables.items()
        }
    finally:
        await connection.close(timeout=SECONDS)
    first, *others = found
    page_of = {row["id"]: place // size for place, row in enumerate(found[first])}
    pages: list[Page] = [{table: [] for table in found} for _ in range(-(-len(page_of) // size))]
    for table in (first, *others):
        for place, row in enumerate(found[table]):
            # What belongs to an order goes with it; facts come one an order.
            page = page_of[row["order_id"]] if "order_id" in row else place // size
            pages[page][table].append(tuple(map(_ready, row)))
    return pages


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
    # A list in a column goes as one text: arrays of arrays must be of equal length.
    types = ["text" if column["type"].endswith("[]") else column["type"] for column in columns]
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, 1))
    names = ", ".join(f"c{place}" for place in range(1, len(columns) + 1))
    values = ", ".join(
        f"string_to_array(c{place}, E'\\n')" if column["type"].endswith("[]") else f"c{place}"
        for place, column in enumerate(columns, 1)
    )
    return await connection.prepare(
        f"insert into {table} overriding system value select {values} from unnest({arrays}) as ready ({names})"  # noqa: S608  names of ours
    )


def _ready(value: Any) -> Any:
    return "\n".join(value) if isinstance(value, list) else value
