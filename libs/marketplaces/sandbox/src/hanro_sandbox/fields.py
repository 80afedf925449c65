"""Reads members of a decoded order; numbers arrive as the characters that were sent."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hanro.marketplace.types import Amount, Moment
from hanro.money import Money

ZONE = ZoneInfo("Asia/Tokyo")
CURRENCY = "JPY"
UNDECIDED = "-1"
"""An amount that is not decided yet. Source: README, Orders."""

_WHOLE = re.compile(r"-?[0-9]{1,15}")
Tree = Mapping[str, Any]
T = TypeVar("T")


class Misread(ValueError):
    """Say which member is not as documented, by a JSON Pointer into the order; holds no value of it."""

    def __init__(self, key: str, why: str, code: str = "unreadable") -> None:
        super().__init__(f"/{key} {why}")
        self.pointer = f"/{key}"
        self.why = why
        self.code = code


def optional_text(tree: Tree, key: str) -> str | None:
    """Read a text, or the characters of a number; None when null or absent."""
    found = tree.get(key)
    if found is None or isinstance(found, str):
        return found
    raise Misread(key, "is no text")


def text(tree: Tree, key: str) -> str:
    """Read a text that must be there; it may be empty."""
    found = optional_text(tree, key)
    if found is None:
        raise Misread(key, "is missing")
    return found


def whole(tree: Tree, key: str) -> int:
    """Read a whole number."""
    found = text(tree, key)
    if not _WHOLE.fullmatch(found):
        raise Misread(key, "is no whole number")
    return int(found)


def optional_amount(tree: Tree, key: str) -> Amount | None:
    """Read yen with its characters; without money when not decided, None when null or absent."""
    found = optional_text(tree, key)
    if found is None:
        return None
    if found == UNDECIDED:
        return Amount(text=found, money=None)
    if not _WHOLE.fullmatch(found) or found.startswith("-"):
        raise Misread(key, "is no amount of yen")
    return Amount(text=found, money=Money(Decimal(found), CURRENCY))


def amount(tree: Tree, key: str) -> Amount:
    """Read yen that must be stated, if only as not decided."""
    found = optional_amount(tree, key)
    if found is None:
        raise Misread(key, "is missing")
    return found


def optional_moment(tree: Tree, key: str) -> Moment | None:
    """Read a time; without an offset it is Japan's. None when null or absent."""
    found = optional_text(tree, key)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(found)
        at = at if at.tzinfo else at.replace(tzinfo=ZONE)
        return Moment(at=at.astimezone(UTC), local=found)
    except (ValueError, OverflowError):
        raise Misread(key, "is no date-time") from None


def moment(tree: Tree, key: str) -> Moment:
    """Read a time that must be there."""
    found = optional_moment(tree, key)
    if found is None:
        raise Misread(key, "is missing")
    return found


def optional_day(tree: Tree, key: str) -> date | None:
    """Read a calendar day; None when null or absent."""
    found = optional_text(tree, key)
    try:
        return None if found is None else date.fromisoformat(found)
    except ValueError:
        raise Misread(key, "is no day") from None


def optional_child(tree: Tree, key: str) -> Tree | None:
    """Read an object; None when null or absent."""
    found = tree.get(key)
    if found is None or isinstance(found, dict):
        return found
    raise Misread(key, "is no object")


def child(tree: Tree, key: str) -> Tree:
    """Read an object that must be there."""
    found = optional_child(tree, key)
    if found is None:
        raise Misread(key, "is missing")
    return found


def children(tree: Tree, key: str) -> Sequence[Tree]:
    """Read a list of objects that must be there."""
    found = tree.get(key)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Misread(key, "is no list of objects")
    return found


def within(tree: Tree, key: str, read: Callable[[Tree], T]) -> T:
    """Read what is inside an object that must be there; a Misread then tells the whole way."""
    return _inside(key, child(tree, key), read)


def each(tree: Tree, key: str, read: Callable[[Tree], T]) -> tuple[T, ...]:
    """Read what is inside each object of a list; a Misread then tells the whole way."""
    return tuple(_inside(f"{key}/{place}", one, read) for place, one in enumerate(children(tree, key)))


def _inside(key: str, tree: Tree, read: Callable[[Tree], T]) -> T:
    try:
        return read(tree)
    except Misread as error:
        raise Misread(f"{key}{error.pointer}", error.why, error.code) from None
