"""Orders and mappings on a real Postgres: twice, late, replayed and side by side are harmless."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog_svc import accounts, listings, products, stock
from catalog_svc.consumers import on_accounts, on_orders
from catalog_svc.domain.products import Product, Variant
from catalog_svc.listings import OfferMapping
from catalog_svc.store import reservations as reservation_store
from catalog_svc.store import stock as stock_store
from hanro.access_reports import AccessLog
from hanro.broker import Message
from hanro.clock import SystemClock
from hanro.consume import consume
from hanro.db import Database, Transaction, migrate
from hanro.errors import Rejected
from hanro.events import envelope
from hanro.events.accounts import AccountActivated
from hanro.events.fact import Fact
from hanro.events.orders import (
    BY_FILE,
    OrderCancelled,
    OrderChanged,
    OrderFact,
    OrderLine,
    OrderPlaced,
    OrderQuarantined,
    OrderShipped,
)
from hanro.marketplace import installed
from hanro.marketplace.types import MarketplaceId
from hanro.releasing import Releaser
from hanro.testing.memory_broker import MemoryBroker
from hanro_local.databases import SchemaUrls

MIGRATIONS = Path(__file__).parents[1] / "migrations"
NOON = datetime(2026, 5, 11, 3, 0, tzinfo=UTC)
KEYS = {"manage_number": "Towel-01", "variant_id": "m-white"}
PLUGINS = installed()


def prepare(urls: SchemaUrls) -> None:
    migrate(urls.owner, schema="catalog", migrations=MIGRATIONS, runtime_role="catalog_runtime")


pytestmark = pytest.mark.schema("catalog", prepare)


def account() -> AccountActivated:
    return AccountActivated(
        id="acc_1", version=1, at=NOON, account_id="acc_1", account_epoch=0,
        marketplace_id="rakuten_ichiba",
        display_name="見本店", state="active", is_enabled=True, shop_ids=("shp_1",),
    )  # fmt: skip


def order(
    kind: type[OrderFact],
    name: str,
    version: int,
    *,
    wanted: int,
    shipped: int = 0,
    returned: int = 0,
    shipped_before: int | None = None,
    is_test: bool = False,
) -> OrderFact:
    sold = OrderLine(
        id=f"lin_{name}", external_id="1", keys=KEYS, title="見本タオル", quantity=wanted + shipped,
        open_quantity=wanted,
        shipped_quantity=shipped, returned_quantity=returned, shipped_before=shipped_before, status="new",
    )  # fmt: skip
    return kind(
        id=f"ord_{name}", version=version, at=NOON, account_id="acc_1", account_epoch=0,
        marketplace_id="rakuten_ichiba",
        external_id=name, status="new", work_state="new", placed_at=NOON, first_seen_by="placed", lines=(sold,),
        milestones={"placed": NOON}, is_test=is_test, href=f"/v1/orders/ord_{name}",
    )  # fmt: skip


def log_of(db: Database) -> AccessLog:
    return AccessLog(db, SystemClock(), service="catalog-svc", count=accounts.count)


async def hear(db: Database, facts: Sequence[Fact]) -> None:
    """Publish facts to a broker in memory and let both consumers take all of them."""
    broker = MemoryBroker()
    await broker.ensure_topics(["hanro.accounts", "hanro.orders"])
    producer = broker.producer()
    await producer.start()
    messages = []
    for place, fact in enumerate(facts):
        key, value, headers = envelope.encode(fact, event_id=f"evt_{place}", source="/test", context={})
        messages.append(Message(topic=fact.topic, key=key, value=value, headers=headers))
    await producer.send_all(messages, timeout_seconds=5)
    stop = asyncio.Event()
    clock = SystemClock()
    async with asyncio.TaskGroup() as group:
        group.create_task(consume(db, broker, on_accounts(log_of(db)), clock=clock, stop=stop))
        group.create_task(consume(db, broker, on_orders(PLUGINS, clock), clock=clock, stop=stop))
        async with asyncio.timeout(20):
            while sum(sum(one.committed.values()) for one in broker.groups.values()) < len(facts):
                await asyncio.sleep(0.02)
        stop.set()


async def stand(db: Database, on_hand: int, *, is_mapped: bool = True) -> None:
    """Put the towel, its stock and its mapping in place."""
    await hear(db, [account()])
    async with db.begin() as tx:
        towel = Product(code="TOWEL", title="見本タオル", variants=(Variant(sku="TOWEL-M-WH", title="M 白"),))
        await products.restate(tx, None, towel)
        before = await stock.lock(tx, "TOWEL-M-WH")
        await stock.count(tx, before, stock.Count(sku="TOWEL-M-WH", on_hand=on_hand), at=NOON, by="test")
    if is_mapped:
        await adopt(db)


async def adopt(db: Database) -> None:
    async with db.begin() as tx:
        found = await listings.lock_account(tx, "acc_1")
        fields = PLUGINS[MarketplaceId("rakuten_ichiba")].key_fields
        await listings.adopt(tx, found, fields, [OfferMapping(keys=KEYS, sku="TOWEL-M-WH")], at=NOON, access=log_of(db))


async def figures(db: Database) -> tuple[int, int, int]:
    """Give on hand, committed and short."""
    async with db.begin() as tx:
        found = await stock_store.find_stock(tx, "TOWEL-M-WH")
        assert found is not None
        return found.on_hand, found.committed, found.short_count


async def recorded(db: Database) -> list[str]:
    async with db.begin() as tx:
        return [
            row["type"] for row in await tx.fetch("select type from outbox where topic <> 'hanro.access' order by id")
        ]


async def test_an_order_is_reserved_and_told_once_however_often_it_is_heard(db: Database) -> None:
    await stand(db, 10)
    placed = order(OrderPlaced, "a", 1, wanted=2)
    await hear(db, [placed, placed])
    told = await recorded(db)
    await hear(db, [placed])
    assert await figures(db) == (10, 2, 0)
    assert await recorded(db) == told
    assert told.count("hanro.stock.reserved.v1") == 1


async def test_an_older_fact_after_a_newer_one_changes_nothing(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [order(OrderCancelled, "a", 2, wanted=0)])
    await hear(db, [order(OrderPlaced, "a", 1, wanted=2)])
    assert await figures(db) == (10, 0, 0)


async def test_a_cancelled_order_lets_its_units_go_to_the_one_that_waits(db: Database) -> None:
    await stand(db, 3)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=2), order(OrderPlaced, "b", 1, wanted=2)])
    assert await figures(db) == (3, 3, 1)
    await hear(db, [order(OrderCancelled, "a", 2, wanted=0)])
    assert await figures(db) == (3, 2, 0)
    async with db.begin() as tx:
        held = await reservation_store.list_reservations(
            tx, shop_ids=None, order_id="ord_b", account_id=None, sku=None, after=None, limit=10
        )
    assert [line.reserved for line in held] == [2]


async def test_a_shortage_is_told(db: Database) -> None:
    await stand(db, 1)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=3)])
    assert await figures(db) == (1, 1, 2)
    assert (await recorded(db))[-2:] == ["hanro.stock.reserved.v1", "hanro.stock.oversell_risked.v1"]


async def test_shipped_units_leave_the_house(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=2)])
    await hear(db, [order(OrderShipped, "a", 2, wanted=0, shipped=2)])
    assert await figures(db) == (8, 0, 0)
    async with db.begin() as tx:
        moved = await stock_store.list_movements(tx, "TOWEL-M-WH", before=None, limit=5)
    assert [(movement.delta, movement.cause) for movement in moved] == [(-2, "shipped"), (10, "set")]


def lived(name: str, *, wanted: int, shipped_before: int = 0) -> list[OrderFact]:
    """Give the facts of an order that was placed and shipped."""
    whole = wanted + shipped_before
    return [
        order(OrderPlaced, name, 1, wanted=wanted, shipped=shipped_before, shipped_before=shipped_before),
        order(OrderShipped, name, 2, wanted=0, shipped=whole, shipped_before=shipped_before),
    ]


@pytest.mark.parametrize("split", [[2], [1, 1]], ids=["together", "one by one"])
async def test_what_was_placed_and_shipped_leaves_stock_whether_it_is_heard_together_or_one_by_one(
    db: Database, split: list[int]
) -> None:
    await stand(db, 10)
    facts = [*lived("a", wanted=2), *lived("b", wanted=1, shipped_before=3)]
    for place, count in enumerate(split):
        some = slice(place, place + count)
        await hear(db, [*facts[:2][some], *facts[2:][some]])
    await hear(db, [facts[1], order(OrderChanged, "a", 3, wanted=0, shipped=2, returned=5, shipped_before=0)])
    assert await figures(db) == (9, 0, 0)
    assert sum(delta for delta, _, _ in await causes(db)) == -1


async def test_an_order_whose_units_left_for_another_is_short_of_them_and_it_is_told(db: Database) -> None:
    await stand(db, 3)
    await hear(db, [order(OrderPlaced, "old", 1, wanted=1)])
    young = order(OrderPlaced, "young", 1, wanted=2).model_copy(update={"placed_at": NOON + timedelta(minutes=5)})
    await hear(db, [young])
    left = lived("a", wanted=1)
    await hear(db, left)
    assert await figures(db) == (2, 2, 1)
    assert (await recorded(db))[-2:] == ["hanro.stock.released.v1", "hanro.stock.oversell_risked.v1"]
    await hear(db, left)
    async with db.begin() as tx:
        held = await reservation_store.list_reservations(
            tx, shop_ids=None, order_id=None, account_id=None, sku=None, after=None, limit=10
        )
    assert {line.external_id: (line.reserved, line.gone) for line in held} == {
        "a": (0, 1), "old": (1, 0), "young": (1, 0)
    }  # fmt: skip
    await move_by_hand(db, 4, None)
    assert await figures(db) == (6, 3, 0)


async def test_an_order_whose_units_were_moved_by_hand_before_it_was_heard_of_moves_them_no_second_time(
    db: Database,
) -> None:
    await stand(db, 10)
    await move_by_hand(db, -2, "ord_a")
    await hear(db, lived("a", wanted=2))
    await hear(db, [fact.model_copy(update={"is_test": True}) for fact in lived("b", wanted=2)])
    await hear(db, [fact.model_copy(update={"reserves_stock": False}) for fact in lived("c", wanted=2)])
    assert await figures(db) == (8, 0, 0)


async def causes(db: Database) -> list[tuple[int, int, str]]:
    """Give the movements of the towel, the oldest first: units, what was there then, why."""
    async with db.begin() as tx:
        found = await stock_store.list_movements(tx, "TOWEL-M-WH", before=None, limit=9)
    return [(one.delta, one.on_hand_after, one.cause) for one in reversed(found)][1:]


@pytest.mark.row("O22", kind="walks")
@pytest.mark.row("P12", kind="walks")
@pytest.mark.row("P12", kind="refuses")
async def test_returned_units_are_in_stock_again_each_once_and_never_more_than_left(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=3)])
    await hear(db, [order(OrderShipped, "a", 2, wanted=0, shipped=3)])
    back = order(OrderChanged, "a", 3, wanted=0, shipped=3, returned=1)
    await hear(db, [back, back])
    assert await figures(db) == (8, 0, 0)
    await hear(db, [order(OrderChanged, "a", 4, wanted=0, shipped=3, returned=1)])
    assert await figures(db) == (8, 0, 0)
    await hear(db, [order(OrderChanged, "a", 5, wanted=0, shipped=3, returned=7)])
    assert await figures(db) == (10, 0, 0)
    assert await causes(db) == [(-3, 7, "shipped"), (1, 8, "returned"), (2, 10, "returned")]


async def test_what_left_and_came_back_unheard_of_is_written_down_as_both(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=3)])
    await hear(db, [order(OrderChanged, "a", 3, wanted=0, shipped=3, returned=3)])
    assert await figures(db) == (10, 0, 0)
    assert await causes(db) == [(3, 13, "returned"), (-3, 10, "shipped")]


async def test_units_that_came_back_are_held_for_an_order_that_lacks_them(db: Database) -> None:
    await stand(db, 3)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=3)])
    await hear(db, [order(OrderShipped, "a", 2, wanted=0, shipped=3), order(OrderPlaced, "b", 1, wanted=2)])
    assert await figures(db) == (0, 0, 2)
    await hear(db, [order(OrderChanged, "a", 3, wanted=0, shipped=3, returned=1)])
    assert await figures(db) == (1, 1, 1)


@pytest.mark.row("O22", kind="refuses")
async def test_units_that_never_left_our_stock_or_were_moved_by_hand_do_not_come_into_it(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [order(OrderShipped, "before", 1, wanted=0, shipped=3)])
    await hear(db, [order(OrderChanged, "before", 2, wanted=0, shipped=3, returned=3)])
    assert await figures(db) == (10, 0, 0)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=3)])
    await hear(db, [order(OrderShipped, "a", 2, wanted=0, shipped=3)])
    await move_by_hand(db, 2, "ord_a")
    await hear(db, [order(OrderChanged, "a", 3, wanted=0, shipped=3, returned=3)])
    assert await figures(db) == (9, 0, 0)


async def test_an_order_that_waited_for_its_mapping_is_reserved_when_it_comes(db: Database) -> None:
    await stand(db, 10, is_mapped=False)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=2)])
    assert await figures(db) == (10, 0, 0)
    await adopt(db)
    await adopt(db)
    assert await figures(db) == (10, 2, 0)
    assert (await recorded(db)).count("hanro.listing.adopted.v1") == 1


async def test_stock_that_arrives_fills_what_was_short(db: Database) -> None:
    await stand(db, 1)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=3)])
    async with db.begin() as tx:
        before = await stock.lock(tx, "TOWEL-M-WH")
        await stock.move(tx, before, 5, cause="delivery", note=None, order_id=None, at=NOON, by="test")
    assert await figures(db) == (6, 3, 0)


def from_file(kind: type[OrderFact], name: str, version: int, *, reserves_stock: bool, wanted: int = 2) -> OrderFact:
    """Give a fact of an order that a file brought first."""
    changed = {"first_seen_by": BY_FILE, "reserves_stock": reserves_stock}
    return order(kind, name, version, wanted=wanted).model_copy(update=changed)


async def move_by_hand(db: Database, delta: int, order_id: str | None) -> None:
    async with db.begin() as tx:
        before = await stock.lock(tx, "TOWEL-M-WH")
        await stock.move(tx, before, delta, cause="by_hand", note=None, order_id=order_id, at=NOON, by="test")


@pytest.mark.row("O6", kind="walks")
async def test_an_order_of_a_file_moves_no_stock_until_its_marketplace_shows_it_and_then_once(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [from_file(OrderPlaced, "a", 1, reserves_stock=False)])
    assert await figures(db) == (10, 0, 0)
    shown = from_file(OrderChanged, "a", 2, reserves_stock=True)
    await hear(db, [shown, shown])
    await hear(db, [from_file(OrderChanged, "a", 3, reserves_stock=True)])
    assert await figures(db) == (10, 2, 0)


@pytest.mark.row("O6", kind="walks")
async def test_an_order_of_a_file_that_is_to_reserve_does_so_at_once(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [from_file(OrderPlaced, "a", 1, reserves_stock=True)])
    await move_by_hand(db, 5, "ord_a")
    await hear(db, [from_file(OrderChanged, "a", 2, reserves_stock=True)])
    assert await figures(db) == (15, 2, 0)


@pytest.mark.row("O6", kind="refuses")
async def test_an_order_of_a_file_whose_units_were_moved_by_hand_never_reserves_them_again(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [from_file(OrderPlaced, one, 1, reserves_stock=False) for one in "ab"])
    await move_by_hand(db, -2, "ord_a")
    await move_by_hand(db, -1, None)
    await hear(db, [from_file(OrderChanged, one, 2, reserves_stock=True) for one in "ab"])
    await hear(db, [from_file(OrderChanged, "a", 3, reserves_stock=True)])
    assert await figures(db) == (7, 2, 0)


async def test_a_sandbox_order_moves_no_real_stock(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=2, is_test=True)])
    assert await figures(db) == (10, 0, 0)


@pytest.mark.parametrize(("code", "reserved"), [("unmapped-line", 2), ("unreadable", 0), (None, 0)])
async def test_an_order_that_waits_for_a_mapping_holds_stock_and_an_unreadable_one_none(
    db: Database, code: str | None, reserved: int
) -> None:
    await stand(db, 10)
    held = order(OrderQuarantined, "q", 1, wanted=2).model_copy(
        update={"is_quarantined": True, "quarantine_code": code}
    )
    await hear(db, [held])
    assert (await figures(db))[1] == reserved


async def test_an_order_of_an_unknown_marketplace_is_a_dead_letter_and_others_go_on(db: Database) -> None:
    await stand(db, 10)
    strange = order(OrderPlaced, "x", 1, wanted=2).model_copy(update={"marketplace_id": "nowhere"})
    await hear(db, [strange, order(OrderPlaced, "a", 1, wanted=2)])
    assert await figures(db) == (10, 2, 0)
    async with db.begin() as tx:
        assert len(await tx.fetch("select 1 from dead_letters")) == 1


async def test_side_by_side_consumers_and_counts_never_hold_more_than_there_is(db: Database) -> None:
    await stand(db, 5)
    ours = [hear(db, [order(OrderPlaced, f"{place}", 1, wanted=1)]) for place in range(8)]

    async def recount(on_hand: int) -> None:
        async def work(tx: Transaction) -> None:
            before = await stock.lock(tx, "TOWEL-M-WH")
            if on_hand >= before.committed:
                await stock.count(tx, before, stock.Count(sku="TOWEL-M-WH", on_hand=on_hand), at=NOON, by="test")

        await db.run(work)

    await asyncio.gather(*ours, *(recount(on_hand) for on_hand in (6, 7, 5, 6)))
    on_hand, committed, short = await figures(db)
    assert committed + short == 8
    assert committed == min(on_hand, 8)


async def test_a_change_of_a_line_restates_it(db: Database) -> None:
    await stand(db, 10)
    await hear(db, [order(OrderPlaced, "a", 1, wanted=5), order(OrderChanged, "a", 2, wanted=2)])
    assert await figures(db) == (10, 2, 0)


async def reports(db: Database) -> list[dict[str, Any]]:
    async with db.begin() as tx:
        rows = await tx.fetch(
            "select convert_from(value, 'utf8') as told from outbox where topic = 'hanro.access' order by id"
        )
    return [json.loads(row["told"]) for row in rows]


async def release(db: Database) -> None:
    await Releaser(db, SystemClock(), log_of(db), accounts.erase).release_due()


async def test_product_data_goes_what_orders_hold_stays_and_it_is_reported_once(db: Database) -> None:
    await stand(db, 5)
    await hear(db, [order(OrderPlaced, "1", 1, wanted=2)])
    assert await figures(db) == (5, 2, 0)
    gone = account().model_copy(update={"version": 2, "state": "unlinking", "account_epoch": 1})
    for _ in range(2):
        await hear(db, [gone])
        await release(db)
    told = await reports(db)
    assert [one["holdings"] for one in told] == [{"listings": 0}, {"listings": 1}, {"listings": 0}]
    assert [one["released_epoch"] for one in told] == [None, None, 0]
    # A later fact of the order finds no mapping any more, and keeps what it holds all the same.
    await hear(db, [order(OrderChanged, "1", 2, wanted=2)])
    assert await figures(db) == (5, 2, 0)
    async with db.begin() as tx:
        with pytest.raises(Rejected, match="unlinking"):
            await listings.lock_account(tx, "acc_1")
    await hear(db, [gone.model_copy(update={"version": 3, "state": "active"})])
    await adopt(db)
    assert await figures(db) == (5, 2, 0)


async def test_an_account_that_was_never_heard_of_is_reported_too(db: Database) -> None:
    await hear(db, [account().model_copy(update={"version": 7, "state": "unlinking", "account_epoch": 3})])
    await release(db)
    assert [one["released_epoch"] for one in await reports(db)] == [2]
