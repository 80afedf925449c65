"""A large file whose taker is killed midway brings the same rows and facts as one that nobody disturbed."""

import asyncio
import hashlib
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from importing_process import READY
from order_edge import parts_for, serve
from order_files import ROW, plugin, written
from order_playground import Playground, activated, prepare, tell

from hanro.db import Database
from hanro.testing.callers import fixed_keyring
from hanro_local.databases import SchemaUrls
from order_svc import buyers
from order_svc.api import imports as imports_api

pytestmark = [pytest.mark.schema("orders", prepare), pytest.mark.fault]

HERE = Path(__file__).parent
IS_WHOLE = os.environ.get("HANRO_FAULTS") == "whole"
ROWS = 200_000 if IS_WHOLE else 3_000
SECONDS = 3_000.0 if IS_WHOLE else 90.0
LOOK_SECONDS = 0.25 if IS_WHOLE else 0.05
KILLED_AT = ROWS // 3
LARGEST = 100 * 1024 * 1024
MOST_GROWN_MB = 150
MEGABYTE = 1024 * 1024
ACCOUNTS = ("acc_1", "acc_2")
# Every so often the second row of an order stands at the end of the file, and a row cannot be read.
APART, BROKEN = 97, 499
SLICE = 1_000


@dataclass
class Watched:
    """Be what a caller saw of an import, and the most memory that the process took beyond what it began with."""

    shown: dict[str, Any] = field(default_factory=dict)
    looks: list[tuple[int, int]] = field(default_factory=list)
    grown_mb: float = 0.0
    longest_seconds: float = 0.0


