"""Proves on a real database that polling stores each order once, leaves no gap and stops for one seller alone."""

import asyncio
import json
from datetime import timedelta
from typing import cast

import pytest
from order_playground import ROUTES, Playground, activated, advanced, count, means_for, prepare, recorded, tell
from order_sightings import NAME, NOON, seen, unreadable

from hanro import breaker, due
from hanro.broker import Message
from hanro.clock import SystemClock
from hanro.consume import consume
from hanro.db import Database
from hanro.errors import ContractBroken, NeedsSeller, Retryable
from hanro.events.accounts import AccountActivated, AccountSuspended
from hanro.events.envelope import encode
from hanro.marketplace.types import OrderStatus
from hanro.testing.clock import FixedClock
from hanro.testing.memory_broker import MemoryBroker
from hanro.testing.schemas import move_ahead
from hanro_local.databases import SchemaUrls
from order_svc import accounts, buyers, orders
from order_svc.consumers import on_accounts
from order_svc.domain.readings import hash_of
from order_svc.poller import Means, Pace, Poller
from order_svc.store.orders import Look, lock_orders

pytestmark = pytest.mark.schema("orders", prepare)

OLD = NOON - timedelta(days=700)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON + timedelta(minutes=1))


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
def means(db: Database, playground: Playground, clock: FixedClock) -> Means:
    return means_for(db, playground, clock)


async def poll(means: Means, *routes: str) -> int:
    """Make routes due now, whatever was planned, and do them; without names all that exist."""
    wanted = [f"orders:{route}" for route in routes or ROUTES]
    async with means.db.begin() as tx:
        await tx.execute(
            """
            update due set lease_until = null,
                next_at = case when job = any($1::text[]) then '2000-01-01'::timestamptz else '2999-01-01' end
            """,
            wanted,
        )
    return await Poller(means).poll_due(asyncio.Event())


async def types(db: Database) -> list[str]:
    return [kind.removeprefix("hanro.order.").removesuffix(".v1") for kind, _ in await recorded(db)]


