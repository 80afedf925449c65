"""Growth: what the planner does with every hot statement at a million orders: none may read a whole table.

The statements are those that the real use cases send; each is explained before it runs.
"""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import filled
from bars_ingest import NOON, map_page, open_shop, pages_of, take_in
from bars_stop import order_placed
from bench_places import Places, run
from bench_table import Row, limit

from catalog_svc.consumers import on_orders as catalog_on_orders
from hanro import due, effects, outbox
from hanro.archive import events_after, move
from hanro.clock import SystemClock
from hanro.db import Database, Transaction, connect
from hanro.events.envelope import Received
from hanro.marketplace import installed
from hanro.marketplace.types import MarketplaceId
from hanro.subscriptions import Subscription
from hanro.testing.callers import fixed_keyring
from hanro_local.databases import SchemaUrls
from notifier_svc.consumers import on_orders as notifier_on_orders
from notifier_svc.store import claims, messages
from order_svc import buyers, orders
from order_svc.domain.terms import term
from order_svc.orders import ingest_fetched
from order_svc.store import orders as orders_store
from order_svc.store.lists import Filter

ORDERS = 1_000_000
# A table below this is read whole at no cost: accounts, cursors, jobs.
LARGE = 10_000
BATCH = 100
_LARGE_TABLES = """
    select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = current_schema() and relkind = 'r' and reltuples >= $1
"""


