"""Decides which stretch of time a route is asked for next, so that no gap is left behind, or the gap is told."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hanro.marketplace.types import Cursor, Route, RouteKind, Window

# A window is checked against the marketplace's reach while it is read, which takes time.
READING_TIME = timedelta(hours=1)
LEAST_OVERLAP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCursor:
    """Be how far an account's route was read: all of it is stored up to `covered_until` (None: nothing yet).

    A window that was begun has `window`, and `position` after its first page: it goes on there; `request_count` are
    the requests that it took so far, over all leases, `last_request_count` those of the last one that was finished.
    `gap` is what can no longer be read by this route: it lies beyond its reach.
    """

    account_id: str
    route: str
    covered_until: datetime | None
    window: Window | None
    position: Cursor | None
    gap: Window | None = None
    last_run_at: datetime | None = None
    last_done_at: datetime | None = None
    request_count: int = 0
    last_request_count: int | None = None


def overlap_of(route: Route) -> timedelta:
    """Give by how much windows of a route overlap: what the plug-in says, and never less than ten minutes."""
    return max(route.overlap, LEAST_OVERLAP)


def oldest_of(route: Route, now: datetime) -> datetime | None:
    """Give the oldest moment that a window may begin at; None: no reach is documented."""
    return None if route.reach is None else now - route.reach + READING_TIME


def next_window(
    route: Route, cursor: RouteCursor, *, now: datetime, look_back: timedelta, orders_from: datetime | None
) -> RouteCursor:
    """Give the cursor with the window to read now: the one that was begun, else a new one up to `now`.

    A sweep looks at the whole reach each time: what it finds may be as old as that. The others begin where the last
    window ended, less the overlap; the first one at `orders_from`, else `look_back` ago. None goes beyond the reach:
    what was not covered and lies there is the gap, together with one that is known already.
    """
    cursor = replace(cursor, last_run_at=now)
    oldest = oldest_of(route, now)
    if cursor.window is not None and (oldest is None or cursor.window.start >= oldest - READING_TIME / 2):
        return cursor
    overlap = overlap_of(route)
    if route.kind is RouteKind.SWEEP:
        start = oldest or now - look_back
    elif cursor.covered_until is not None:
        start = cursor.covered_until - overlap
    else:
        start = (orders_from or now - look_back) - overlap
    start = max(start, oldest) if oldest is not None else start
    return replace(
        cursor,
        window=Window(start=min(start, now - overlap), end=now),
        position=None,
        gap=_gap(cursor, start) if oldest is not None else cursor.gap,
        request_count=0,
    )


def after_page(cursor: RouteCursor, position: Cursor | None, *, at: datetime, request_count: int = 0) -> RouteCursor:
    """Give the cursor once a page is stored; the page's position None ends the window, and all of it is covered.

    `request_count`: the requests since the page before.
    """
    if cursor.window is None:
        raise ValueError(f"no window of route {cursor.route} was begun")
    counted = cursor.request_count + request_count
    if position is not None:
        return replace(cursor, position=position, request_count=counted)
    return replace(
        cursor,
        covered_until=cursor.window.end,
        window=None,
        position=None,
        last_done_at=at,
        request_count=0,
        last_request_count=counted,
    )


def _gap(cursor: RouteCursor, start: datetime) -> Window | None:
    """Join what was not covered before `start` with the gap that is known."""
    covered = cursor.covered_until
    if covered is None or covered >= start:
        return cursor.gap
    if cursor.gap is None:
        return Window(start=covered, end=start)
    return Window(start=min(cursor.gap.start, covered), end=max(cursor.gap.end, start))
