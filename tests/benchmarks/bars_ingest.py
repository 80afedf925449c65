"""V5 and V6: a page's JSON to committed orders and facts, first seen and polled again."""

import asyncio
import json
import os
import random
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from baselines import ready_rows
from bench_places import Places, run
from bench_service import resident_megabytes
from bench_table import Row, limit, ratio

from hanro import due
from hanro.clock import SystemClock
from hanro.db import Database, connect
from hanro.due import Lease
from hanro.marketplace import installed
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId, Sighting, Window
from hanro.testing.callers import fixed_keyring
from hanro_local.databases import SchemaUrls
from hanro_rakuten_ichiba.decoding import decode
from hanro_rakuten_ichiba.reading import map_orders
from hanro_rakuten_ichiba.simulator.buyers import invent_order
from order_svc.domain.accounts import Account
from order_svc.domain.windows import RouteCursor
from order_svc.orders import Page, ingest
from order_svc.store import cursors as cursors_store

PAGE = 100
PAGES = 20
REPETITIONS = 3
NOON = datetime(2026, 5, 11, 3, tzinfo=UTC)
TABLES = {
    "orders": "id",
    "buyers": "order_id",
    "raw_orders": "order_id",
    "order_terms": "order_id",
    "buyer_terms": "order_id",
    "outbox": "id",
}
LEASE = timedelta(minutes=30)
WORK = "its CPU an order"


@dataclass(frozen=True)
class Shop:
    """Be one account whose pages are taken in, under a lease that lasts."""

    account: Account
    plugin: Plugin
    lease: Lease
    cursor: RouteCursor


def pages_of(count: int, *, shop_number: str = "999001") -> list[bytes]:
    """Give answers of getOrder as the marketplace sends them, a hundred different orders each."""
    chance = random.Random(count)  # noqa: S311  repeatable on purpose
    orders = [
        invent_order(chance, shop_number=shop_number, placed_at=NOON, sequence=place + 1, wishes={})
        for place in range(count * PAGE)
    ]
    return [
        json.dumps(
            {"version": 10, "MessageModelList": [], "OrderModelList": orders[start : start + PAGE]},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        for start in range(0, len(orders), PAGE)
    ]


def both(places: Places, repetitions: int = REPETITIONS, pages: int = PAGES) -> list[Row]:
    """Compare taking in pages, new and polled again, with inserting the same rows.

    Two shops in flight, as a worker reads up to 32 at once; one shop alone is shown beside it.
    """
    ours, bare = places.database("orders"), places.database("orders")
    found = run(_measure(places, ours, bare, pages_of(pages), repetitions))

    def pairs(name: str) -> list[tuple[float, float]]:
        return [(turn[name], turn["bare"]) for turn in found]

    def work(name: str) -> list[tuple[float, float]]:
        return [(turn[f"{name}, work"], turn["bare, work"]) for turn in found]

    return [
        ratio("V5", "new orders, two shops in flight", pairs("new"), passes=0.40, stretch=0.55),
        ratio("V5", "new orders, one shop alone", pairs("new alone")),
        ratio("V5", WORK, work("new"), is_at_least=False, unit="us"),
        ratio("V6", "polled again, two shops in flight", pairs("again"), passes=0.80, stretch=1.0),
        ratio("V6", "polled again, one shop alone", pairs("again alone")),
        ratio("V6", WORK, work("again"), is_at_least=False, unit="us"),
        limit(
            "V15",
            "resident memory during V5, the bench in it",
            [turn["memory"] for turn in found],
            unit="MB",
            passes=300,
            stretch=200,
        ),
    ]


async def _measure(
    places: Places, ours: SchemaUrls, bare: SchemaUrls, bodies: Sequence[bytes], repetitions: int
) -> list[dict[str, float]]:
    count = len(bodies) * PAGE
    db = connect(ours.runtime, schema="orders")
    try:
        shops = [await open_shop(db, account_id) for account_id in ("acc_1", "acc_2")]
        # One turn unmeasured: connections, prepared statements, caches.
        await take_in(db, shops, bodies[:4])
        found = []
        for _ in range(repetitions):
            await places.empty(ours, list(TABLES))
            new, new_work = await _with_work(take_in(db, shops, bodies))
            again, again_work = await _with_work(take_in(db, shops, bodies))
            await places.empty(ours, list(TABLES))
            new_alone = await take_in(db, shops[:1], bodies)
            again_alone = await take_in(db, shops[:1], bodies)
            # Python gives little back: this is the most that was held.
            memory = resident_megabytes(os.getpid())
            ready = await ready_rows.read_pages(in_schema(ours), TABLES, PAGE)
            await places.empty(bare, list(TABLES))
            base, base_work = await _with_work(ready_rows.insert_pages(in_schema(bare), ready))
            found.append(
                {
                    "new": count / new,
                    "again": count / again,
                    "new alone": count / new_alone,
                    "again alone": count / again_alone,
                    "bare": count / base,
                    "new, work": new_work * 1e6 / count,
                    "again, work": again_work * 1e6 / count,
                    "bare, work": base_work * 1e6 / count,
                    "memory": memory,
                }
            )
        return found
    finally:
        await db.close()


async def _with_work(measured: Awaitable[float]) -> tuple[float, float]:
    """Give the seconds that were measured, and for how many of this process's own a processor was busy."""
    began = time.process_time()
    seconds = await measured
    return seconds, time.process_time() - began


def in_schema(urls: SchemaUrls) -> str:
    """Give the runtime role's URL with the schema as its search path."""
    return f"{urls.runtime}?options=-csearch_path%3D{urls.schema}"


async def take_in(db: Database, shops: Sequence[Shop], bodies: Sequence[bytes]) -> float:
    """Take pages in as the poller does once the bytes have come, and give the seconds; each shop has its share."""
    started = time.perf_counter()
    await asyncio.gather(*(_take_in(db, shop, bodies[place :: len(shops)]) for place, shop in enumerate(shops)))
    return time.perf_counter() - started


async def _take_in(db: Database, shop: Shop, bodies: Sequence[bytes]) -> None:
    keyring = fixed_keyring()
    for body in bodies:
        sightings = await map_page(body)
        page = Page(sightings=sightings, position=None)
        await ingest(
            db,
            keyring,
            shop.lease,
            shop.cursor,
            page,
            account=shop.account,
            plugin=shop.plugin,
            at=NOON,
            clock=SystemClock(),
            next_at=None,
        )


async def map_page(body: bytes) -> list[Sighting]:
    """Turn an answer's bytes into sightings as the plug-in does."""
    return await map_orders(decode(body).orders, NOON)


async def open_shop(db: Database, account_id: str = "acc_1") -> Shop:
    """Make an account's cursors and a lease."""
    async with db.begin() as tx:
        await cursors_store.plan_cursors(tx, account_id, ["placed"])
        await due.plan(tx, account_id, "placed")
    (lease,) = await due.claim(db, ["placed"], limit=1, lease=LEASE, clock=SystemClock())
    return Shop(
        account=Account(
            id=account_id,
            version=1,
            epoch=1,
            marketplace_id="rakuten_ichiba",
            display_name="見本ストア",
            state="active",
            is_enabled=True,
            reason_code=None,
            credential_version=1,
            orders_from=None,
            shop_ids=("shp_1",),
        ),
        plugin=installed()[MarketplaceId("rakuten_ichiba")],
        lease=lease,
        cursor=RouteCursor(
            account_id=account_id,
            route="placed",
            covered_until=None,
            window=Window(start=NOON - timedelta(days=1), end=NOON),
            position=None,
        ),
    )