class WatchedTransaction:
    """Be a transaction that has each statement explained before it runs it."""

    def __init__(self, tx: Transaction, plans: dict[str, set[str]]) -> None:
        self._tx = tx
        self._plans = plans

    def __getattr__(self, name: str) -> object:
        return getattr(self._tx, name)

    async def fetch(self, sql: str, *args: object) -> list[Any]:
        """Explain, then fetch."""
        await self._explain(sql, args)
        return await self._tx.fetch(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        """Explain, then execute."""
        await self._explain(sql, args)
        return await self._tx.execute(sql, *args)

    async def _explain(self, sql: str, args: Sequence[object]) -> None:
        ((plan,),) = await self._tx.fetch(f"explain (format json) {sql}", *args)
        (top,) = plan
        self._plans.setdefault(" ".join(sql.split()), set()).update(_scanned(top["Plan"]))


class WatchedDatabase:
    """Be a database whose transactions are watched; `plans` holds the tables that each statement reads whole."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.plans: dict[str, set[str]] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._db, name)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """Open a watched transaction."""
        async with self._db.begin() as tx:
            yield cast("Transaction", WatchedTransaction(tx, self.plans))

    async def run(self, work: Callable[[Transaction], Awaitable[Any]]) -> Any:
        """Do the work once."""
        async with self.begin() as tx:
            return await work(tx)


def plans(places: Places, count: int = ORDERS) -> list[Row]:
    """Explain the hot statements of the three services that keep something for each order."""
    rows = []
    for schema, use, consumer in (
        ("orders", _use_orders, None),
        ("catalog", _use_catalog, "catalog.orders"),
        ("notifier", _use_notifier, "notifier.orders"),
    ):
        urls = places.database(schema)
        statements, offenders = run(_explained(places, urls, use, consumer, count))
        what = f"{schema}: hot statements of {statements} that read a large table whole, at {count:,} orders"
        for offender in offenders:
            what += f"; {offender}"
        rows.append(limit("plans", what, [len(offenders)], unit="", passes=0, stretch=None))
    return rows


async def _explained(
    places: Places,
    urls: SchemaUrls,
    use: Callable[[Database], Awaitable[None]],
    consumer: str | None,
    count: int,
) -> tuple[int, list[str]]:
    """Give how many statements were seen, and those that read a large table whole."""
    admin = urlsplit(places.admin_url)._replace(path=urlsplit(urls.runtime).path).geturl()
    await filled.fill(admin, urls, count, consumer=consumer)
    db = connect(urls.runtime, schema=urls.schema)
    watched = WatchedDatabase(db)
    try:
        async with db.begin() as tx:
            large = {row[0] for row in await tx.fetch(_LARGE_TABLES, LARGE)}
        await use(cast("Database", watched))
    finally:
        await db.close()
    offenders = [f"{sorted(tables & large)} by: {sql[:160]}" for sql, tables in watched.plans.items() if tables & large]
    return len(watched.plans), offenders


async def _use_orders(db: Database) -> None:
    """Claim, take a page in, new, again and changed; follow up, look up, list, publish, and read what was published."""
    (body,) = pages_of(1)
    shop = await open_shop(db)
    for seen in (body, body, body.replace(b'"orderProgress":100', b'"orderProgress":300')):
        await take_in(db, [shop], [seen])
    wanted = await orders.list_to_read_again(
        db, "acc_1", open_statuses=["new"], seen=["past-1"], known_before=NOON, older_than=timedelta(), limit=BATCH
    )
    sightings = await map_page(body)
    await ingest_fetched(
        db,
        fixed_keyring(),
        sightings,
        account=shop.account,
        plugin=installed()[MarketplaceId("rakuten_ichiba")],
        at=NOON,
        followed=[order.id for order in wanted],
    )
    await due.claim(db, ["orders:placed"], limit=32, lease=timedelta(minutes=1), clock=SystemClock())
    async with db.begin() as tx:
        await orders_store.find_order(tx, wanted[0].id)
        await orders_store.lock_visible(tx, wanted[0].id, None)
        await orders_store.get_orders(tx, [order.id for order in wanted])
        for shown in _filters():
            await orders.list_(tx, shown, before_id=None, limit=50)
        await buyers.personal(tx, fixed_keyring(), wanted[0].id + "-")
        await outbox.backlog(tx)
        await move(tx, [1, 2, 3], "/order-svc")
    await events_after(db, 0, BATCH)


def _filters() -> Iterator[Filter]:
    """Give what callers narrow the list of orders by: their accounts always, one thing more, or two."""
    mine = Filter(account_ids=["acc_1", "acc_2"])
    yield mine
    day: dict[str, Any] = {"placed_from": NOON - timedelta(days=3), "placed_to": NOON - timedelta(days=2)}
    lately: dict[str, Any] = {"changed_from": NOON - timedelta(days=1), "changed_to": NOON}
    effects: dict[str, Any] = {"effects": ("accept", "ship", "cancel")}
    narrowed: tuple[dict[str, Any], ...] = (
        {"statuses": ["new"]},
        {"work_state": "new"},
        {"external_id": "past-7"},
        {"is_quarantined": True},
        {"is_test": True},
        {"has_error": True, **effects},
        {"has_error": False, **effects},
        {"sku": term("sku", "tea-1")},
        {"sku": term("sku", "SKU-1")},
        {"tracking_number": term("tracking", "0000-0000-0000")},
        {"buyer": buyers.sought(fixed_keyring(), "phone", "03-0000-0000")},
        {"unacknowledged_by": "erp"},
        {"unacknowledged_by": "wms"},
        {"decide_before": NOON},
        day,
        lately,
        {"statuses": ["new"], "work_state": "new"},
        {"statuses": ["completed"], "work_state": "new"},
        {"statuses": ["new"], **day},
        {"work_state": "new", **lately},
        {"sku": term("sku", "SKU-1"), "statuses": ["new"]},
        {"sku": term("sku", "tea-1"), **day},
        {"unacknowledged_by": "erp", "statuses": ["new"]},
        {"unacknowledged_by": "wms", "statuses": ["new"]},
    )
    for more in narrowed:
        yield dataclasses.replace(mine, **more)


async def _use_catalog(db: Database) -> None:
    """Hear of orders, new and again with another version."""
    await _hear(db, catalog_on_orders(installed(), SystemClock()))


async def _use_notifier(db: Database) -> None:
    """Hear of orders, claim what is due, take over, and show the history."""
    await _hear(db, notifier_on_orders(lambda: None))
    async with db.begin() as tx:
        await claims.claim_messages(tx, account_limit=8, limit_each=10, lease=timedelta(minutes=1), busy=["acc_3"])
        await claims.take_over(tx, limit=BATCH)
        for order_id, account_id in (("ord_" + "7".zfill(26), None), (None, "acc_1")):
            await messages.list_messages(
                tx, shop_ids=["shp_1"], order_id=order_id, account_id=account_id, state=None, before=None, limit=50
            )


async def _hear(db: Database, subscription: Subscription[Any, Any]) -> None:
    facts = [order_placed(ORDERS + place) for place in range(1, BATCH + 1)]
    again = [fact.model_copy(update={"version": 2}) for fact in facts]
    for told in (facts, again):
        async with db.begin() as tx:
            effect = await effects.put(tx, subscription, [Received(fact, headers=()) for fact in told])
        if effect.failures:
            raise ExceptionGroup("facts failed", list(effect.failures.values()))


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    """Give the tables that a plan reads whole."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _scanned(part)
