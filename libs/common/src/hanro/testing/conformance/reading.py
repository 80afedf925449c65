"""Checks how orders are found and read: rules 6, 7, 8 and 12."""

# ruff: noqa: S101, D102, PLR2004  a suite of tests: it asserts, its names are sentences, its values stand there

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hanro.errors import ContractBroken
from hanro.marketplace import status_of
from hanro.marketplace.port import Orders
from hanro.marketplace.types import (
    Cursor,
    Detail,
    OrderPage,
    OrderRef,
    OrderStatus,
    Route,
    RouteKind,
    UnreadableOrder,
    Window,
)
from hanro.testing.conformance.asked import readable
from hanro.testing.conformance.market import Market, Spoilt
from hanro.testing.conformance.rig import open_rig

MARGIN = timedelta(minutes=1)


def window(start: datetime | None = None, end: datetime | None = None) -> Window:
    """Make a window; the last hour unless said otherwise."""
    now = datetime.now(UTC)
    return Window(start=start or now - timedelta(hours=1), end=end or now + MARGIN)


async def numbers(orders: Orders, route: Route, within: Window, after: Cursor | None = None) -> list[str]:
    """Give the ids that a route shows, in order."""
    return [number async for page in orders.pages(route.name, within, after) for number in ids(page)]


def ids(page: OrderPage) -> list[str]:
    """Give the ids on a page."""
    return [str(one.external_id) for one in page.sightings]


