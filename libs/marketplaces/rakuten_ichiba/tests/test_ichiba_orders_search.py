"""Searches are cut, checked and refused as the dossier says, whatever a marketplace answers."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from ichiba_mapped import full_tree
from ichiba_session import CannedHttp, answered, open_session

from hanro.errors import ContractBroken
from hanro.marketplace.types import HttpAnswer, HttpRequest, OrderPage, Window
from hanro_rakuten_ichiba.orders import IchibaOrders

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = Window(start=NOW - 7 * DAY, end=NOW)


async def take(orders: IchibaOrders, window: Window = WEEK) -> list[OrderPage]:
    return [page async for page in orders.pages("placed", window)]


def canned(total: int, pages: int, numbers: list[str]) -> Callable[[HttpRequest], HttpAnswer]:
    """Answer every search with the same page, and every read with the orders asked for."""

    def answer(request: HttpRequest) -> HttpAnswer:
        if "searchOrder" in request.path:
            sums = {"totalRecordsAmount": total, "totalPages": pages, "requestPage": 1}
            said: dict[str, object] = {
                "orderNumberList": numbers,
                "MessageModelList": [],
                "PaginationResponseModel": sums,
            }
        else:
            asked = json.loads(request.body)["orderNumberList"]
            said = {"MessageModelList": [], "OrderModelList": [full_tree() | {"orderNumber": one} for one in asked]}
        return answered(json.dumps(said).encode())

    return answer


async def test_a_page_that_repeats_is_told_as_stuck() -> None:
    http = CannedHttp(canned(2000, 2, ["a", "b"]))
    with pytest.raises(ContractBroken) as caught:
        await take(IchibaOrders(open_session(http, now=NOW).session))
    assert caught.value.code == "pagination-stuck"


async def test_more_hits_than_paging_reaches_are_cut_in_time_down_to_a_second() -> None:
    http = CannedHttp(canned(15_000, 15, ["a"]))
    with pytest.raises(ContractBroken) as caught:
        await take(IchibaOrders(open_session(http, now=NOW).session), window=Window(start=NOW - DAY, end=NOW))
    assert caught.value.code == "pagination-stuck"
    asked = [json.loads(request.body) for request in http.sent]
    assert asked[0]["startDatetime"] == "2026-05-31T12:00:00+0900"
    assert asked[0]["endDatetime"] == "2026-06-01T11:59:59+0900"
    assert asked[-1]["startDatetime"] == asked[-1]["endDatetime"]
    assert len(asked) < 20


@pytest.mark.parametrize(("length", "full_above"), [(2 * DAY, timedelta(hours=5)), (200 * DAY, 300 * DAY)])
async def test_periods_leave_no_gap_and_overlap_nowhere(length: timedelta, full_above: timedelta) -> None:
    periods: list[list[datetime]] = []

    def answer(request: HttpRequest) -> HttpAnswer:
        asked = json.loads(request.body)
        period = [datetime.fromisoformat(asked[key]) for key in ("startDatetime", "endDatetime")]
        is_full = period[1] - period[0] > full_above
        if not is_full:
            periods.append(period)
        sums = {"totalRecordsAmount": 20_000 if is_full else None, "totalPages": 20 if is_full else None}
        return answered(json.dumps({"orderNumberList": [], "PaginationResponseModel": sums}).encode())

    window = Window(start=NOW - length, end=NOW)
    assert await take(IchibaOrders(open_session(CannedHttp(answer), now=NOW).session), window=window) == []
    assert len(periods) > 3
    assert periods[0][0] == window.start
    assert periods[-1][1] == window.end - timedelta(seconds=1)
    assert all(end - start <= timedelta(days=63) for start, end in periods)
    assert all(later[0] - earlier[1] == timedelta(seconds=1) for earlier, later in itertools.pairwise(periods))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"orderNumberList": None, "PaginationResponseModel": {}},
        {"orderNumberList": [5], "PaginationResponseModel": None},
        {"orderNumberList": [{}], "PaginationResponseModel": {}},
        {"orderNumberList": [], "PaginationResponseModel": {"totalRecordsAmount": "many"}},
    ],
)
async def test_a_search_that_is_not_as_documented_breaks_the_contract(said: dict[str, object]) -> None:
    http = CannedHttp(lambda _: answered(json.dumps(said).encode()))
    with pytest.raises(ContractBroken):
        await take(IchibaOrders(open_session(http, now=NOW).session))


@pytest.mark.parametrize("status", [200, 400])
async def test_a_search_that_they_refuse_shows_their_words(status: int) -> None:
    message = {"messageType": "ERROR", "messageCode": "ORDER_EXT_API_SEARCH_ORDER_ERROR_011", "message": "書式"}
    said = {"MessageModelList": [message], "orderNumberList": [], "PaginationResponseModel": {}}
    http = CannedHttp(lambda _: answered(json.dumps(said).encode(), status))
    with pytest.raises(ContractBroken) as caught:
        await take(IchibaOrders(open_session(http, now=NOW).session))
    assert caught.value.refusal is not None
    assert caught.value.refusal.code.endswith("ERROR_011")


async def test_orders_that_vanish_between_search_and_read_make_no_empty_page() -> None:
    def answer(request: HttpRequest) -> HttpAnswer:
        if "searchOrder" in request.path:
            sums = {"totalRecordsAmount": 1, "totalPages": 1, "requestPage": 1}
            return answered(json.dumps({"orderNumberList": ["gone"], "PaginationResponseModel": sums}).encode())
        said = {"messageType": "INFO", "messageCode": "ORDER_EXT_API_GET_ORDER_INFO_102", "orderNumber": "gone"}
        return answered(json.dumps({"MessageModelList": [said], "OrderModelList": []}).encode())

    assert await take(IchibaOrders(open_session(CannedHttp(answer), now=NOW).session)) == []
