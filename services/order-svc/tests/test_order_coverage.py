"""Proves that callers see how far each route was read, what a sweep cost, what went wrong, and what is out of reach."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from order_edge import READ, parts_for, serve
from order_playground import ROUTES, Playground, activated, count, means_for, prepare, recorded, tell
from order_sightings import NOON, account, seen
from prometheus_client import CollectorRegistry

from hanro.db import Database
from hanro.errors import ContractBroken, NeedsSeller
from hanro.marketplace.types import MarketplaceId
from hanro.metrics import new_registry
from hanro.testing.callers import bearer
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc.api import coverage
from order_svc.orders import ingest_fetched
from order_svc.poller import Means, Poller

pytestmark = pytest.mark.schema("orders", prepare)

PLAYED = {"marketplace": "playground"}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
def registry() -> CollectorRegistry:
    return new_registry()


@pytest.fixture
def means(db: Database, playground: Playground, clock: FixedClock, registry: CollectorRegistry) -> Means:
    return means_for(db, playground, clock, registry=registry)


@pytest.fixture
async def client(urls: SchemaUrls, means: Means, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    parts = parts_for(urls)
    try:
        routes = coverage.make_routes(parts.db, parts.idempotency, means.plugins, clock)
        async with serve(parts, routes) as made:
            yield made
    finally:
        await parts.close()


async def poll(means: Means, *routes: str) -> int:
    """Make routes due now and do them; without names all that exist."""
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


async def shown(client: httpx.AsyncClient) -> dict[str, Any]:
    """Give the rows of the account's coverage by route."""
    answer = await client.get("/v1/order/coverage?account_id=acc_1", headers=READ)
    return {row["route"]: row for row in answer.raise_for_status().json()["items"]}


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.mark.row("P1", kind="walks")
@pytest.mark.row("O2", kind="walks")
async def test_an_order_that_the_list_hides_is_counted_as_found_by_the_sweep_alone(
    means: Means, playground: Playground, registry: CollectorRegistry
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("hidden-1"), seen("plain-1"))
    playground.hidden.add("hidden-1")
    for route in ("placed", "open", "open"):
        await poll(means, route)
    for finder in ("sweep", "new"):
        assert registry.get_sample_value("hanro_order_found_total", {**PLAYED, "finder": finder}) == 1


@pytest.mark.row("P2", kind="walks")
@pytest.mark.row("O2", kind="refuses")
@pytest.mark.parametrize("first", ROUTES)
async def test_whichever_route_comes_first_finds_an_order_and_the_other_finds_nothing_new(
    means: Means, playground: Playground, first: str
) -> None:
    await tell(means.db, activated())
    playground.buy(seen())
    await poll(means, first)
    await poll(means)
    async with means.db.begin() as tx:
        rows = await tx.fetch("select first_seen_by, version from orders")
    assert [tuple(row) for row in rows] == [(first, 1)]


