"""Proves that windows leave no gap and never reach too far back."""

from datetime import timedelta

import pytest
from order_sightings import NOON

from hanro.marketplace.types import Cursor, OrderStatus, Route, RouteKind
from order_svc.domain.windows import RouteCursor, after_page, next_window

DAY = timedelta(days=1)


def route(kind: RouteKind = RouteKind.NEW, reach: timedelta | None = 730 * DAY) -> Route:
    return Route(
        name="placed",
        kind=kind,
        shows=frozenset({OrderStatus.NEW}),
        is_windowed=True,
        reach=reach,
        overlap=timedelta(minutes=10),
        every=timedelta(seconds=15),
        source="invented",
    )


EMPTY = RouteCursor(account_id="acc_1", route="placed", covered_until=None, window=None, position=None)


def begun(
    cursor: RouteCursor = EMPTY, *, after: timedelta = timedelta(), kind: RouteKind = RouteKind.NEW
) -> RouteCursor:
    return next_window(route(kind), cursor, now=NOON + after, look_back=30 * DAY, orders_from=None)


def test_the_first_window_begins_as_far_back_as_is_set() -> None:
    window = begun().window
    assert window is not None
    assert window.start == NOON - 30 * DAY - timedelta(minutes=10)
    assert window.end == NOON


def test_the_first_window_begins_where_the_seller_said() -> None:
    cursor = next_window(route(), EMPTY, now=NOON, look_back=30 * DAY, orders_from=NOON - DAY)
    assert cursor.window is not None
    assert cursor.window.start == NOON - DAY - timedelta(minutes=10)


def test_the_next_window_overlaps_the_last_one() -> None:
    done = after_page(begun(), None)
    assert done.covered_until == NOON
    again = begun(done, after=timedelta(seconds=15))
    assert again.window is not None
    assert again.window.start == NOON - timedelta(minutes=10)
    assert again.window.end == NOON + timedelta(seconds=15)


def test_after_an_outage_the_window_holds_the_whole_gap() -> None:
    again = begun(after_page(begun(), None), after=9 * DAY)
    assert again.window is not None
    assert again.window.start == NOON - timedelta(minutes=10)


def test_after_a_very_long_outage_the_window_stays_within_reach() -> None:
    again = begun(after_page(begun(), None), after=900 * DAY)
    assert again.window is not None
    assert NOON + 900 * DAY - 730 * DAY < again.window.start < NOON + 900 * DAY - 729 * DAY


def test_a_window_that_was_begun_goes_on_at_its_position() -> None:
    half = after_page(begun(), Cursor("page 2"))
    assert half.covered_until is None
    assert begun(half, after=timedelta(hours=3)) == half


def test_a_window_that_was_begun_too_long_ago_starts_anew() -> None:
    sweep = after_page(begun(kind=RouteKind.SWEEP), Cursor("page 2"))
    again = begun(sweep, after=DAY, kind=RouteKind.SWEEP)
    assert again.position is None
    assert again.window != sweep.window


def test_a_sweep_looks_at_the_whole_reach_each_time() -> None:
    first = begun(kind=RouteKind.SWEEP)
    second = begun(after_page(first, None), after=timedelta(minutes=5), kind=RouteKind.SWEEP)
    assert first.window is not None
    assert second.window is not None
    assert first.window.start < NOON - 729 * DAY
    assert second.window.start == first.window.start + timedelta(minutes=5)


def test_a_page_without_a_window_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no window"):
        after_page(EMPTY, None)
