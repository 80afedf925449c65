"""Orders as CSV: the memory that a large file takes, how many rows leave a second, how soon the first one does."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from bench_order import Asking, opened
from bench_places import run
from bench_table import Row, limit

from hanro_local.databases import SchemaUrls

PATH = "/v1/orders.csv"
SHOP = "shp_1"
"""A quarter of the accounts are its."""
MEGABYTE = 1024 * 1024
SMALL = {"external_id": "past-1"}
# What is looked through before it leaves has an end: one account's.
FILES: Mapping[str, dict[str, str]] = {"utf-8-sig": {}, "cp932": {"account_id": "acc_4"}}


def export(urls: SchemaUrls) -> list[Row]:
    """Export a quarter of the orders that are there as UTF-8, a twentieth as cp932, in a process of its own."""
    told = subprocess.run([sys.executable, __file__, urls.runtime], check=True, capture_output=True, text=True)
    rows = []
    for encoding, found in json.loads(told.stdout.splitlines()[-1]).items():
        what = f"{found['rows']:,} rows as {encoding}"
        rows += [
            limit("export", f"memory, {what}", [found["grown_mb"]], unit="MB", passes=50, stretch=20),
            limit(
                "export",
                f"time a 10,000 rows, {what}",
                [found["seconds"] * 10_000 / found["rows"]],
                unit="s",
                passes=None,
                stretch=None,
            ),
            limit(
                "export", f"until the first row, {what}", [found["first_seconds"]], unit="s", passes=None, stretch=None
            ),
        ]
    return rows


async def _measure(url: str) -> dict[str, dict[str, float]]:
    async with opened(url) as (_, anybody):
        asking = anybody.of_shop(SHOP)
        found = {}
        for encoding, narrowed in FILES.items():
            await asking.ask(urlencode(SMALL | {"encoding": encoding}), path=PATH)
            found[encoding] = await _export(asking, urlencode(narrowed | {"encoding": encoding}))
        return found


async def _export(asking: Asking, query: str) -> dict[str, float]:
    before, began = _resident(), time.perf_counter()
    highest, lines, first = before, 0, 0.0

    def see(body: bytes) -> None:
        nonlocal highest, lines, first
        lines += body.count(b"\n")
        first = first or time.perf_counter() - began
        highest = max(highest, _resident())

    seconds = await asking.ask(query, path=PATH, see=see)
    return {
        "rows": lines - 1,
        "seconds": seconds,
        "first_seconds": first,
        "grown_mb": (max(highest, _resident()) - before) / MEGABYTE,
    }


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(run(_measure(sys.argv[1])))}\n")