@pytest.mark.row("O1", kind="walks")
async def test_each_route_shows_its_reach_how_far_it_was_read_and_what_a_sweep_cost(
    means: Means, playground: Playground, client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    await tell(means.db, activated())
    playground.buy(*(seen(f"n-{number}") for number in range(5)))
    playground.page_size = 2
    for route in ROUTES:
        await poll(means, route)
    rows = await shown(client)
    assert set(rows) == set(ROUTES)
    sweep = rows["open"]
    assert sweep["last_request_count"] == 3
    assert (sweep["kind"], sweep["reach_days"], sweep["overlap_seconds"]) == ("sweep", 730, 600)
    assert (sweep["covered_until"], sweep["window"], sweep["last_error"]) == (iso(NOON), None, None)
    assert (sweep["last_run_at"], sweep["last_done_at"]) == (iso(NOON), iso(NOON))
    assert sweep["oldest_at"] == iso(NOON - timedelta(days=730) + timedelta(hours=1))
    assert registry.get_sample_value("hanro_order_window_requests_sum", {**PLAYED, "route": "open"}) == 3


@pytest.mark.row("P7", kind="walks")
async def test_paging_that_is_stuck_stops_leaves_the_cursor_is_shown_and_tried_again(
    means: Means, playground: Playground, client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"), seen("n-2"), seen("n-3"))
    playground.page_size = 1

    async def is_stuck_behind_the_first_page() -> None:
        playground.meanwhile = shows_the_same_again

    async def shows_the_same_again() -> None:
        raise ContractBroken("a page without an order new to this run", code="pagination-stuck")

    playground.meanwhile = is_stuck_behind_the_first_page
    await poll(means, "placed")
    assert await count(means.db, "orders") == 1
    row = (await shown(client))["placed"]
    assert row["last_error"]["code"] == "pagination-stuck"
    assert row["covered_until"] is None
    assert row["window"]["to"] == iso(NOON)
    assert registry.get_sample_value("hanro_order_pagination_stuck_total", {**PLAYED, "route": "placed"}) == 1
    await poll(means, "placed")
    assert playground.calls("pages placed")[-1] == (playground.windows("placed")[0], "1")
    assert await count(means.db, "orders") == 3
    assert (await shown(client))["placed"]["last_error"] is None


@pytest.mark.row("O3", kind="refuses")
async def test_fifty_sightings_at_once_by_every_way_are_one_order_and_another_accounts_number_is_its_own(
    means: Means, playground: Playground
) -> None:
    await tell(means.db, activated(), activated(id="acc_2", account_id="acc_2"))
    playground.buy(seen("n-1"))
    plugin = playground.plugin()

    async def sight(account_id: str) -> int:
        return await ingest_fetched(
            means.db, means.keyring, [seen("n-1")], account=account(account_id), plugin=plugin, at=NOON
        )

    assert await sight("acc_2") == 1
    found = await asyncio.gather(*(sight("acc_1") for _ in range(50)), poll(means))
    assert sum(found[:50]) <= 1
    async with means.db.begin() as tx:
        rows = await tx.fetch("select account_id, external_id, version from orders order by account_id")
    assert [tuple(row) for row in rows] == [("acc_1", "n-1", 1), ("acc_2", "n-1", 1)]
    assert len(await recorded(means.db)) == 2


async def test_a_refused_key_is_shown_beside_what_was_covered(
    means: Means, playground: Playground, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    await poll(means, "placed")
    playground.failures = [NeedsSeller("the key expired", code="credential-expired")]
    await poll(means, "placed")
    row = (await shown(client))["placed"]
    assert (row["last_error"]["code"], row["covered_until"]) == ("credential-expired", iso(NOON))


@pytest.mark.row("JP3", kind="walks")
@pytest.mark.row("O1", kind="refuses")
async def test_a_gap_beyond_the_reach_is_shown_exactly_until_somebody_says_that_it_was_filled(
    means: Means, playground: Playground, client: httpx.AsyncClient, clock: FixedClock, registry: CollectorRegistry
) -> None:
    await tell(means.db, activated())
    await poll(means)
    clock.advance(timedelta(days=900))
    for _ in range(2):
        await poll(means)
    rows = await shown(client)
    for name, row in rows.items():
        until = iso(playground.windows(name)[1].start)
        assert row["backfill_required"] == {"from": iso(NOON), "to": until}
        assert registry.get_sample_value("hanro_order_backfills_required_total", {**PLAYED, "route": name}) == 1
    path = "/v1/order/accounts/acc_1:close-gap"
    early = await client.post(path, json={"to": iso(NOON + timedelta(days=1))})
    assert [row["backfill_required"] for row in early.json()["items"]] == [
        row["backfill_required"] for row in rows.values()
    ]
    filled = await client.post(path, json={"to": iso(clock.now())})
    assert [row["backfill_required"] for row in filled.json()["items"]] == [None, None]


async def test_strangers_see_no_coverage(means: Means, client: httpx.AsyncClient) -> None:
    await tell(means.db, activated())
    stranger = bearer("orders:read", "orders:write", shops=("shp_9",))
    answers = [
        await client.get("/v1/order/coverage?account_id=acc_1", headers=stranger),
        await client.get("/v1/order/coverage?account_id=acc_9"),
        await client.post("/v1/order/accounts/acc_1:close-gap", json={"to": iso(NOON)}, headers=stranger),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_a_job_is_held_for_as_long_as_its_own_marketplace_may_take(means: Means, playground: Playground) -> None:
    await tell(means.db, activated())
    held: list[timedelta] = []

    async def look() -> None:
        async with means.db.begin() as tx:
            ((until, now),) = await tx.fetch(f"select lease_until, {tx.now_sql} from due where job = 'orders:placed'")  # noqa: S608  the clock
        held.append(until - now)

    playground.buy(seen())
    for deadline in (1, 60):
        playground.limits = replace(Playground.limits, call_deadline=timedelta(seconds=deadline))
        both = {playground.id: playground.plugin(), MarketplaceId("quick"): Playground().plugin()}
        playground.meanwhile = look
        await poll(replace(means, plugins=both), "placed")
    assert timedelta(seconds=55) < held[0] <= timedelta(seconds=60)
    assert timedelta(seconds=175) < held[1] <= timedelta(seconds=180)