def pieces() -> Iterator[bytes]:
    """Yield a file of two rows an order."""
    later: list[dict[str, str]] = []
    header = written([])
    yield header
    for start in range(0, ROWS // 2, SLICE):
        cells = []
        for number in range(start, min(start + SLICE, ROWS // 2)):
            first = {**ROW, "注文番号": f"100001-20260301-{number:010}"}
            second = {**first, "明細ID": "2", "商品名": "茶碗", "単価": "800"}
            if number % BROKEN == 1:
                second["個数"] = "many"
            cells.append(first)
            (later if number % APART == 1 else cells).append(second)
        yield written(cells).removeprefix(header)
    yield written(later).removeprefix(header)


async def send(client: httpx.AsyncClient, account_id: str) -> str:
    """Send the file in, and give where its import is looked at."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces():
            yield piece

    answer = await client.post(
        "/v1/order/imports",
        params={"account_id": account_id},
        headers={"Content-Type": "text/csv"},
        content=body(),
    )
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


@asynccontextmanager
async def working(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Let a process of its own work once it is ready, and leave none behind."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "importing_process.py"),
        url,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            assert process.stdout is not None
            assert (await process.stdout.readline()).decode().strip() == READY
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def watch(
    client: httpx.AsyncClient, location: str, process: asyncio.subprocess.Process, *, until: Callable[[int], bool]
) -> Watched:
    """Look at an import over REST until enough of its rows are done, or the process has ended."""
    found, loop = Watched(), asyncio.get_running_loop()
    began_mb, since = resident_mb(process.pid), loop.time()
    while process.returncode is None:
        found.shown = (await client.get(location)).json()
        look = (found.shown["rows"]["read"], found.shown["rows"]["done"])
        if not found.looks or look != found.looks[-1]:
            found.looks.append(look)
            since = loop.time()
        found.longest_seconds = max(found.longest_seconds, loop.time() - since)
        found.grown_mb = max(found.grown_mb, resident_mb(process.pid) - began_mb)
        if until(look[1]):
            break
        await asyncio.sleep(LOOK_SECONDS)
    return found


def resident_mb(pid: int) -> float:
    """Give the memory of a process; 0 once it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / MEGABYTE


# All columns but those that name this order, or say when the database wrote it.
_STORED = {
    "orders": """
        select external_id as place, (to_jsonb(t) - '{id,account_id,created_at,changed_at,followed_at}'::text[])::text
        from orders t where account_id = $1
    """,
    "order_terms": """
        select external_id || kind || value, kind || value from order_terms t join orders on orders.id = t.order_id
        where account_id = $1
    """,
    "buyer_terms": """
        select external_id || kind || digest::text, kind || digest::text
        from buyer_terms t join orders on orders.id = t.order_id where account_id = $1
    """,
    "import_rows": """
        select to_char(number, '0000000'),
            (to_jsonb(t) - '{import_id,order_id}'::text[])::text || coalesce(orders.external_id, '')
        from import_rows t join imports on imports.id = t.import_id left join orders on orders.id = t.order_id
        where imports.account_id = $1
    """,
    "raw_orders": """
        select external_id, t.version::text from raw_orders t join orders on orders.id = t.order_id
        where account_id = $1
    """,
    "facts": """
        select value->>'external_id' || (value->>'version'), type || (value - '{id,account_id,href}'::text[])::text
        from (select type, convert_from(value, 'UTF8')::jsonb as value from outbox where topic = 'hanro.orders') t
        where value->>'account_id' = $1
    """,
}


async def stored(db: Database, urls: SchemaUrls, account_id: str) -> dict[str, tuple[int, str]]:
    """Give how many rows an account has in each table, and a digest of all that they say."""
    connection = await asyncpg.connect(urls.owner, timeout=SECONDS)
    try:
        await connection.execute(f'set search_path = "{urls.schema}"')
        found = {}
        for table, told in _STORED.items():
            digest = await connection.fetchrow(
                f"""
                select count(*), md5(string_agg(md5(regexp_replace(said, 'lin_[0-9A-Z]{{26}}', '', 'g')), ''
                    order by place collate "C"))
                from ({told}) as told (place, said)
                """,  # noqa: S608  statements of this test
                account_id,
                timeout=SECONDS,
            )
            found[table] = tuple(digest)
        ids = [
            row["id"]
            for row in await connection.fetch(
                'select id from orders where account_id = $1 order by external_id collate "C"', account_id
            )
        ]
    finally:
        await connection.close(timeout=SECONDS)
    return found | {"buyers": await opened(db, ids)}


async def opened(db: Database, ids: list[str]) -> tuple[int, str]:
    """Give how many of these orders have a buyer's part, and a digest of what it says once it is opened."""
    count, whole = 0, hashlib.sha256()
    for start in range(0, len(ids), SLICE):
        wanted = ids[start : start + SLICE]
        async with db.begin() as tx:
            found = await buyers.personal_of(tx, fixed_keyring(), wanted)
        count += len(found)
        for order_id in wanted:
            whole.update(repr(found.get(order_id)).encode())
    return count, whole.hexdigest()


@pytest.mark.row("O5", kind="walks")
@pytest.mark.row("O3", kind="walks")
async def test_a_large_file_whose_taker_is_killed_midway_is_in_as_if_nobody_had_disturbed_it(
    db: Database, urls: SchemaUrls, record_property: Callable[[str, object], None]
) -> None:
    playground, parts = Playground(), parts_for(urls)
    await tell(db, *(activated(id=one, account_id=one) for one in ACCOUNTS))
    routes = imports_api.make_routes(
        parts.db,
        parts.keyring,
        parts.idempotency,
        parts.cursors,
        {playground.id: plugin(playground)},
        largest_bytes=LARGEST,
    )
    async with serve(parts, routes) as client:
        undisturbed = await send(client, ACCOUNTS[0])
        async with working(urls.runtime) as process:
            whole = await watch(client, undisturbed, process, until=lambda _done: False)
            assert await process.wait() == 0
        first = (await client.get(undisturbed)).json()
        assert first["state"] == "done", first["failure"]

        disturbed = await send(client, ACCOUNTS[1])
        async with working(urls.runtime) as process:
            half = await watch(client, disturbed, process, until=lambda done: done >= KILLED_AT)
            assert process.returncode is None, half.shown
            process.kill()
            assert await process.wait() == -signal.SIGKILL
        left = (await client.get(disturbed)).json()
        assert left["state"] == "storing"
        assert KILLED_AT <= left["rows"]["done"] < ROWS
        async with working(urls.runtime) as process:
            rest = await watch(client, disturbed, process, until=lambda _done: False)
            assert await process.wait() == 0

        second = (await client.get(disturbed)).json()
    await parts.close()

    assert {name: first[name] for name in ("state", "rows", "orders", "failure", "notices")} == {
        name: second[name] for name in ("state", "rows", "orders", "failure", "notices")
    }
    assert first["rows"]["done"] == first["rows"]["read"] == ROWS
    orders = ROWS // 2 - len(range(1, ROWS // 2, BROKEN))
    assert first["orders"] == {"new": orders, "changed": 0, "unchanged": 0}
    mine, theirs = [await stored(db, urls, one) for one in ACCOUNTS]
    assert mine == theirs
    # One fact an order, and none else: it was placed.
    assert mine["orders"][0] == mine["facts"][0] == mine["buyers"][0] == mine["raw_orders"][0] == orders
    async with db.begin() as tx:
        assert await tx.fetch("select distinct type from outbox where topic = 'hanro.orders'") == [
            ("hanro.order.placed.v1",)
        ]
    for seen in (whole, half, rest):
        # Far apart from each other steps would not be told as they are made.
        assert seen.looks == sorted(seen.looks)
        assert seen.grown_mb <= MOST_GROWN_MB
    assert len(whole.looks) > len({0, ROWS})
    record_property("figure: memory grown, MB", round(max(one.grown_mb for one in (whole, half, rest))))
    record_property("figure: longest without progress, s", round(whole.longest_seconds, 2))
