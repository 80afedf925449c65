"""Proves that windows leave no gap and never reach too far back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from order_sightings import NOON

from hanro.marketplace.types import Cursor, OrderStatus, Route, RouteKind, Window
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
    done = after_page(begun(), None, at=NOON)
    assert done.covered_until == NOON
    again = begun(done, after=timedelta(seconds=15))
    assert again.window is not None
    assert again.window.start == NOON - timedelta(minutes=10)
    assert again.window.end == NOON + timedelta(seconds=15)


def test_after_an_outage_the_window_holds_the_whole_gap() -> None:
    again = begun(after_page(begun(), None, at=NOON), after=9 * DAY)
    assert again.window is not None
    assert again.window.start == NOON - timedelta(minutes=10)


def test_after_a_very_long_outage_the_window_stays_within_reach() -> None:
    again = begun(after_page(begun(), None, at=NOON), after=900 * DAY)
    assert again.window is not None
    assert NOON + 900 * DAY - 730 * DAY < again.window.start < NOON + 900 * DAY - 729 * DAY


@pytest.mark.row("JP3", kind="walks")
@pytest.mark.row("O1", kind="refuses")
@pytest.mark.parametrize("kind", [RouteKind.NEW, RouteKind.SWEEP])
def test_what_an_outage_left_out_of_reach_is_the_gap_exactly(kind: RouteKind) -> None:
    again = begun(after_page(begun(kind=kind), None, at=NOON), after=900 * DAY, kind=kind)
    assert again.window is not None
    assert again.gap == Window(start=NOON, end=again.window.start)
    assert begun(after_page(again, None, at=NOON), after=901 * DAY, kind=kind).gap == again.gap


@pytest.mark.row("JP3", kind="walks")
def test_a_second_outage_widens_the_gap() -> None:
    first = begun(after_page(begun(), None, at=NOON), after=900 * DAY)
    second = begun(after_page(first, None, at=NOON), after=1900 * DAY)
    assert second.window is not None
    assert second.gap == Window(start=NOON, end=second.window.start)


def test_an_outage_within_reach_leaves_no_gap() -> None:
    assert begun(after_page(begun(), None, at=NOON), after=700 * DAY).gap is None


@pytest.mark.row("P20", kind="walks")
def test_windows_overlap_by_ten_minutes_at_least_whatever_a_plug_in_says() -> None:
    done = after_page(begun(), None, at=NOON)
    hasty = replace(route(), overlap=timedelta(seconds=5))
    again = next_window(hasty, done, now=NOON + DAY, look_back=30 * DAY, orders_from=None)
    assert again.window is not None
    assert again.window.start == NOON - timedelta(minutes=10)


def test_a_window_that_was_begun_goes_on_at_its_position() -> None:
    half = after_page(begun(), Cursor("page 2"), at=NOON, request_count=3)
    assert half.covered_until is None
    again = begun(half, after=timedelta(hours=3))
    assert (again.window, again.position, again.request_count) == (half.window, half.position, 3)


def test_a_window_that_was_begun_too_long_ago_starts_anew() -> None:
    sweep = after_page(begun(kind=RouteKind.SWEEP), Cursor("page 2"), at=NOON)
    again = begun(sweep, after=DAY, kind=RouteKind.SWEEP)
    assert again.position is None
    assert again.window != sweep.window


def test_a_sweep_looks_at_the_whole_reach_each_time() -> None:
    first = begun(kind=RouteKind.SWEEP)
    second = begun(after_page(first, None, at=NOON), after=timedelta(minutes=5), kind=RouteKind.SWEEP)
    assert first.window is not None
    assert second.window is not None
    assert first.window.start < NOON - 729 * DAY
    assert second.window.start == first.window.start + timedelta(minutes=5)


def test_a_page_without_a_window_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no window"):
        after_page(EMPTY, None, at=NOON)