async def test_an_order_polled_twice_is_announced_once(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.buy(seen())
    assert await poll(means) == 2
    await poll(means)
    assert await types(means.db) == ["placed"]
    assert await count(means.db, "orders") == 1


async def test_an_order_hidden_from_one_route_is_found_by_the_other(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.buy(seen("hidden-1"))
    playground.hidden.add("hidden-1")
    await poll(means, "placed")
    assert await count(means.db, "orders") == 0
    await poll(means, "open")
    async with means.db.begin() as tx:
        rows = await tx.fetch("select external_id, first_seen_by from orders")
    assert [tuple(row) for row in rows] == [("hidden-1", "open")]


async def test_an_open_order_of_700_days_ago_is_found(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.buy(seen(status=OrderStatus.READY, placed=OLD))
    await poll(means)
    assert await types(means.db) == ["placed"]


async def test_orders_placed_during_an_outage_all_arrive(
    means: Means, playground: Playground, clock: FixedClock
) -> None:
    await tell(means.db, activated())
    await poll(means, "placed")
    for minute in range(10):
        playground.buy(seen(f"gap-{minute}", placed=clock.now() + timedelta(minutes=minute)))
    clock.advance(timedelta(minutes=10))
    await poll(means, "placed")
    assert await count(means.db, "orders") == 10


async def test_a_run_that_fails_half_way_goes_on_behind_the_last_stored_page(
    means: Means, playground: Playground
) -> None:
    await tell(means.db, activated())
    playground.page_size = 2
    playground.buy(*(seen(f"n-{number}") for number in range(5)))

    class FailsOnThirdPage(list[Retryable]):
        looked = 0

        def __bool__(self) -> bool:
            self.looked += 1
            return self.looked == 3

        def pop(self, _index: object = 0) -> Retryable:
            return Retryable("busy", code="unavailable")

    playground.failures = FailsOnThirdPage()  # type: ignore[assignment]
    await poll(means, "placed")
    assert await count(means.db, "orders") == 4
    playground.failures = []
    await poll(means, "placed")
    assert await count(means.db, "orders") == 5
    first, second = playground.calls("pages placed")
    assert isinstance(first, tuple)
    assert second == (first[0], "4")


async def test_a_repeated_page_of_known_orders_writes_no_order(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.buy(*(seen(f"n-{number}") for number in range(20)))
    await poll(means, "placed")
    async with means.db.begin() as tx:
        before = await tx.fetch("select id, xmin::text from orders order by id")
    await poll(means, "placed")
    async with means.db.begin() as tx:
        after = await tx.fetch("select id, xmin::text from orders order by id")
    assert before == after


async def test_two_finders_of_one_new_order_store_it_once(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.buy(*(seen(f"n-{number}") for number in range(50)))
    await poll(means)  # both routes at once
    assert await count(means.db, "orders") == 50
    assert await types(means.db) == ["placed"] * 50


async def test_one_unreadable_order_stops_no_page_and_is_released_later(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.buy(seen("good-1"), unreadable("bad-1"), seen("good-2"))
    await poll(means, "placed")
    await poll(means, "placed")
    assert sorted(await types(means.db)) == ["placed", "placed", "quarantined"]
    playground.buy(seen("bad-1", at=NOON + timedelta(seconds=30)))
    await poll(means, "placed")
    assert (await types(means.db))[-1] == "released"


async def test_an_order_that_leaves_the_open_ones_is_read_again_by_number(
    means: Means, playground: Playground, clock: FixedClock
) -> None:
    await tell(means.db, activated())
    order = seen(status=OrderStatus.READY, placed=OLD)
    playground.buy(order)
    await poll(means, "open")
    clock.advance(60)
    playground.buy(advanced(order, OrderStatus.SHIPPED))
    await poll(means, "open")
    assert playground.calls("fetch") == [(order.external_id,)]
    assert await types(means.db) == ["placed", "shipped"]


async def test_an_order_that_nobody_knows_any_more_is_not_cancelled(
    means: Means, playground: Playground, clock: FixedClock
) -> None:
    await tell(means.db, activated())
    playground.buy(seen(status=OrderStatus.READY))
    await poll(means, "open")
    clock.advance(60)
    playground.orders.clear()
    await poll(means, "open")
    assert await types(means.db) == ["placed"]


async def test_a_shipped_order_is_followed_until_the_marketplace_closes_it(
    db: Database, playground: Playground, clock: FixedClock
) -> None:
    means = means_for(db, playground, clock, pace=Pace(follow_every=timedelta()))
    await tell(db, activated())
    order = seen(status=OrderStatus.SHIPPED)
    playground.buy(order)
    await poll(means, "placed")
    playground.buy(advanced(order, OrderStatus.COMPLETED))
    await poll(means, "open")
    assert await types(db) == ["placed", "completed"]


async def test_an_older_answer_that_arrives_late_moves_nothing_back(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    cancelled = seen(status=OrderStatus.CANCELLED, at=NOON + timedelta(seconds=50))
    playground.buy(cancelled)
    await poll(means, "placed")
    playground.buy(seen(at=NOON))
    await poll(means, "placed")
    async with means.db.begin() as tx:
        assert (await tx.fetch("select status from orders"))[0][0] == "cancelled"


async def test_a_dead_key_pauses_that_account_and_is_reported(
    means: Means, playground: Playground, clock: FixedClock
) -> None:
    await tell(means.db, activated())
    playground.buy(seen())
    playground.failures = [NeedsSeller("the key expired", code="credential-expired", grant_id="searchOrder")]
    await poll(means, "placed")
    await poll(means)  # the other route does not even ask
    assert playground.calls("pages open") == []
    async with means.db.begin() as tx:
        reports = await tx.fetch("select convert_from(value, 'UTF8') from outbox where topic = 'hanro.access'")
    assert "credential-expired" in reports[0][0]
    clock.advance(timedelta(minutes=5))
    await poll(means)
    assert await count(means.db, "orders") == 1


async def test_a_page_that_was_asked_for_before_the_key_was_refused_does_not_hide_the_refusal(
    means: Means, playground: Playground, clock: FixedClock
) -> None:
    async def refused_elsewhere() -> None:
        clock.advance(1)
        refusal = NeedsSeller("the key expired", code="credential-expired", grant_id="searchOrder")
        await means.access.refused("acc_1", refusal, credential_version=1, account_epoch=0)
        clock.advance(1)

    await tell(means.db, activated())
    playground.buy(seen())
    playground.meanwhile = refused_elsewhere
    await poll(means, "placed")
    assert await count(means.db, "orders") == 1
    async with means.db.begin() as tx:
        facts = await tx.fetch("select value from outbox where topic = 'hanro.access' order by id")
    (grant,) = [one for one in json.loads(facts[-1][0])["grants"] if one["grant_id"] == "searchOrder"]
    assert (grant["succeeded_at"] or "") < grant["refused_at"]


async def test_a_newer_credential_ends_the_pause_at_once(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.buy(seen())
    playground.failures = [NeedsSeller("the key expired", code="credential-expired")]
    await poll(means, "placed")
    await tell(means.db, activated(2, credential_version=2))
    assert await Poller(means).poll_due(asyncio.Event()) == 2
    assert await count(means.db, "orders") == 1


async def test_a_newer_key_is_asked_for_at_the_next_refusal_before_its_fact_has_come(
    means: Means, playground: Playground
) -> None:
    await tell(means.db, activated())
    playground.buy(seen())
    refused = NeedsSeller("the marketplace refuses the key", code="credential-refused")

    async def replaced() -> None:
        playground.credential_version = 2
        playground.failures = [refused]

    playground.buy(seen("n-1"), seen("n-2"))
    playground.page_size, playground.meanwhile = 1, replaced
    await poll(means, "placed")
    async with means.db.begin() as tx:
        reports = await tx.fetch("select convert_from(value, 'UTF8') from outbox where topic = 'hanro.access'")
    assert "credential-refused" not in str(reports)
    assert await Poller(means).poll_due(asyncio.Event()) >= 1
    assert await count(means.db, "orders") == 3


async def test_a_refusal_of_a_key_that_was_replaced_meanwhile_holds_nothing_up(
    means: Means, playground: Playground
) -> None:
    async def replaced() -> None:
        await tell(means.db, activated(2, credential_version=2))
        refused = NeedsSeller("the key expired", code="credential-expired")
        async with means.db.begin() as tx:
            await breaker.failed(tx, "acc_1", [], refused)
        playground.failures = [refused]

    await tell(means.db, activated())
    playground.buy(seen("n-1"), seen("n-2"))
    playground.page_size, playground.meanwhile = 1, replaced
    await poll(means, "placed")
    assert await breaker.list_(means.db) == []
    async with means.db.begin() as tx:
        (job,) = await tx.fetch("select next_at from due where job = 'orders:placed'")
    assert job["next_at"] == means.clock.now()


async def test_a_bug_with_one_sellers_orders_puts_that_route_off_and_stops_nothing_else(
    means: Means, playground: Playground
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"), seen("n-2"))
    playground.page_size = 1
    playground.failures = [cast("Retryable", KeyError("canary"))]
    assert await poll(means) == 2
    async with means.db.begin() as tx:
        jobs = await tx.fetch("select failure_count, next_at from due order by failure_count")
    assert [job["failure_count"] for job in jobs] == [0, 1]
    assert jobs[1]["next_at"] == means.clock.now() + timedelta(minutes=5)
    assert await count(means.db, "orders") == 2


async def test_a_route_that_a_newer_plug_in_brings_is_read_for_accounts_that_work_already(
    means: Means, playground: Playground
) -> None:
    await tell(means.db, activated(), activated(id="acc_2", account_id="acc_2", state="suspended"))
    async with means.db.begin() as tx:
        await tx.execute("delete from due where job = 'orders:open'")
        await tx.execute("delete from cursors where route = 'open'")
    playground.buy(seen("hidden-1"))
    playground.hidden.add("hidden-1")
    stop = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(Poller(means).run(stop))
        while await count(means.db, "orders") == 0:
            await asyncio.sleep(0.02)
        stop.set()
    assert await count(means.db, "due") == 2


async def test_a_suspended_account_is_left_alone_and_its_gap_is_filled_afterwards(
    means: Means, playground: Playground, clock: FixedClock
) -> None:
    await tell(means.db, activated())
    await poll(means)
    suspended = AccountSuspended(**{**activated(2).model_dump(), "state": "suspended"})
    await tell(means.db, suspended)
    assert await count(means.db, "due") == 0
    playground.buy(seen("during-1", placed=clock.now() + timedelta(hours=1)))
    clock.advance(timedelta(days=2))
    await tell(means.db, activated(3))
    await poll(means, "placed")
    window = playground.windows("placed")[-1]
    assert window.start == NOON + timedelta(minutes=1) - timedelta(minutes=10)
    assert await count(means.db, "orders") == 1


async def test_an_unreadable_page_leaves_the_cursor_where_it_was(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.failures = [ContractBroken("the same page again", code="pagination-stuck")]
    await poll(means, "placed")
    async with means.db.begin() as tx:
        cursor = await tx.fetch("select covered_until, window_start from cursors where route = 'placed'")
        job = await tx.fetch("select failure_count from due where job = 'orders:placed'")
    assert cursor[0]["covered_until"] is None
    assert job[0]["failure_count"] == 1


@pytest.mark.parametrize("page_size", [100, 1])
async def test_what_was_read_under_a_lost_lease_is_not_stored(
    means: Means, playground: Playground, page_size: int
) -> None:
    async def taken_over() -> None:
        async with means.db.begin() as tx:
            await tx.execute("update due set lease_until = null, next_at = '2000-01-01'")
        lease = timedelta(seconds=30)
        assert await due.claim(means.db, ["orders:placed"], limit=1, lease=lease, clock=means.clock)

    await tell(means.db, activated())
    playground.buy(seen("n-1"), seen("n-2"))
    playground.page_size = page_size
    playground.meanwhile = taken_over
    await poll(means, "placed")
    assert await count(means.db, "orders") == 0
    async with means.db.begin() as tx:
        assert (await tx.fetch("select covered_until from cursors where route = 'placed'"))[0][0] is None


@pytest.mark.parametrize(("state", "left"), [("active", 60), ("unlinking", 5)])
async def test_a_page_that_is_stored_keeps_the_job_for_another_lease_but_of_an_account_that_is_let_go(
    means: Means, playground: Playground, state: str, left: int
) -> None:
    found: list[timedelta] = []

    async def much_later() -> None:
        async with means.db.begin() as tx:
            await tx.execute(f"update due set lease_until = {tx.now_sql} + interval '5 seconds'")  # noqa: S608  the clock
        await tell(means.db, activated(2, state=state))
        playground.meanwhile = look

    async def look() -> None:
        async with means.db.begin() as tx:
            ((until,),) = await tx.fetch(f"select lease_until - {tx.now_sql} from due where job = 'orders:placed'")  # noqa: S608  the clock
        found.append(until)

    await tell(means.db, activated())
    playground.buy(*(seen(f"n-{number}") for number in range(3)))
    playground.page_size = 1
    playground.meanwhile = much_later
    await poll(means, "placed")
    assert timedelta(seconds=left - 3) < found[0] <= timedelta(seconds=left)
    assert await count(means.db, "orders") == 3


async def test_a_route_is_due_again_after_its_time(means: Means, clock: FixedClock) -> None:
    await tell(means.db, activated())
    await poll(means)
    async with means.db.begin() as tx:
        rows = await tx.fetch("select job, next_at, lease_until, failure_count from due order by job")
    assert [tuple(row) for row in rows] == [
        ("orders:open", clock.now() + timedelta(minutes=5), None, 0),
        ("orders:placed", clock.now() + timedelta(seconds=15), None, 0),
    ]


async def test_orders_of_equal_bytes_are_named_and_not_read_out(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    order = seen()
    playground.buy(order)
    await poll(means, "placed")
    same, other = hash_of(order.raw), hash_of(b"other bytes")
    async with means.db.begin() as tx:
        looks = {order.external_id: Look(raw_hash=same, is_readable=True)}
        assert (await lock_orders(tx, "acc_1", looks)).same == {order.external_id}
        looks = {order.external_id: Look(raw_hash=other, is_readable=True)}
        assert list((await lock_orders(tx, "acc_1", looks)).known) == [order.external_id]
        looks = {order.external_id: Look(raw_hash=same, is_readable=False)}
        assert list((await lock_orders(tx, "acc_1", looks)).known) == [order.external_id]


async def test_an_account_is_followed_from_its_topic_and_twice_is_once(means: Means) -> None:
    broker, stop = MemoryBroker(), asyncio.Event()
    await broker.ensure_topics([AccountActivated.topic])
    producer = broker.producer()
    await producer.start()
    subscription = on_accounts({"playground": ROUTES}, means.forget, {})
    for event_id in ("evt_1", "evt_2"):
        key, value, headers = encode(activated(), event_id=event_id, source="/account-svc", context={})
        message = Message(topic=AccountActivated.topic, key=key, value=value, headers=headers)
        await producer.send_all([message], timeout_seconds=5)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(consume(means.db, broker, subscription, clock=SystemClock(), stop=stop))
        while await count(means.db, "due") < 2:
            await asyncio.sleep(0.02)
        stop.set()
    assert await count(means.db, "cursors") == 2


@pytest.mark.parametrize("changed", [{"state": "suspended"}, {"is_enabled": False}, {"state": "unlinking"}])
async def test_secrets_of_an_account_are_dropped_once_it_must_not_use_them_any_more(
    means: Means, changed: dict[str, object]
) -> None:
    forgotten: list[str] = []
    await tell(means.db, activated(), activated(2, display_name="新しい店名"), forget=forgotten.append)
    assert forgotten == []
    await tell(means.db, activated(3, **changed), forget=forgotten.append)
    assert forgotten == ["acc_1"]


async def test_no_buyer_stands_readable_in_any_table(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    playground.buy(seen(note="平日に届けてください"), unreadable("bad-1", raw="見本 花子".encode()))
    await poll(means)
    async with means.db.begin() as tx:
        tables = await tx.fetch("select tablename from pg_tables where schemaname = 'orders'")
        for (name,) in tables:
            for row in await tx.fetch(f'select t::text from "{name}" t'):  # noqa: S608  names from the catalogue
                for secret in (NAME, "平日に", "relay.example", "見本町"):
                    assert secret not in row[0]
                    assert secret.encode().hex() not in row[0]


async def test_a_backfilled_order_says_so(means: Means, playground: Playground) -> None:
    await tell(means.db, activated(orders_from=NOON))
    playground.buy(seen("old-1", placed=NOON - timedelta(hours=1)), seen("new-1", placed=NOON))
    await poll(means, "open")
    async with means.db.begin() as tx:
        rows = await tx.fetch("select external_id, is_backfilled from orders order by external_id")
    assert [tuple(row) for row in rows] == [("new-1", False), ("old-1", True)]


@pytest.mark.row("O18", kind="refuses")
async def test_orders_from_counts_for_a_run_that_had_begun_before_it_was_set(
    means: Means, playground: Playground
) -> None:
    await tell(means.db, activated())
    began_with = await accounts.find(means.db, "acc_1")
    assert began_with is not None
    old = [seen(f"old-{number}", placed=NOON - timedelta(hours=1)) for number in (1, 2, 3)]
    playground.buy(*old[:2], seen("new-1", placed=NOON))

    async def says_from_when_on() -> None:
        await tell(means.db, activated(2, orders_from=NOON))

    playground.page_size, playground.meanwhile = 1, says_from_when_on
    await poll(means, "open")
    await orders.ingest_fetched(
        means.db, means.keyring, [old[2]], account=began_with, plugin=playground.plugin(), at=means.clock.now()
    )
    async with means.db.begin() as tx:
        rows = await tx.fetch("select external_id, is_backfilled from orders order by external_id")
    assert [tuple(row) for row in rows] == [("new-1", False), ("old-1", True), ("old-2", True), ("old-3", True)]


def prepare_ahead(urls: SchemaUrls) -> None:
    prepare(urls)
    move_ahead(urls)


@pytest.mark.schema("orders", prepare_ahead)
async def test_a_schema_that_is_a_version_ahead_serves(db: Database, playground: Playground, clock: FixedClock) -> None:
    means = means_for(db, playground, clock)
    await tell(db, activated())
    playground.buy(seen())
    await poll(means)
    await tell(db, activated(2))
    assert await types(db) == ["placed"]
    async with db.begin() as tx:
        (row,) = await tx.fetch("select id from orders")
        assert await buyers.personal(tx, means.keyring, row["id"]) is not None
