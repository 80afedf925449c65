"""Says how long to wait after failures in a row."""

from datetime import timedelta

MOST_DOUBLINGS = 10


def doubled(first: timedelta, failures: int, most: timedelta) -> timedelta:
    """Give `first` after none, and twice as long after each failure more, `most` at most."""
    return min(first * (1 << min(failures, MOST_DOUBLINGS)), most)
