"""Writes and reads the place in a window at which a run goes on."""

import json
from datetime import UTC, datetime

from hanro.marketplace.types import Cursor, Window
from hanro.value import value

_VERSION = 1


@value
class Place:
    """Say where a run goes on: orders placed at or after `start`, behind the order `after` where it is still found."""

    start: datetime
    after: str


def write_cursor(place: Place) -> Cursor:
    """Write a cursor; well below 2 kB, for a number has at most 382 bytes (rakuten-ichiba-orders 5.2)."""
    return Cursor(json.dumps([_VERSION, place.start.isoformat(), place.after], separators=(",", ":")))


def read_cursor(cursor: Cursor | None, window: Window) -> Place | None:
    """Read a cursor of this window; None when there is none, it cannot be read or lies outside."""
    try:
        version, start_text, after = json.loads(cursor or "")
        start = datetime.fromisoformat(start_text)
    except (ValueError, TypeError):
        return None
    if version != _VERSION or not isinstance(after, str) or start.tzinfo is None:
        return None
    if not window.start.replace(microsecond=0) <= start < window.end:
        return None
    return Place(start=start.astimezone(UTC), after=after)
