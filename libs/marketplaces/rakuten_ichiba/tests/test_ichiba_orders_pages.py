"""Both routes show what they claim, page by page, resumable at each cursor, whatever happens between the pages."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ichiba_session import open_shop_session
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

from hanro.errors import NeedsSeller, Retryable
from hanro.marketplace.port import Http, Turn
from hanro.marketplace.types import Cursor, HttpAnswer, HttpRequest, OrderPage, UnreadableOrder, Window
from hanro_rakuten_ichiba.orders import IchibaOrders

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = Window(start=NOW - 7 * DAY, end=NOW)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Iterator[Shop]:
    simulator.control("POST", "/reset")
    set_clock(simulator, NOW.isoformat())
    yield open_shop(simulator, "999001")
    simulator.control("DELETE", "/faults")


def orders_of(shop: Shop) -> IchibaOrders:
    return IchibaOrders(open_shop_session(shop, now=NOW).session)


def place(shop: Shop, count: int = 1, *, ago: timedelta = DAY, apart: float = 0, **wish: Any) -> list[str]:
    start = (NOW - ago).isoformat()
    made = shop.control(
        "POST", "/orders", {"count": count, "placed_at": start, "every_seconds": apart, "is_plain": True, **wish}
    )
    return [str(number) for number in made["external_ids"]]


async def take(
    orders: IchibaOrders, route: str = "placed", window: Window = WEEK, after: Cursor | None = None
) -> list[OrderPage]:
    return [page async for page in orders.pages(route, window, after)]


def numbers_of(pages: list[OrderPage]) -> list[str | None]:
    return [sighting.external_id for page in pages for sighting in page.sightings]


async def test_all_orders_of_a_window_come_oldest_first_a_hundred_a_page(shop: Shop) -> None:
    numbers = place(shop, 250, apart=30)
    pages = await take(orders_of(shop))
    assert [len(page.sightings) for page in pages] == [100, 100, 50]
    assert numbers_of(pages) == numbers
    assert [page.cursor is None for page in pages] == [False, False, True]


async def test_a_window_without_orders_has_no_page(shop: Shop) -> None:
    assert await take(orders_of(shop)) == []


async def test_the_end_of_a_window_does_not_belong_to_it(shop: Shop) -> None:
    first, second = place(shop, 2, apart=1)
    middle = NOW - DAY + timedelta(seconds=1)
    before, behind = Window(start=WEEK.start, end=middle), Window(start=middle, end=NOW)
    assert numbers_of(await take(orders_of(shop), window=before)) == [first]
    assert numbers_of(await take(orders_of(shop), window=behind)) == [second]


async def test_the_sweep_shows_open_orders_alone_and_what_the_other_route_hides(shop: Shop) -> None:
    by_state = {state: place(shop, progress=state)[0] for state in (100, 200, 300, 400, 500, 600, 700, 800, 900)}
    hidden = place(shop, progress=300, hidden_from=["placed"])[0]
    swept = numbers_of(await take(orders_of(shop), "open"))
    assert set(swept) == {by_state[state] for state in (100, 200, 300, 400, 800)} | {hidden}
    assert set(numbers_of(await take(orders_of(shop)))) == set(by_state.values())


async def test_a_year_is_cut_into_periods_that_they_accept_and_none_of_it_is_lost(shop: Shop) -> None:
    numbers = [place(shop, ago=timedelta(days=days))[0] for days in (700, 637, 400, 126, 63, 1)]
    reach = Window(start=NOW - timedelta(days=730), end=NOW)
    assert numbers_of(await take(orders_of(shop), window=reach)) == numbers
    open_ones = [place(shop, ago=timedelta(days=700), progress=300)[0]]
    assert set(open_ones) <= set(numbers_of(await take(orders_of(shop), "open", reach)))


async def test_a_window_beyond_reach_is_our_bug(shop: Shop) -> None:
    orders = orders_of(shop)
    with pytest.raises(ValueError, match="730 days"):
        orders.pages("placed", Window(start=NOW - timedelta(days=731), end=NOW))
    with pytest.raises(ValueError, match="no route"):
        orders.pages("paid", WEEK)


async def test_a_run_resumed_at_each_cursor_equals_the_unbroken_run(shop: Shop) -> None:
    place(shop, 150, apart=0)
    place(shop, 350, ago=2 * DAY, apart=0.25)
    unbroken = await take(orders_of(shop))
    broken: list[OrderPage] = []
    cursor: Cursor | None = None
    for _ in unbroken:
        async for page in orders_of(shop).pages("placed", WEEK, cursor):
            broken.append(page)
            cursor = page.cursor
            break
    assert numbers_of(broken) == numbers_of(unbroken)
    assert broken[-1].cursor is None
    assert all(len(page.cursor or "") < 2000 for page in unbroken)


@pytest.mark.parametrize("cursor", ["", "x", "[]", "[1,2,3]", '[2,"2026-05-30T00:00:00+00:00","1"]', "null", '"a"'])
async def test_a_cursor_that_cannot_be_read_starts_the_window_anew(shop: Shop, cursor: str) -> None:
    numbers = place(shop, 2, apart=1)
    assert numbers_of(await take(orders_of(shop), after=Cursor(cursor))) == numbers


async def test_a_cursor_of_another_window_starts_the_window_anew(shop: Shop) -> None:
    numbers = place(shop, 101, apart=1)
    first = (await take(orders_of(shop)))[0]
    earlier = Window(start=NOW - 30 * DAY, end=NOW - 20 * DAY)
    assert await take(orders_of(shop), window=earlier, after=first.cursor) == []
    assert numbers_of(await take(orders_of(shop), after=first.cursor)) == numbers[100:]


async def test_the_run_goes_on_where_the_last_order_left_the_search(shop: Shop) -> None:
    numbers = place(shop, 150, apart=60)
    pages = []
    async for page in orders_of(shop).pages("open", WEEK):
        pages.append(page)
        break
    shop.control("POST", f"/orders/{numbers[99]}/cancel")
    pages += await take(orders_of(shop), "open", after=pages[0].cursor)
    assert set(numbers_of(pages)) == set(numbers)


async def test_an_order_with_a_wrong_time_hides_no_other_from_a_resumed_run(shop: Shop) -> None:
    numbers = place(shop, 50, apart=60)
    numbers += place(shop, ago=DAY - timedelta(hours=2), raw={"orderDatetime": "2026-06-01T11:59:00+0900"})
    numbers += place(shop, 120, ago=DAY - timedelta(hours=3), apart=60)
    pages = []
    async for page in orders_of(shop).pages("placed", WEEK):
        pages.append(page)
        break
    pages += await take(orders_of(shop), after=pages[0].cursor)
    assert set(numbers_of(pages)) == set(numbers)


async def test_orders_that_leave_the_search_between_pages_take_none_along(shop: Shop) -> None:
    numbers = place(shop, 2500, apart=1)
    gone: list[str] = []
    opened = open_shop_session(shop, now=NOW)
    http = MeddlingHttp(opened.http, lambda: gone.extend(cancel(shop, numbers[len(gone) : len(gone) + 5])))
    orders = IchibaOrders(dataclasses.replace(opened.session, http=http))
    found = numbers_of(await take(orders, "open"))
    assert gone
    assert set(found) >= set(numbers) - set(gone)
    assert len(found) == len(set(found))


def cancel(shop: Shop, numbers: list[str]) -> list[str]:
    for number in numbers:
        shop.control("POST", f"/orders/{number}/cancel")
    return numbers


@dataclass
class MeddlingHttp:
    """Let something happen at the marketplace behind each search."""

    http: Http
    meddle: Callable[[], None]

    async def send(self, request: HttpRequest, turn: Turn) -> HttpAnswer:
        """Send, then meddle."""
        answer = await self.http.send(request, turn)
        if "searchOrder" in request.path:
            self.meddle()
        return answer


async def test_one_bad_order_comes_as_unreadable_and_all_others_arrive(shop: Shop) -> None:
    numbers = place(shop, 99, apart=1)
    (unknown,) = place(shop, ago=timedelta(hours=2), raw={"orderProgress": 350})
    (broken,) = place(shop, ago=timedelta(hours=1), raw={"/PackageModelList/0/ItemModelList/0/units": "two"})
    pages = await take(orders_of(shop))
    assert set(numbers_of(pages)) == {*numbers, unknown, broken}
    bad = {s.external_id: s for page in pages for s in page.sightings if isinstance(s, UnreadableOrder)}
    assert {number: one.failure.code for number, one in bad.items()} == {
        unknown: "unknown-status",
        broken: "unreadable",
    }
    assert json.loads(bad[broken].raw)["orderNumber"] == broken


async def test_a_key_that_dies_on_the_way_stops_the_run_and_keeps_what_was_yielded(shop: Shop) -> None:
    numbers = place(shop, 150, apart=1)
    run = orders_of(shop).pages("placed", WEEK)
    first = await anext(run)
    shop.control("POST", "/keys/expire")
    with pytest.raises(NeedsSeller) as caught:
        await anext(run)
    assert caught.value.grant_id == "rpay.order.getOrder"
    shop.control("POST", "/keys/restore")
    rest = await take(orders_of(shop), after=first.cursor)
    assert numbers_of([first, *rest]) == numbers


async def test_a_function_that_is_off_is_named(shop: Shop) -> None:
    shop.control("PUT", "/grants/rpay.order.searchOrder", {"enabled": False})
    with pytest.raises(NeedsSeller) as caught:
        await take(orders_of(shop))
    assert (caught.value.code, caught.value.grant_id) == ("grant-missing", "rpay.order.searchOrder")


async def test_throttling_in_the_middle_leaves_a_cursor_to_go_on_with(shop: Shop) -> None:
    numbers = place(shop, 150, apart=1)
    shop.simulator.control(
        "POST", "/faults", {"kind": "throttle", "match": {"path": "getOrder"}, "after": 1, "count": 1}
    )
    run = orders_of(shop).pages("placed", WEEK)
    first = await anext(run)
    with pytest.raises(Retryable) as caught:
        await anext(run)
    assert caught.value.code == "throttled"
    assert numbers_of([first, *await take(orders_of(shop), after=first.cursor)]) == numbers
