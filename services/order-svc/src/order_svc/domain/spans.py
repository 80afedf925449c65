"""Decides between which ids the orders of some days lie: an id tells when its order was found here."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hanro.ids import born_at, is_id, least_id

PREFIX = "ord"
NEAR = timedelta(hours=2)
"""So near to each other an order is placed and found, unless it is one apart; so near go the clocks of all processes
and the database. A list of a day looks through the orders of so long besides. Orders are stored with what `is_apart`
said: before it shrinks, all have to count as apart.
"""
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Be ids from `first` on and before `end`; None: open there. `is_apart`: of orders apart alone."""

    first: str | None = None
    end: str | None = None
    is_apart: bool = False


def is_apart(order_id: str, placed_at: datetime) -> bool:
    """Tell whether an order was placed so long before it was found, or after, that its id says nothing of that day."""
    return not is_id(order_id, PREFIX) or abs(born_at(order_id) - placed_at) > NEAR


def spans_of(
    *, placed_from: datetime | None, placed_to: datetime | None, changed_to: datetime | None, before_id: str | None
) -> list[Span]:
    """Give where all orders are that were placed and changed then: one span, or one more for those apart.

    An order is not changed before it is found.
    """
    end = _earlier(before_id, None if changed_to is None else _least(changed_to, NEAR))
    if placed_from is None and placed_to is None:
        return [Span(end=end)]
    first = None if placed_from is None else _least(placed_from, -NEAR)
    near_end = _earlier(end, None if placed_to is None else _least(placed_to, NEAR))
    return [Span(first=first, end=near_end), Span(end=end, is_apart=True)]


def _least(at: datetime, off: timedelta) -> str:
    # Callers name any year.
    return least_id(PREFIX, min(max(at, _FIRST), _LAST) + off)


def _earlier(one: str | None, other: str | None) -> str | None:
    return min((end for end in (one, other) if end is not None), default=None)