class Routes:
    """Rule 6."""

    async def test_each_route_shows_the_statuses_it_says(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        placed = {status: shop.place(status=status)[0] for status in market.statuses}
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for route in market.plugin.routes:
                found = set(await numbers(orders, route, window()))
                assert found == {number for status, number in placed.items() if status in route.shows}, route.name
            fetched = await orders.fetch([OrderRef(external_id=number) for number in placed.values()])
        stand = {one.external_id: status_of(one.lines) for one in readable(fetched.sightings)}
        assert stand == {number: status for status, number in placed.items()}

    async def test_an_order_hidden_from_one_route_is_found_by_another(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        routes = [one for one in market.plugin.routes if one.kind in (RouteKind.NEW, RouteKind.SWEEP)]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for hidden in routes:
                (number,) = shop.place(hidden_from=[hidden.name])
                assert number not in await numbers(orders, hidden, window())
                others = [route for route in routes if route is not hidden]
                assert any([number in await numbers(orders, route, window()) for route in others])

    async def test_old_orders_are_found_and_nothing_beyond_the_reach_is_claimed(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for route in market.plugin.routes:
                if route.reach is None or not route.is_windowed:
                    continue
                old = datetime.now(UTC) - route.reach + timedelta(days=30)
                (number,) = shop.place(status=OrderStatus.READY, placed_at=old)
                assert number in await numbers(orders, route, window(old - MARGIN))
                with pytest.raises(ValueError, match="ago"):
                    await numbers(orders, route, window(old - timedelta(days=60)))


class Paging:
    """Rule 7."""

    async def test_orders_that_move_between_pages_are_in_one_of_two_overlapping_windows(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        for route in market.plugin.routes:
            start = datetime.now(UTC) - timedelta(minutes=50)
            there = shop.place(250, placed_at=start, every_seconds=1)
            async with open_rig(market.plugin, market.base_url, database_url) as rig:
                orders = market.plugin.orders(rig.session(shop.secrets()))
                found: list[str] = []
                async for page in orders.pages(route.name, window(start)):
                    assert 1 <= len(page.sightings) <= 100
                    if not found:
                        shop.move(there[0], OrderStatus.CANCELLED)
                        shop.move(there[120], OrderStatus.READY)
                        shop.move(there[249], OrderStatus.SHIPPED)
                        there += shop.place(3)
                    found += ids(page)
                found += await numbers(orders, route, window(start - route.overlap))
            assert set(there) <= set(found), route.name

    async def test_a_run_resumed_at_any_cursor_equals_the_unbroken_run(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        start = datetime.now(UTC) - timedelta(minutes=50)
        shop.place(230, placed_at=start, every_seconds=2)
        within = window(start - MARGIN)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for route in market.plugin.routes:
                pages = [page async for page in orders.pages(route.name, within)]
                whole = [number for page in pages for number in ids(page)]
                assert len(whole) == len(set(whole)) == 230
                assert pages[-1].cursor is None
                had: list[str] = []
                for page in pages[:-1]:
                    had += ids(page)
                    assert page.cursor is not None
                    assert len(page.cursor.encode()) <= 2048
                    # An order that was had may come twice, none may be missing, and the order is the same.
                    rest = await numbers(orders, route, within, page.cursor)
                    assert [one for one in rest if one not in had] == whole[len(had) :]

    async def test_a_page_that_comes_again_for_ever_ends_the_run(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        shop.show_one_page_for_ever(shop.place(5))
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for route in market.plugin.routes:
                with pytest.raises(ContractBroken) as stuck:
                    await numbers(market.plugin.orders(rig.session(shop.secrets())), route, window())
                assert stuck.value.code == "pagination-stuck"
        shop.controls.heal()


class Unreadable:
    """Rule 8."""

    @pytest.mark.parametrize(("spoilt", "code"), [("unreadable", "unreadable"), ("unknown-status", "unknown-status")])
    async def test_one_bad_order_is_kept_raw_and_all_others_arrive(
        self, market: Market, database_url: str, spoilt: Spoilt, code: str
    ) -> None:
        shop = market.open_shop()
        good = shop.place(5)
        (bad,) = shop.place(spoilt=spoilt)
        good += shop.place(5)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            seen = [
                one async for page in orders.pages(market.plugin.routes[0].name, window()) for one in page.sightings
            ]
            fetched = await orders.fetch([OrderRef(external_id=number) for number in (*good, bad)])
        for sightings in (seen, fetched.sightings):
            (kept,) = [one for one in sightings if isinstance(one, UnreadableOrder)]
            assert (kept.external_id, kept.failure.code) == (bad, code)
            assert bad.encode() in kept.raw
            assert {one.external_id for one in readable(sightings)} == set(good)


class Fetching:
    """Rule 12."""

    async def test_orders_are_read_in_every_status_and_the_unknown_are_missing(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        there = [shop.place(status=status)[0] for status in market.statuses]
        refs = [OrderRef(external_id=number) for number in (*there, "999999-20260101-0000000000")]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            found = await market.plugin.orders(rig.session(shop.secrets())).fetch(refs)
        assert sorted(one.external_id for one in readable(found.sightings)) == sorted(there)
        assert found.missing == (refs[-1],)

    async def test_details_asked_for_arrive_and_leave_what_lacks(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        (number,) = shop.place()
        # What the version leaves out stays lacking: it is declared by no batch of its own.
        asked = frozenset(Detail) - {Detail.PAYMENT}
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            found = await market.plugin.orders(rig.session(shop.secrets())).fetch([OrderRef(external_id=number)], asked)
        (order,) = readable(found.sightings)
        assert not order.lacks & asked

    @pytest.mark.parametrize("named", [0, 1])
    async def test_line_ids_may_be_given_in_part_or_not_at_all(
        self, market: Market, database_url: str, named: int
    ) -> None:
        shop = market.open_shop()
        (number,) = shop.place(line_count=2)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            (whole,) = readable((await orders.fetch([OrderRef(external_id=number)])).sightings)
            assert len(whole.lines) == 2
            line_ids = tuple(line.external_id for line in whole.lines[:named])
            (again,) = readable((await orders.fetch([OrderRef(external_id=number, line_ids=line_ids)])).sightings)
        assert again.has_all_lines
        assert _line_ids([whole]) == _line_ids([again])

    async def test_a_batch_may_be_full_and_not_fuller(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        size = market.plugin.limits.batches["orders.fetch"].size
        refs = [OrderRef(external_id=number) for number in shop.place(size + 1)]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            assert len((await orders.fetch(refs[:size])).sightings) == size
            before = shop.controls.sequence()
            for bad in (refs, [refs[0], refs[0]]):
                with pytest.raises(ValueError):  # noqa: PT011  two causes, one kind
                    await orders.fetch(bad)
            assert (await orders.fetch([])).sightings == ()
        assert shop.controls.requests(before) == []


def _line_ids(orders: Sequence[object]) -> list[str]:
    return [line.external_id for order in readable(orders) for line in order.lines]
