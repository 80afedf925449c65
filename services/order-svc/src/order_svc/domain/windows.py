"""Decides which stretch of time a route is asked for next, so that no gap is left behind."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro.marketplace.types import Cursor, Route, RouteKind, Window

# A window is checked against the marketplace's reach while it is read, which takes time.
READING_TIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCursor:
    """Be how far an account's route was read: all of it is stored up to `covered_until` (None: nothing yet).

    A window that was begun has `window`, and `position` after its first page: it goes on there.
    """

    account_id: str
    route: str
    covered_until: datetime | None
    window: Window | None
    position: Cursor | None


def next_window(
    route: Route, cursor: RouteCursor, *, now: datetime, look_back: timedelta, orders_from: datetime | None
) -> RouteCursor:
    """Give the cursor with the window to read now: the one that was begun, else a new one up to `now`.

    A sweep looks at the whole reach each time: what it finds may be as old as that. The others begin where the last
    window ended, less the overlap; the first one at `orders_from`, else `look_back` ago. None goes beyond the reach.
    """
    oldest = now - route.reach + READING_TIME if route.reach is not None else None
    if cursor.window is not None and (oldest is None or cursor.window.start >= oldest - READING_TIME / 2):
        return cursor
    if route.kind is RouteKind.SWEEP:
        start = oldest or now - look_back
    elif cursor.covered_until is not None:
        start = cursor.covered_until - route.overlap
    else:
        start = (orders_from or now - look_back) - route.overlap
    start = max(start, oldest) if oldest is not None else start
    return RouteCursor(
        account_id=cursor.account_id,
        route=cursor.route,
        covered_until=cursor.covered_until,
        window=Window(start=min(start, now - route.overlap), end=now),
        position=None,
    )


def after_page(cursor: RouteCursor, position: Cursor | None) -> RouteCursor:
    """Give the cursor once a page is stored; the page's position None ends the window, and all of it is covered."""
    if cursor.window is None:
        raise ValueError(f"no window of route {cursor.route} was begun")
    is_done = position is None
    return RouteCursor(
        account_id=cursor.account_id,
        route=cursor.route,
        covered_until=cursor.window.end if is_done else cursor.covered_until,
        window=None if is_done else cursor.window,
        position=position,
    )
