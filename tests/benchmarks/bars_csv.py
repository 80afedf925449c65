"""Files of orders: taken in beside inserting the same rows, the memory that takes, the longest without progress.

The baseline inserts all that is stored once the file is in, as many orders a transaction: orders, buyers, bytes, terms,
facts, and what became of each row of the file. The file itself and where its rows stand are gone by then, so the
baseline writes neither. How the import compares with the orders' tables alone is shown beside it, without a bar.
"""

import asyncio
import csv
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from bars_ingest import TABLES, in_schema, open_shop
from baselines import ready_rows
from bench_places import Places, run
from bench_table import Row, limit, ratio

from hanro.clock import SystemClock
from hanro.db import Database, connect
from hanro.marketplace import installed
from hanro.testing.callers import fixed_keyring
from hanro_local.databases import SchemaUrls
from order_svc import imports
from order_svc.domain.accounts import Account
from order_svc.importer import Importer
from order_svc.imports import Asked, Upload
from order_svc.store import accounts as accounts_store

ROWS = 200_000
ALONE = 4_000
PAGE = imports.MOST_ORDERS
REPETITIONS = 3
MEGABYTE = 1024 * 1024
OUTCOMES = {**TABLES, "import_rows": "number"}
OWN = ("imports", "import_chunks", "import_runs", *OUTCOMES)
SAMPLE = Path(__file__).parents[2] / "libs/marketplaces/rakuten_ichiba/tests/rms_orders.csv"
ASKED = Asked(account_id="acc_1", mode="update", is_dry_run=False, reserves_stock=False)


def csv_files(places: Places) -> list[Row]:
    """Compare taking a file in with inserting the rows that it became, then take a large one in and watch."""
    ours, bare = places.database("orders"), places.database("orders")
    pairs, alone = run(_measure(places, ours, bare))
    large = places.database("orders")
    told = subprocess.run(
        [sys.executable, __file__, large.runtime, str(ROWS)], check=True, capture_output=True, text=True
    )
    found = json.loads(told.stdout.splitlines()[-1])
    return [
        ratio("csv", "orders of a file, two rows each", pairs, passes=0.3, stretch=0.4),
        ratio("csv", "against rows of orders alone", alone),
        limit("csv", f"memory, {ROWS:,} rows", [found["grown_mb"]], unit="MB", passes=150, stretch=75),
        limit("csv", "longest without progress", [found["longest_seconds"]], unit="s", passes=2, stretch=1),
        limit("csv", f"time, {ROWS:,} rows", [found["seconds"]], unit="s", passes=None, stretch=None),
    ]


async def _measure(
    places: Places, ours: SchemaUrls, bare: SchemaUrls
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Give both rates a repetition: beside all that is stored, and beside the rows of orders alone."""
    db = connect(ours.runtime, schema="orders")
    try:
        await _open_account(db)
        await _take_in(db, ALONE // 10)
        whole: list[tuple[float, float]] = []
        alone: list[tuple[float, float]] = []
        for _ in range(REPETITIONS):
            await places.empty(ours, OWN)
            await _upload(db, ALONE)
            mine = ALONE / 2 / await _work(db)
            for tables, found in ((OUTCOMES, whole), (TABLES, alone)):
                ready = await ready_rows.read_pages(in_schema(ours), tables, PAGE)
                await places.empty(bare, list(tables))
                found.append((mine, ALONE / 2 / await ready_rows.insert_pages(in_schema(bare), ready)))
        return whole, alone
    finally:
        await db.close()


async def _open_account(db: Database) -> Account:
    account = (await open_shop(db)).account
    async with db.begin() as tx:
        await accounts_store.save_accounts(tx, [account])
    return account


async def _take_in(db: Database, count: int) -> None:
    await _upload(db, count)
    await _work(db)


async def _upload(db: Database, count: int) -> str:
    """Send a file in as its route does; it is never whole in memory."""
    upload = Upload(db, fixed_keyring())
    await upload.begin()
    for piece in _pieces(count):
        await upload.take(piece)
    await upload.end()
    async with db.begin() as tx:
        return (await imports.accept(tx, installed(), upload, ASKED, account_ids=None, by="bench")).id


def _pieces(count: int) -> Iterator[bytes]:
    """Yield a file of RMS, two rows an order, as the dossier's sample shows them."""
    header, *rows = csv.reader(io.StringIO(SAMPLE.read_text(encoding="utf-8"), newline=""))
    place = header.index("注文番号")
    yield _written([header])
    for number in range(count // 2):
        yield _written([[*row[:place], f"999001-20260511-{number:010}", *row[place + 1 :]] for row in rows[:2]])


def _written(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("cp932")


async def _work(db: Database) -> float:
    started = time.perf_counter()
    importer = Importer(db, fixed_keyring(), installed(), SystemClock(), lease=timedelta(minutes=5))
    if not await importer.take_next(asyncio.Event()):
        raise RuntimeError("there is no import")
    async with db.begin() as tx:
        (row,) = await tx.fetch("select state, failure::text from imports order by id desc limit 1")
    if row["state"] != "done":
        raise RuntimeError(f"{row['state']} {row['failure']}")
    return time.perf_counter() - started


async def _watch(db: Database, import_id: str, found: dict[str, float]) -> None:
    """Note the longest time for which a caller saw no progress, and the most memory."""
    seen, since = None, time.perf_counter()
    while True:
        async with db.begin() as tx:
            shown = await imports.get_(tx, import_id, account_ids=None)
        progress = (shown.row_count, shown.done_count)
        if progress != seen:
            seen, since = progress, time.perf_counter()
        found["longest_seconds"] = max(found["longest_seconds"], time.perf_counter() - since)
        found["most_mb"] = max(found["most_mb"], _resident_mb())
        await asyncio.sleep(0.05)


async def _large(url: str, count: int) -> dict[str, float]:
    db = connect(url, schema="orders")
    await _open_account(db)
    await _take_in(db, 400)
    before = _resident_mb()
    found = {"longest_seconds": 0.0, "most_mb": before}
    import_id = await _upload(db, count)
    watching = asyncio.create_task(_watch(db, import_id, found))
    seconds = await _work(db)
    watching.cancel()
    await db.close()
    return {**found, "grown_mb": found["most_mb"] - before, "seconds": seconds}


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / MEGABYTE


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(_large(sys.argv[1], int(sys.argv[2])))) + "\n")
