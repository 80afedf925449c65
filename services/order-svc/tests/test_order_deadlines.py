"""Proves that an order that must be decided soon is told of once, listed, shown and counted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from order_asks import facts, store
from order_edge import parts_for, serve
from order_playground import Playground, activated, means_for, prepare, tell
from order_sightings import NOON, line, seen, unreadable
from prometheus_client import CollectorRegistry

from hanro.clock import SystemClock
from hanro.marketplace.types import OrderStatus, SeenOrder
from hanro.service import Parts
from hanro_local.databases import SchemaUrls
from order_svc import deadlines
from order_svc.api import orders as order_routes
from order_svc.poller import Means
from order_svc.watcher import Watcher

pytestmark = pytest.mark.schema("orders", prepare)

SOON = timedelta(hours=4)
NOW = datetime.now(UTC).replace(microsecond=0)
HELD_UP = (
    # A newer plug-in gave up the other route.
    "update cursors set covered_until = now() - interval '9 days' where route <> 'placed'",
    """
    update cursors set covered_until = now() - interval '2 hours', gap_start = now() - interval '9 days',
        gap_end = now() - interval '8 days' where route = 'placed'
    """,
    "insert into notices values ('acc_1', 'x', 'order', '{}', null, now() - interval '1 hour')",
    """
    insert into imports (id, state, failure, created_at, changed_at)
    select id, state, failure::jsonb, now(), now()
    from (values ('imp_1', 'failed', '{"code": "internal"}'), ('imp_2', 'reading', null)) t (id, state, failure)
    """,
)


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def means(parts: Parts) -> Means:
    await tell(parts.db, activated())
    return means_for(parts.db, Playground(), SystemClock())


@pytest.fixture
async def client(parts: Parts, means: Means) -> AsyncIterator[httpx.AsyncClient]:
    del means
    routes = order_routes.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors)
    async with serve(parts, routes) as made:
        yield made


def waiting(
    number: str = "n-1", *, hours: float = 1, status: OrderStatus = OrderStatus.NEW, at: datetime = NOON
) -> SeenOrder:
    """Give an order with two lines of which the first must be decided so many hours from now."""
    deadlines_of = (NOW + timedelta(hours=hours), NOW + timedelta(hours=hours + 48))
    lines = tuple(line(str(place), status=status, decide_by=one) for place, one in enumerate(deadlines_of, start=1))
    return seen(number, lines=lines, at=at)


def watcher(means: Means, registry: CollectorRegistry) -> Watcher:
    return Watcher(means.db, means.clock, registry, within=SOON, routes=["placed"])


@pytest.mark.row("O20", kind="walks")
async def test_an_order_near_its_deadline_is_told_of_once_also_over_restarts_and_twins(means: Means) -> None:
    order_id = await store(means, waiting())
    told = await asyncio.gather(*(deadlines.tell_due(means.db, SOON) for _ in range(3)))
    assert sum(told) == 1
    assert await watcher(means, CollectorRegistry()).look() == 0
    # Seen again, and otherwise changed: the deadline is the same.
    await store(means, waiting(at=NOON + timedelta(seconds=1)))
    assert await watcher(means, CollectorRegistry()).look() == 0
    assert await facts(means.db, order_id) == ["placed", "decision_due"]


async def test_a_new_deadline_of_the_order_is_told_of_too(means: Means) -> None:
    order_id = await store(means, waiting())
    await deadlines.tell_due(means.db, SOON)
    await store(means, waiting(hours=2, at=NOON + timedelta(seconds=1)))
    await deadlines.tell_due(means.db, SOON)
    assert (await facts(means.db, order_id)).count("decision_due") == 2


@pytest.mark.row("O20", kind="refuses")
@pytest.mark.parametrize(
    "order", [waiting(hours=5), waiting(status=OrderStatus.ACCEPTED), waiting(status=OrderStatus.CANCELLED), seen()]
)
async def test_what_is_decided_has_time_or_no_deadline_is_not_told_of(means: Means, order: SeenOrder) -> None:
    await store(means, order)
    assert await deadlines.tell_due(means.db, SOON) == 0


async def test_orders_of_an_account_that_was_let_go_are_not_told_of(means: Means) -> None:
    await store(means, waiting())
    async with means.db.begin() as tx:
        await tx.execute("update accounts set state = 'unlinked'")
    registry = CollectorRegistry()
    assert await watcher(means, registry).look() == 0
    assert registry.get_sample_value("hanro_order_undecided") == 0


async def test_what_waits_is_counted_with_the_nearest_deadline(means: Means) -> None:
    registry = CollectorRegistry()
    watched = watcher(means, registry)
    await watched.look()
    assert registry.get_sample_value("hanro_order_undecided_nearest_seconds") == float("inf")
    await store(means, waiting("n-1", hours=7))
    await store(means, waiting("n-2", hours=6))
    await watched.look()
    assert registry.get_sample_value("hanro_order_undecided") == 2
    nearest = registry.get_sample_value("hanro_order_undecided_nearest_seconds")
    assert nearest is not None
    assert 5 * 3600 < nearest <= 6 * 3600


async def test_what_is_held_up_is_counted_by_cause_and_gone_when_it_is_over(means: Means) -> None:
    await store(means, unreadable("bad-1"))
    async with means.db.begin() as tx:
        for statement in HELD_UP:
            await tx.execute(statement)
    registry = CollectorRegistry()
    watched = watcher(means, registry)
    await watched.look()

    def shown(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"hanro_order_{name}", labels)

    assert shown("quarantined", code="unknown-status") == 1
    assert shown("gaps", marketplace="playground") == 1
    assert 7200 <= (shown("route_behind_seconds", marketplace="playground") or 0) < 7300
    assert (shown("waiting", queue="notices"), shown("waiting", queue="imports")) == (1, 1)
    assert 3600 <= (shown("waiting_oldest_seconds", queue="notices") or 0) < 3700
    assert shown("imports_failed", code="internal") == 1
    async with means.db.begin() as tx:
        await tx.execute("update notices set handled_at = received_at")
        await tx.execute("update cursors set gap_start = null, gap_end = null")
    await watched.look()
    assert (shown("gaps", marketplace="playground"), shown("waiting", queue="notices")) == (None, None)


async def test_orders_are_listed_by_deadline_and_show_that_it_is_near(client: httpx.AsyncClient, means: Means) -> None:
    for number, hours in (("n-1", 1.0), ("n-2", 10.0)):
        await store(means, waiting(number, hours=hours))
    await store(means, seen("n-3"))
    await store(means, waiting("n-4", status=OrderStatus.ACCEPTED))
    await deadlines.tell_due(means.db, SOON)

    async def listed(**query: Any) -> list[tuple[str, bool]]:
        items = (await client.get("/v1/orders", params=query)).json()["items"]
        return [(item["external_id"], item["decide_soon"]) for item in items]

    assert await listed(decide_before=(NOW + timedelta(hours=4)).isoformat()) == [("n-1", True)]
    assert await listed(decide_before=(NOW + timedelta(hours=11)).isoformat()) == [("n-2", False), ("n-1", True)]
    assert len(await listed()) == 4
    await store(means, waiting("n-1", status=OrderStatus.ACCEPTED, at=NOON + timedelta(seconds=1)))
    assert await listed(external_id="n-1") == [("n-1", False)]
