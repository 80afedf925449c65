"""Finds order numbers in a window: periods within their limits, all numbers first, oldest first."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hanro.errors import ContractBroken
from hanro.marketplace.types import Window
from hanro.value import value
from hanro_rakuten_ichiba.client import Client, Reply
from hanro_rakuten_ichiba.functions import SEARCH_ORDER
from hanro_rakuten_ichiba.reading import check

LONGEST = timedelta(days=63)
"""End minus start of one search. Source: rakuten-ichiba-orders 4.1 [2+]."""
REACH = 15_000
"""Orders that paging reaches; from the next one on they are not returned. Source: rakuten-ichiba-orders 4.1 [2+]."""

_JAPAN = ZoneInfo("Asia/Tokyo")
_PAGE = 1000
_BY_ORDER_DATE = 1
_ASCENDING = 1
_SECOND = timedelta(seconds=1)


@value
class Found:
    """Hold one page of a search; `total` is of the whole search."""

    numbers: tuple[str, ...]
    total: int
    page_count: int


async def search(client: Client, window: Window, progresses: tuple[int, ...]) -> AsyncGenerator[tuple[str, ...], None]:
    """Yield the numbers of a window, period by period, oldest first; each at least one, each once a period.

    No `progresses` is any state. Orders change while this reads: they may be missing or come twice.

    Raises:
        ContractBroken: pagination-stuck, or unreadable.
        Retryable, NeedsSeller: as `Client.read`.
    """
    start = _floor(window.start)
    # Bounds are inclusive (14.6 [?]) and order times whole seconds: the last second before the end belongs to it.
    end = _floor(window.end - timedelta(microseconds=1))
    periods = []
    while start <= end:
        last = min(start + LONGEST, end)
        periods.append((start, last))
        start = last + _SECOND
    periods.reverse()
    while periods:
        start, end = periods.pop()
        first = await _ask(client, start, end, progresses, page=1)
        if first.total >= REACH:
            if start == end:
                raise ContractBroken("one second holds more orders than paging reaches", code="pagination-stuck")
            middle = start + _floor_length((end - start) / 2)
            periods += [(middle + _SECOND, end), (start, middle)]
            continue
        numbers = await _take_all(client, start, end, progresses, first)
        if numbers:
            yield numbers


async def _take_all(
    client: Client, start: datetime, end: datetime, progresses: tuple[int, ...], first: Found
) -> tuple[str, ...]:
    """Read every page of a period, the last page first.

    Orders only leave a search by states, and whoever leaves moves the rest towards pages that are still to be read.
    """
    if first.page_count <= 1:
        return tuple(dict.fromkeys(first.numbers))
    pages: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for page in range(first.page_count, 0, -1):
        found = await _ask(client, start, end, progresses, page=page)
        fresh = tuple(number for number in dict.fromkeys(found.numbers) if number not in seen)
        if found.numbers and not fresh and found.total == first.total:
            raise ContractBroken("the search shows the same page again", code="pagination-stuck")
        seen.update(fresh)
        pages.append(fresh)
    return tuple(number for page_numbers in reversed(pages) for number in page_numbers)


async def _ask(client: Client, start: datetime, end: datetime, progresses: tuple[int, ...], *, page: int) -> Found:
    body: dict[str, object] = {
        "dateType": _BY_ORDER_DATE,
        "startDatetime": write_moment(start),
        "endDatetime": write_moment(end),
        "PaginationRequestModel": {
            "requestRecordsAmount": _PAGE,
            "requestPage": page,
            "SortModelList": [{"sortColumn": 1, "sortDirection": _ASCENDING}],
        },
    }
    if progresses:
        body["orderProgressList"] = list(progresses)
    reply = await client.read(SEARCH_ORDER, body)
    check(reply, "searching orders")
    return _read(reply)


def _read(reply: Reply) -> Found:
    """Read an answer; the three sums are null where nothing was found. Source: rakuten-ichiba-orders 4.1 [2+]."""
    members = reply.document.members
    numbers = members.get("orderNumberList")
    pagination = members.get("PaginationResponseModel")
    if not isinstance(numbers, list) or not all(isinstance(number, str) and number for number in numbers):
        raise ContractBroken("the search has no list of numbers", code="unreadable", field="/orderNumberList")
    if not isinstance(pagination, dict):
        raise ContractBroken("the search has no sums", code="unreadable", field="/PaginationResponseModel")
    return Found(
        numbers=tuple(numbers),
        total=_count(pagination.get("totalRecordsAmount")),
        page_count=_count(pagination.get("totalPages")),
    )


def _count(characters: object) -> int:
    if characters is None:
        return 0
    if not (isinstance(characters, str) and characters.isascii() and characters.isdecimal()):
        raise ContractBroken("a sum of the search is no number", code="unreadable", field="/PaginationResponseModel")
    return int(characters)


def write_moment(at: datetime) -> str:
    """Write a time as they want it: Japan's, offset without a colon. Source: rakuten-ichiba-orders 2 [2+] [wire]."""
    return at.astimezone(_JAPAN).strftime("%Y-%m-%dT%H:%M:%S%z")


def _floor(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _floor_length(length: timedelta) -> timedelta:
    return timedelta(days=length.days, seconds=length.seconds)
