"""Reads members of a decoded order; numbers arrive as the characters that were sent."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo

from hanro.marketplace.types import Amount, Moment
from hanro.money import Money

T = TypeVar("T")
Tree = Mapping[str, object]
CURRENCY = "JPY"
UNDECIDED = "-9999"
"""Money that is not set or not decided. Source: rakuten-ichiba-orders 2 [2+]."""

_JAPAN = ZoneInfo("Asia/Tokyo")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_WHOLE = re.compile(r"-?[0-9]{1,18}")


class Misread(ValueError):
    """Say which member is not as documented; `pointer` is a JSON Pointer into the order. Holds no value of it."""

    def __init__(self, pointer: str, why: str) -> None:
        super().__init__(f"{pointer} {why}")
        self.pointer = pointer
        self.why = why


def _fail(key: str, why: str) -> NoReturn:
    raise Misread(f"/{key}", why)


def optional_text(tree: Tree, key: str) -> str | None:
    """Read a text or the characters of a number; None when null or absent."""
    found = tree.get(key)
    if found is None or isinstance(found, str):
        return found
    return _fail(key, "is no text")


def text(tree: Tree, key: str) -> str:
    """Read a text or the characters of a number that must be there; it may be empty."""
    found = tree.get(key)
    return found if isinstance(found, str) else _fail(key, "is no text")


def whole(tree: Tree, key: str) -> int:
    """Read a whole number that must be there."""
    try:
        return _whole(text(tree, key))
    except ValueError:
        return _fail(key, "is no whole number")


def flag(tree: Tree, key: str) -> bool:
    """Read 0 or 1; absent or null is 0, as flags that a version lacks."""
    found = tree.get(key)
    if found is None or found == "0":
        return False
    return found == "1" or _fail(key, "is neither 0 nor 1" if isinstance(found, str) else "is no text")


def optional_decimal(tree: Tree, key: str) -> Decimal | None:
    """Read a number; None when null or absent."""
    found = optional_text(tree, key)
    if found is None:
        return None
    try:
        return _decimal(found)
    except ValueError:
        return _fail(key, "is no number")


def optional_amount(tree: Tree, key: str) -> Amount | None:
    """Read JPY with its characters; None when null or absent, an Amount without money when not decided."""
    found = tree.get(key)
    if found is None:
        return None
    if not isinstance(found, str):
        return _fail(key, "is no text")
    try:
        return _amount(found)
    except ValueError:
        return _fail(key, "is no amount of yen")


def amount(tree: Tree, key: str) -> Amount:
    """Read JPY that must be stated, if only as not decided."""
    return optional_amount(tree, key) or _fail(key, "is missing")


def optional_moment(tree: Tree, key: str) -> Moment | None:
    """Read a date-time; without an offset it is Japan's. None when null or absent."""
    found = optional_text(tree, key)
    if found is None:
        return None
    try:
        return _moment(found)
    except (ValueError, OverflowError):
        return _fail(key, "is no date-time")


def moment(tree: Tree, key: str) -> Moment:
    """Read a date-time that must be there."""
    return optional_moment(tree, key) or _fail(key, "is missing")


def optional_day(tree: Tree, key: str) -> date | None:
    """Read a calendar day; None when null, absent or empty."""
    found = optional_text(tree, key)
    if not found:
        return None
    try:
        return _day(found)
    except ValueError:
        return _fail(key, "is no day")


def optional_child(tree: Tree, key: str) -> Tree | None:
    """Read an object; None when null or absent."""
    found = tree.get(key)
    if found is None or isinstance(found, dict):
        return found
    return _fail(key, "is no object")


def child(tree: Tree, key: str) -> Tree:
    """Read an object that must be there."""
    return optional_child(tree, key) or _fail(key, "is missing")


def within(tree: Tree, key: str, read: Callable[[Tree], T]) -> T | None:
    """Read what is inside an object; a Misread then tells the whole way. None when null or absent."""
    found = optional_child(tree, key)
    if found is None:
        return None
    try:
        return read(found)
    except Misread as error:
        raise Misread(f"/{key}{error.pointer}", error.why) from None


def each(tree: Tree, key: str, read: Callable[[Tree], T]) -> tuple[T, ...]:
    """Read a list of objects; null, absent and empty are alike (rakuten-ichiba-orders 2 [wire])."""
    found = tree.get(key)
    if found is None:
        return ()
    if not isinstance(found, list):
        return _fail(key, "is no list")
    results = []
    for index, entry in enumerate(found):
        if not isinstance(entry, dict):
            return _fail(f"{key}/{index}", "is no object")
        try:
            results.append(read(entry))
        except Misread as error:
            raise Misread(f"/{key}/{index}{error.pointer}", error.why) from None
    return tuple(results)


def stated(tree: Tree, *keys: str) -> dict[str, str]:
    """Give the members that are there, verbatim, by their own names."""
    # An order has a dozen such groups, most of them small: a plain loop costs half of what comprehensions do.
    members = {}
    for key in keys:
        found = tree.get(key)
        if found is not None:
            members[key] = found if isinstance(found, str) else _fail(key, "is no text")
    return members


# Numbers and times come again and again (0, rates, postage, one order's stamps), and all are immutable.
@lru_cache(maxsize=4096)
def _whole(characters: str) -> int:
    if not _WHOLE.fullmatch(characters):
        raise ValueError("no whole number")
    return int(characters)


@lru_cache(maxsize=4096)
def _decimal(characters: str) -> Decimal:
    if not _NUMBER.fullmatch(characters):
        raise ValueError("no number")
    return Decimal(characters)


@lru_cache(maxsize=4096)
def _day(characters: str) -> date:
    return date.fromisoformat(characters)


@lru_cache(maxsize=4096)
def _amount(characters: str) -> Amount:
    number = _decimal(characters)
    return Amount(text=characters, money=None if number == Decimal(UNDECIDED) else Money(number, CURRENCY))


@lru_cache(maxsize=4096)
def _moment(characters: str) -> Moment:
    at = datetime.fromisoformat(characters)
    at = at if at.tzinfo else at.replace(tzinfo=_JAPAN)
    return Moment(at=at.astimezone(UTC), local=characters)
