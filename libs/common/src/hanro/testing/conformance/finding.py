"""Checks how orders are found: rules 6 and 7."""

# ruff: noqa: S101, D102, PLR2004  a suite of tests: it asserts, its names are sentences, its values stand there

from datetime import UTC, datetime, timedelta

import pytest

from hanro.errors import ContractBroken
from hanro.marketplace import status_of
from hanro.marketplace.port import Orders
from hanro.marketplace.types import Cursor, OrderPage, OrderRef, OrderStatus, Route, RouteKind, Window
from hanro.testing.conformance.asked import readable
from hanro.testing.conformance.market import Market
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

    async def test_each_route_shows_the_statuses_it_says_and_every_state_is_read_as_declared(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        placed = {shop.place(code=code)[0]: status for code, status in market.codes.items()}
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for route in market.plugin.routes:
                found = set(await numbers(orders, route, window()))
                assert found == {number for number, status in placed.items() if status in route.shows}, route.name
            fetched = await orders.fetch([OrderRef(external_id=number) for number in placed])
        assert {one.external_id: status_of(one.lines) for one in readable(fetched.sightings)} == placed
        assert {code: market.plugin.statuses[code] for code in market.codes} == market.codes

    async def test_orders_to_every_country_are_shown(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        placed = {shop.place(country=country)[0]: {country} for country in market.countries}
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for route in market.plugin.routes:
                pages = [page async for page in orders.pages(route.name, window())]
                found = {
                    order.external_id: {package.address.country for package in order.packages if package.address}
                    for page in pages
                    for order in readable(page.sightings)
                }
                assert found == placed, route.name

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
            there = shop.place(205, placed_at=start, every_seconds=1)
            async with open_rig(market.plugin, market.base_url, database_url) as rig:
                orders = market.plugin.orders(rig.session(shop.secrets()))
                found: list[str] = []
                async for page in orders.pages(route.name, window(start)):
                    assert 1 <= len(page.sightings) <= 100
                    if not found:
                        shop.move(there[0], OrderStatus.CANCELLED)
                        shop.move(there[120], OrderStatus.READY)
                        shop.move(there[204], OrderStatus.SHIPPED)
                        there += shop.place(3)
                    assert page.cursor is None or len(page.cursor.encode()) <= 2048
                    found += ids(page)
                found += await numbers(orders, route, window(start - route.overlap))
            assert set(there) <= set(found), route.name

    async def test_a_run_resumed_at_any_cursor_equals_the_unbroken_run(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        start = datetime.now(UTC) - timedelta(minutes=50)
        shop.place(205, placed_at=start, every_seconds=2)
        within = window(start - MARGIN)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for route in market.plugin.routes:
                pages = [page async for page in orders.pages(route.name, within)]
                whole = [number for page in pages for number in ids(page)]
                assert len(whole) == len(set(whole)) == 205
                assert pages[-1].cursor is None
                had: list[str] = []
                for page in pages[:-1]:
                    had += ids(page)
                    assert page.cursor is not None
                    # An order that was had may come twice, none may be missing, and the order is the same.
                    rest = await numbers(orders, route, within, page.cursor)
                    assert [one for one in rest if one not in had] == whole[len(had) :]

    async def test_a_run_resumed_after_orders_moved_misses_none(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        start = datetime.now(UTC) - timedelta(minutes=50)
        there = shop.place(205, placed_at=start, every_seconds=2)
        within = window(start - MARGIN)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for route in market.plugin.routes:
                first, *_ = [page async for page in orders.pages(route.name, within)]
                had = ids(first)
                assert first.cursor is not None
                # The last order that was had leaves the route, as far as it shows open orders alone.
                shop.move(had[-1], OrderStatus.COMPLETED)
                assert set(there) <= {*had, *await numbers(orders, route, within, first.cursor)}, route.name
                shop.move(had[-1], OrderStatus.NEW)

    async def test_a_cursor_that_nobody_can_read_starts_the_window_anew(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        there = shop.place(3)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            for route in market.plugin.routes:
                assert sorted(await numbers(orders, route, window(), Cursor("no cursor"))) == sorted(there)

    async def test_a_page_that_comes_again_for_ever_ends_the_run(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        shop.show_one_page_for_ever(shop.place(5))
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for route in market.plugin.routes:
                with pytest.raises(ContractBroken) as stuck:
                    await numbers(market.plugin.orders(rig.session(shop.secrets())), route, window())
                assert stuck.value.code == "pagination-stuck"
        shop.controls.heal()
