"""Makes ids that sort by time of birth and say what they name: `ord_01J…`."""

import random
import re
import time
from datetime import UTC, datetime, timedelta

_ID = re.compile(r"([a-z]{3})_[0-7][0-9A-HJKMNP-TV-Z]{25}")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 80
_MOST = (1 << _RANDOM_BITS) - 1
_chance = random.SystemRandom()
_steps = random.Random(_chance.getrandbits(64))  # noqa: S311  ids are no secrets
_last = (0, 0)


def new_id(prefix: str) -> str:
    """Make an id: the prefix of its noun (three letters), an underscore and a ULID, greater than those before it.

    48 bits of milliseconds, 80 random bits; in one millisecond, or when the clock goes back, the random part grows.
    Source: the ULID specification.
    """
    # By ten bits at once: ids were the largest cost of taking in an order while a library wrote them digit by digit.
    global _last  # noqa: PLW0603  what makes the next id of this process greater
    milliseconds, high = time.time_ns() // 1_000_000, 0
    if milliseconds > _last[0]:
        high = _chance.getrandbits(_RANDOM_BITS - 1)
    else:
        # A step at random: two threads that come from the same id go different ways.
        milliseconds, high = _last[0], _last[1] + _steps.getrandbits(40) + 1
        if high > _MOST:
            milliseconds, high = milliseconds + 1, _chance.getrandbits(_RANDOM_BITS - 1)
    _last = (milliseconds, high)
    pairs = _PAIRS
    return (
        f"{prefix}_{pairs[milliseconds >> 40]}{pairs[milliseconds >> 30 & 1023]}{pairs[milliseconds >> 20 & 1023]}"
        f"{pairs[milliseconds >> 10 & 1023]}{pairs[milliseconds & 1023]}"
        f"{pairs[high >> 70]}{pairs[high >> 60 & 1023]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}"
        f"{pairs[high >> 30 & 1023]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}{pairs[high & 1023]}"
    )


def born_at(text: str) -> datetime:
    """Give when an id was made, to the millisecond, by the clock of the process that made it.

    Raises:
        ValueError: it is none.
    """
    milliseconds = 0
    for letter in text[4:14]:
        milliseconds = milliseconds << 5 | _ALPHABET.index(letter)
    return _EPOCH + timedelta(milliseconds=milliseconds)


def least_id(prefix: str, at: datetime) -> str:
    """Give what sorts before every id that is made from then on, and behind those of before; none of it names anything.

    Before 1970 and behind the last year that an id can tell the nearest one is taken.
    """
    milliseconds = min(max((at - _EPOCH) // timedelta(milliseconds=1), 0), (1 << 48) - 1)
    return f"{prefix}_{''.join(_PAIRS[milliseconds >> shift & 1023] for shift in (40, 30, 20, 10, 0))}{'0' * 16}"


def is_id(text: str, prefix: str) -> bool:
    """Tell whether a text is an id with that prefix."""
    found = _ID.fullmatch(text)
    return found is not None and found[1] == prefix
