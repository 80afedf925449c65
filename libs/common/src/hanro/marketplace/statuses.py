"""Derives an order's status from its lines."""

from collections.abc import Iterable

from hanro.marketplace.types.enums.orders import OrderStatus
from hanro.marketplace.types.orders import Line

_ADVANCE = {status: place for place, status in enumerate(OrderStatus)}


def status_of(lines: Iterable[Line]) -> OrderStatus:
    """Give the least advanced status of the lines that are not CANCELLED; CANCELLED when all are.

    Raises:
        ValueError: no lines; an order without lines has no status.
    """
    statuses = [line.status for line in lines]
    if not statuses:
        raise ValueError("an order without lines has no status")
    live = [status for status in statuses if status is not OrderStatus.CANCELLED]
    return min(live, key=_ADVANCE.__getitem__, default=OrderStatus.CANCELLED)
