"""V4 and V14: orders through the whole poller, from the simulator's process, held to its limit, to stored rows."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import ceil

import bench_market
from bench_market import Market, place
from bench_places import Places, run
from bench_table import Row, limit, ratio

from hanro.db import Database, connect
from hanro_local.databases import SchemaUrls
from order_svc.accounts import job_of
from order_svc.poller import Pace, Poller

ORDERS = 10_000
BATCH = 1_000
PER_ORDER_REQUEST, PER_SEARCH = 100, 1_000
SHOPS = 10
PLACED = 200
STRETCH_SECONDS = 90.0
POLL = Pace().new_every
WITHIN = timedelta(seconds=3)
LOOK_SECONDS = 0.1
SECONDS = 300.0


def v4(places: Places, count: int = ORDERS) -> list[Row]:
    """Let a shop have ten thousand orders when it is linked, and give the rate at which they are stored.

    The sweep over open orders is not due meanwhile: it would share the limit and show the same orders.
    """
    urls = places.database("orders")
    with bench_market.opened() as market:
        rate = run(_pull(market, urls, count))
    # One request a second, of which each brings a hundred orders, behind the search: a thousand numbers a page, and
    # where there are several the first one twice, since numbers move up while they are read.
    pages = ceil(count / PER_SEARCH)
    searches = 1 if pages == 1 else pages + 1
    ceiling = count / (ceil(count / PER_ORDER_REQUEST) + searches)
    what = f"order pull, {count:,} orders of one shop, against its limit"
    return [ratio("V4", what, [(rate, ceiling)], passes=0.95, stretch=0.97)]


def v14(places: Places, shops: int = SHOPS, count: int = PLACED, stretch: float = STRETCH_SECONDS) -> list[Row]:
    """Let buyers order at any time at some shops, and give how long it took until an order was stored."""
    urls = places.database("orders")
    with bench_market.opened() as market:
        waits = sorted(run(_wait(market, urls, shops, count, stretch)))
    worst = waits[min(len(waits) - 1, int(len(waits) * 0.99))]
    half = waits[len(waits) // 2]
    poll = POLL.total_seconds()
    passes, better = poll + WITHIN.total_seconds(), poll + 2
    what = f"marketplace's order to stored order, {count} orders at {shops} shops, a poll each {poll:.0f} s"
    return [
        limit("V14", f"{what}: p99", [worst], unit="s", passes=passes, stretch=better),
        limit("V14", f"{what}: p50", [half], unit="s", passes=None, stretch=None),
    ]


async def _pull(market: Market, urls: SchemaUrls, count: int) -> float:
    async with _linked(market, urls, 1) as (db, (number,)):
        for start in range(0, count, BATCH):
            # Some minutes ago: an order of this very second may stand on either side of the window's end.
            wish = {"placed_days_ago": 0.05, "every_seconds": 0.01}
            await place(market.url, number, count=min(BATCH, count - start), wish=wish)
        async with db.begin() as tx:
            await tx.execute("update due set next_at = next_at + interval '1 hour' where job <> $1", job_of("placed"))
        began = time.perf_counter()
        async with _polling(market, db):
            await _stored(db, count)
            return count / (time.perf_counter() - began)


async def _wait(market: Market, urls: SchemaUrls, shops: int, count: int, stretch: float) -> list[float]:
    """Give the seconds from before each order was placed until its row was written, by the same machine's clock."""
    chance = random.Random(count)  # noqa: S311  repeatable on purpose
    moments = sorted(chance.uniform(0, stretch) for _ in range(count))
    async with _linked(market, urls, shops) as (db, numbers), _polling(market, db):
        await _all_read(db, shops)
        began, placed_at = time.perf_counter(), {}
        for moment in moments:
            await asyncio.sleep(max(0.0, began + moment - time.perf_counter()))
            before = datetime.now(UTC)
            (external_id,) = await place(market.url, chance.choice(numbers))
            placed_at[external_id] = before
        await _stored(db, count)
        async with db.begin() as tx:
            rows = await tx.fetch("select external_id, created_at from orders")
    return [(row["created_at"] - placed_at[row["external_id"]]).total_seconds() for row in rows]


@asynccontextmanager
async def _linked(market: Market, urls: SchemaUrls, shops: int) -> AsyncIterator[tuple[Database, list[str]]]:
    db = connect(urls.runtime, schema=urls.schema)
    try:
        yield db, await market.open_shops(db, shops)
    finally:
        await db.close()


@asynccontextmanager
async def _polling(market: Market, db: Database) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with market.means(db) as means, asyncio.TaskGroup() as group:
        group.create_task(Poller(means).run(stop))
        try:
            yield
        finally:
            stop.set()


async def _stored(db: Database, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            async with db.begin() as tx:
                ((found,),) = await tx.fetch("select count(*) from orders")
            if found >= count:
                return
            await asyncio.sleep(LOOK_SECONDS)


async def _all_read(db: Database, shops: int) -> None:
    """Wait until each shop's newest orders were looked for once."""
    async with asyncio.timeout(SECONDS):
        while True:
            async with db.begin() as tx:
                ((read,),) = await tx.fetch(
                    "select count(*) from cursors where route = 'placed' and covered_until is not null"
                )
            if read == shops:
                return
            await asyncio.sleep(LOOK_SECONDS)
