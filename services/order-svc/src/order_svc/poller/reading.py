"""Reads one route of one account, page by page."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime

from hanro.errors import Retryable
from hanro.log import logger
from hanro.marketplace.types import Capability, OrderPage, RouteKind, Sighting, Window
from order_svc import accounts, orders
from order_svc.domain.windows import RouteCursor
from order_svc.orders import Page
from order_svc.poller.follow_up import Shown, fetch_claimed, follow_up
from order_svc.poller.means import Errand, Means

LOG = logger(__name__)


async def read_route(means: Means, shown: Shown, errand: Errand, stop: asyncio.Event) -> str:
    """Read the window that is due and store it; give what ended that: "done", or "drained" when `stop` was set.

    Raises:
        Retryable, NeedsSeller, ContractBroken: as `Orders.pages` says; what was stored stands, and it goes on there.
    """
    lease, route = errand.lease, errand.route
    started = means.clock.now()
    next_at = started + means.pace.every(route)
    is_sweep = route.kind is RouteKind.SWEEP
    begun = await orders.begin_window(
        means.db, lease, route, account=errand.account, at=started, look_back=means.pace.first_look_back
    )
    cursor = begun.cursor
    window = cursor.window
    if begun.new_gap is not None:
        _tell_gap(means, errand, begun.new_gap)
    shown.begin(cursor)
    pages = _pages(errand, cursor)
    asked_at = started
    try:
        async for page in pages:
            is_last = page.cursor is None
            sightings = await _sightings(errand, page)
            shown.add(cursor, sightings)
            found = Page(sightings=sightings, position=page.cursor, request_count=errand.requests.take())
            cursor = await _store(means, errand, cursor, found, next_at if is_last and not is_sweep else None)
            await means.note_success(errand.account.id, errand.opened, Capability.FIND_ORDERS, asked_at=asked_at)
            asked_at = means.clock.now()
            if is_last:
                break
            if stop.is_set():
                await accounts.put_off(means.db, lease, next_at=means.clock.now(), failures=0)
                return "drained"
    finally:
        await pages.aclose()
    if cursor.window is not None:
        # Nothing was shown, or the last page did not say that it was the last.
        nothing = Page(sightings=(), position=None, request_count=errand.requests.take())
        await _store(means, errand, cursor, nothing, None if is_sweep else next_at)
        await means.note_success(errand.account.id, errand.opened, Capability.FIND_ORDERS, asked_at=asked_at)
    if is_sweep:
        if window is not None and _may_fetch(errand):
            await follow_up(means, shown, errand, window)
        await accounts.put_off(means.db, lease, next_at=next_at, failures=0)
    return "done"


async def _pages(errand: Errand, cursor: RouteCursor) -> AsyncGenerator[OrderPage, None]:
    """Ask for pages, each within the time of the lease: a plug-in that hangs must not hold a slot for good."""
    if cursor.window is None:
        raise ValueError(f"no window of route {cursor.route} was begun")
    door = errand.opened.plugin.orders(errand.opened.session)
    pages: AsyncIterator[OrderPage] = door.pages(cursor.route, cursor.window, cursor.position)
    try:
        while True:
            try:
                async with asyncio.timeout(errand.lease.lease.total_seconds()):
                    page = await anext(pages)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise Retryable("a page of orders did not come within the lease", code="unavailable") from None
            yield page
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()


async def _sightings(errand: Errand, page: OrderPage) -> list[Sighting]:
    return [*page.sightings, *(await fetch_claimed(errand.opened, page) if page.claims and _may_fetch(errand) else ())]


def _may_fetch(errand: Errand) -> bool:
    return Capability.FETCH_ORDER.value not in errand.account.lost_capabilities


async def _store(
    means: Means, errand: Errand, cursor: RouteCursor, page: Page, next_at: datetime | None
) -> RouteCursor:
    taken = await orders.ingest(
        means.db,
        means.keyring,
        errand.lease,
        cursor,
        page,
        account=errand.account,
        plugin=errand.opened.plugin,
        at=means.clock.now(),
        clock=means.clock,
        next_at=next_at,
    )
    marketplace_id = errand.account.marketplace_id
    means.metrics.sighted(marketplace_id, cursor.route, len(page.sightings))
    means.metrics.found(marketplace_id, errand.route.kind.value, taken.found_count)
    if taken.cursor.window is None:
        means.metrics.read_whole(marketplace_id, cursor.route, taken.cursor.last_request_count or 0)
    return taken.cursor


def _tell_gap(means: Means, errand: Errand, gap: Window) -> None:
    """Say what this route can no longer show; `GET /v1/order/coverage` says it for as long as it is so."""
    means.metrics.gap_seen(errand.account.marketplace_id, errand.route.name)
    LOG.error(
        "backfill.required",
        account_id=errand.account.id,
        job=errand.lease.job,
        why=f"orders placed from {gap.start.isoformat()} to {gap.end.isoformat()} are out of its reach",
    )
