"""Proves that orders are read when somebody asks: again by number, or all of a stretch of time, each told apart."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from order_edge import READ, parts_for, serve
from order_playground import GRANT, Playground, activated, advanced, count, means_for, prepare, recorded, tell
from order_sightings import NOON, seen, unreadable

from hanro.db import Database
from hanro.errors import NeedsSeller, Retryable
from hanro.events.accounts import AccountSuspended, SwitchesSet
from hanro.marketplace.types import OrderStatus
from hanro.testing.callers import bearer
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc.api import asking, decisions, orders
from order_svc.domain.permits import Ability
from order_svc.poller import Means, Poller, Reader

pytestmark = pytest.mark.schema("orders", prepare)

BACKFILL = "/v1/order/accounts/acc_1:backfill"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
def means(db: Database, playground: Playground, clock: FixedClock) -> Means:
    return means_for(db, playground, clock)


@pytest.fixture
async def client(urls: SchemaUrls, means: Means, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    parts = parts_for(urls)
    abilities = {"playground": Ability(supports=Playground.capabilities, grants=(GRANT,))}
    try:
        async with serve(
            parts,
            orders.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors),
            decisions.make_routes(parts.idempotency, abilities),
            asking.make_routes(parts.idempotency, means.plugins, abilities, clock),
        ) as made:
            yield made
    finally:
        await parts.close()


async def poll(means: Means) -> None:
    await Poller(means).poll_due(asyncio.Event())


async def work(means: Means) -> int:
    """Do what was asked for, each piece of it."""
    done = 0
    while count := await Reader(means).read_due(asyncio.Event()):
        done += count
    return done


async def operation(client: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    """Give the operation that an answer tells of, as it stands now."""
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = (await client.get(answer.headers["location"])).json()
    return found


def said(start: datetime, end: datetime) -> dict[str, str]:
    return {"from": start.isoformat(), "to": end.isoformat()}


async def first_id(client: httpx.AsyncClient) -> str:
    return str((await client.get("/v1/orders")).json()["items"][0]["id"])


@pytest.mark.row("O12", kind="walks")
async def test_one_order_is_read_again_now(means: Means, playground: Playground, client: httpx.AsyncClient) -> None:
    await tell(means.db, activated())
    playground.buy(seen())
    await poll(means)
    order_id = await first_id(client)
    playground.buy(advanced(seen(), OrderStatus.CANCELLED))
    asked = await client.post(f"/v1/orders/{order_id}:fetch")
    twin = await client.post(f"/v1/orders/{order_id}:fetch")
    assert twin.json()["id"] == asked.json()["id"]
    assert await work(means) == 1
    done = await operation(client, asked)
    assert done["status"] == "applied"
    number = seen().external_id
    assert done["answer"] == {"outcomes": [{"external_id": number, "status": "read", "order_id": order_id}]}
    assert (await client.get(f"/v1/orders/{order_id}")).json()["status"] == "cancelled"


@pytest.mark.row("O12", kind="walks")
async def test_orders_that_nobody_knows_yet_are_read_by_number_and_each_is_told_apart(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"), unreadable("n-2"), seen("n-3"))
    wanted = {"account_id": "acc_1", "external_ids": ["n-1", "n-2", "gone", "n-3", "n-1"]}
    asked = await client.post("/v1/orders:fetch", json=wanted)
    await work(means)
    done = await operation(client, asked)
    outcomes = done["answer"]["outcomes"]
    assert [(one["external_id"], one["status"]) for one in outcomes] == [
        ("n-1", "read"),
        ("n-2", "quarantined"),
        ("gone", "missing"),
        ("n-3", "read"),
    ]
    assert [one["order_id"] is None for one in outcomes] == [False, False, True, False]
    async with means.db.begin() as tx:
        finders = await tx.fetch("select distinct first_seen_by from orders")
    assert [row[0] for row in finders] == ["fetch"]


@pytest.mark.row("O12", kind="refuses")
async def test_an_order_that_the_marketplace_does_not_know_any_more_stays_as_it_is(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    playground.buy(seen())
    await poll(means)
    playground.orders.clear()
    asked = await client.post(f"/v1/orders/{await first_id(client)}:fetch")
    await work(means)
    done = await operation(client, asked)
    assert (done["status"], done["failure"]["code"]) == ("rejected", "unknown-there")
    assert done["answer"]["outcomes"][0]["status"] == "missing"
    assert [kind for kind, _ in await recorded(means.db)] == ["hanro.order.placed.v1"]


@pytest.mark.row("O12", kind="refuses")
async def test_what_may_not_be_read_is_refused_before_anything_is_asked(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    wanted = {"account_id": "acc_1", "external_ids": ["n-1"]}
    stranger = bearer("orders:write", shops=("shp_9",))
    too_many = {**wanted, "external_ids": [f"n-{number}" for number in range(101)]}
    answers = [
        await client.post("/v1/orders:fetch", json=wanted, headers=READ),
        await client.post("/v1/orders:fetch", json=wanted, headers=stranger),
        await client.post("/v1/orders:fetch", json=too_many),
        await client.post("/v1/orders/ord_none:fetch"),
    ]
    assert [answer.status_code for answer in answers] == [403, 404, 422, 404]
    await tell(means.db, activated(2, switches=SwitchesSet(**{**_all_on(), "orders": False})))
    switched_off = await client.post("/v1/orders:fetch", json=wanted)
    assert (switched_off.status_code, switched_off.json()["code"]) == (409, "orders-off")
    await tell(means.db, AccountSuspended(**{**activated(3).model_dump(), "state": "suspended"}))
    suspended = await client.post("/v1/orders:fetch", json=wanted)
    assert (suspended.status_code, suspended.json()["kind"]) == (409, "needs-seller")
    assert playground.calls("fetch") == []


def _all_on() -> dict[str, bool]:
    return dict.fromkeys(("orders", "stock", "listings", "messages"), True) | {"is_observing": False}


async def test_a_read_that_fails_is_tried_again_and_a_day_of_that_is_enough(
    means: Means, playground: Playground, client: httpx.AsyncClient, clock: FixedClock
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"))
    wanted = {"account_id": "acc_1", "external_ids": ["n-1"]}
    busy = Retryable("busy", code="throttled")
    playground.failures = [busy]
    asked = await client.post("/v1/orders:fetch", json=wanted)
    await Reader(means).read_due(asyncio.Event())
    waits = await operation(client, asked)
    assert (waits["status"], waits["failure"]["code"]) == ("accepted", "throttled")
    await come_due(means.db)
    assert await work(means) == 1
    assert (await operation(client, asked))["status"] == "applied"
    playground.failures = [busy]
    late = await client.post("/v1/orders:fetch", json=wanted)
    clock.advance(timedelta(days=30_000))
    await work(means)
    assert (await operation(client, late))["status"] == "rejected"


async def come_due(db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute("update operations set next_at = '2000-01-01' where next_at is not null")


async def test_who_died_reading_leaves_it_to_another_that_goes_on_behind_what_was_told(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    playground.buy(*(seen(f"n-{number}") for number in range(4)))
    wanted = {"account_id": "acc_1", "external_ids": [f"n-{number}" for number in range(4)]}
    asked = await client.post("/v1/orders:fetch", json=wanted)
    stop = asyncio.Event()
    stop.set()
    await Reader(means).read_due(stop)
    assert (await operation(client, asked))["status"] == "accepted"
    await work(means)
    assert playground.calls("fetch") == [("n-0", "n-1"), ("n-2", "n-3")]
    assert (await operation(client, asked))["status"] == "applied"


@pytest.mark.row("O18", kind="walks")
@pytest.mark.row("JP3", kind="walks")
async def test_a_stretch_of_time_is_read_silently_page_by_page(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    playground.page_size = 2
    old = [seen(f"old-{number}", status=OrderStatus.COMPLETED, placed=NOON - timedelta(days=90)) for number in range(5)]
    playground.buy(*old, seen("older", placed=NOON - timedelta(days=200)))
    asked = await client.post(BACKFILL, json=said(NOON - timedelta(days=100), NOON - timedelta(days=80)))
    twin = await client.post(BACKFILL, json=said(NOON - timedelta(days=100), NOON - timedelta(days=80)))
    assert twin.json()["id"] == asked.json()["id"]
    other = await client.post(BACKFILL, json=said(NOON - timedelta(days=99), NOON))
    assert (other.status_code, other.json()["code"]) == (409, "backfill-running")
    await work(means)
    done = await operation(client, asked)
    assert (done["status"], done["answer"]) == ("applied", {"found_count": 5, "request_count": 3})
    shown = (await client.get("/v1/orders")).json()["items"]
    assert {one["external_id"] for one in shown} == {one.external_id for one in old}
    assert {(one["first_seen_by"], one["is_backfilled"]) for one in shown} == {("backfill", True)}
    assert await count(means.db, "cursors") == 2


@pytest.mark.row("O18", kind="refuses")
async def test_an_order_of_a_stretch_stays_silent_when_it_changes_and_a_known_one_is_not_silenced(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    known, old = seen("known-1"), seen("old-1", placed=NOON - timedelta(days=90), status=OrderStatus.READY)
    playground.buy(known)
    await poll(means)
    playground.buy(old)
    await client.post(BACKFILL, json=said(NOON - timedelta(days=100), NOON))
    await work(means)
    for order in (known, old):
        playground.buy(advanced(order, OrderStatus.SHIPPED))
    asked = await client.post("/v1/orders:fetch", json={"account_id": "acc_1", "external_ids": ["known-1", "old-1"]})
    await work(means)
    assert (await operation(client, asked))["status"] == "applied"
    shown = (await client.get("/v1/orders?status=shipped")).json()["items"]
    assert {one["external_id"]: one["is_backfilled"] for one in shown} == {"known-1": False, "old-1": True}


@pytest.mark.row("JP3", kind="refuses")
@pytest.mark.row("O1", kind="refuses")
async def test_a_stretch_beyond_the_reach_is_refused_with_the_oldest_moment(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    far = await client.post(BACKFILL, json=said(NOON - timedelta(days=731), NOON))
    assert (far.status_code, far.json()["code"]) == (409, "beyond-reach")
    assert (NOON - timedelta(days=730) + timedelta(hours=1)).isoformat() in far.json()["detail"]
    assert "CSV" in far.json()["remedy"]["ja"]
    ahead = await client.post(BACKFILL, json=said(NOON + timedelta(days=1), NOON + timedelta(days=2)))
    backward = await client.post(BACKFILL, json=said(NOON, NOON - timedelta(days=1)))
    assert [(one.status_code, one.json()["code"]) for one in (ahead, backward)] == [
        (409, "not-yet"),
        (409, "stretch-empty"),
    ]
    assert await work(means) == 0
    assert playground.journal == []


async def test_a_stretch_goes_on_where_a_page_was_stored(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    playground.page_size = 1
    playground.buy(*(seen(f"old-{number}", placed=NOON - timedelta(days=90)) for number in range(3)))
    asked = await client.post(BACKFILL, json=said(NOON - timedelta(days=100), NOON))

    async def breaks_behind_this() -> None:
        playground.meanwhile = breaks

    async def breaks() -> None:
        raise NeedsSeller("a grant is lost", code="grant-missing", grant_id=GRANT.id)

    playground.meanwhile = breaks_behind_this
    await Reader(means).read_due(asyncio.Event())
    assert await count(means.db, "orders") == 1
    assert (await operation(client, asked))["failure"]["code"] == "grant-missing"
    await come_due(means.db)
    await work(means)
    done = await operation(client, asked)
    assert (done["status"], await count(means.db, "orders")) == ("applied", 3)
    assert [asked for asked in playground.calls("pages placed") if isinstance(asked, tuple)][-1][1] == "1"


async def test_what_an_older_link_asked_for_is_not_read(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"))
    asked = await client.post("/v1/orders:fetch", json={"account_id": "acc_1", "external_ids": ["n-1"]})
    await tell(means.db, activated(2, account_epoch=2))
    await work(means)
    done = await operation(client, asked)
    assert (done["status"], done["failure"]["code"]) == ("rejected", "epoch-past")
    assert playground.calls("fetch") == []
