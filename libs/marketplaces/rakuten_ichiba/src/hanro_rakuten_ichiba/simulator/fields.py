"""Reads the fields of a JSON request and collects what is wrong with them, stage by stage."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from hanro_rakuten_ichiba.simulator import messages
from hanro_rakuten_ichiba.simulator.japan_time import read_moment

_LONGEST_NUMBER = 19


class BodyRefused(ValueError):
    """Say that a body is no JSON object."""


def _refuse_constant(name: str) -> object:
    raise BodyRefused(name)


def read_body(body: bytes, *, may_be_empty: bool) -> Mapping[str, object]:
    r"""Read a JSON object; `\uXXXX` escapes are accepted. Empty and `null` are an empty object where they may be.

    Raises:
        BodyRefused: not UTF-8, a BOM, no JSON, or no object.

    Source: rakuten-ichiba-orders 2, 14.3.
    """
    if may_be_empty and not body.strip():
        return {}
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BodyRefused("the body is no JSON") from error
    if may_be_empty and value is None:
        return {}
    if not isinstance(value, dict):
        raise BodyRefused("the body is no JSON object")
    return value


def read_number(value: object) -> int | None:
    """Read a whole number or a numeric string; None for anything else. Source: rakuten-ichiba-orders 2 [2+]."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii():
        return int(value) if len(value) <= _LONGEST_NUMBER else None
    return None


class Fields:
    """Read one request; what is wrong is collected, and a wrong field reads as None or as nothing.

    Stages and their order in the answer: rakuten-ichiba-orders 14.4 [?], sample 15.1.
    """

    def __init__(self, body: Mapping[str, object], function: str) -> None:
        self._body = body
        self._function = function
        self.missing: list[str] = []
        self.malformed: list[str] = []
        self.beyond: list[str] = []

    def messages(self) -> list[messages.Message]:
        """Word all that was wrong: what is missing, then what is malformed, then what is over a limit."""
        return [
            *messages.missing(self._function, self.missing),
            *messages.malformed(self._function, self.malformed),
            *messages.beyond(self._function, self.beyond),
        ]

    def has(self, key: str) -> bool:
        """Tell whether a key is there with a value; null counts as absent."""
        return self._body.get(key) is not None

    def require(self, key: str) -> None:
        """Note a key as missing unless it is there."""
        if not self.has(key):
            self.missing.append(key)

    def number(self, key: str, allowed: Collection[int] | None = None) -> int | None:
        """Read a number of a code list, or any number."""
        if not self.has(key):
            return None
        number = read_number(self._body[key])
        if number is None or (allowed is not None and number not in allowed):
            self.malformed.append(key)
            return None
        return number

    def numbers(self, key: str, allowed: Collection[int] | None = None) -> tuple[int, ...]:
        """Read a list of numbers; a single number is no list."""
        if not self.has(key):
            return ()
        values = self._body[key]
        numbers = [read_number(value) for value in values] if isinstance(values, list) else [None]
        found = tuple(number for number in numbers if number is not None)
        if len(found) < len(numbers) or (allowed is not None and not set(found) <= set(allowed)):
            self.malformed.append(key)
            return ()
        return found

    def text(self, key: str) -> str:
        """Read a text without surrounding blanks; empty when absent."""
        if not self.has(key):
            return ""
        value = self._body[key]
        if not isinstance(value, str):
            self.malformed.append(key)
            return ""
        return value.strip()

    def moment(self, key: str, *, accept_colon: bool) -> datetime | None:
        """Read a datetime as aware UTC."""
        if not self.has(key):
            return None
        moment = read_moment(self._body[key], accept_colon=accept_colon)
        if moment is None:
            self.malformed.append(key)
        return moment

    def part(self, key: str) -> "Fields | None":
        """Give a nested object, which notes its faults here; None when absent or no object."""
        if not self.has(key):
            return None
        value = self._body[key]
        if not isinstance(value, dict):
            self.malformed.append(key)
            return None
        return self._inner(value)

    def parts(self, key: str) -> list["Fields"]:
        """Give a list of nested objects; empty when absent."""
        if not self.has(key):
            return []
        values = self._body[key]
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.malformed.append(key)
            return []
        return [self._inner(value) for value in values]

    def _inner(self, value: Mapping[str, object]) -> "Fields":
        inner = Fields(value, self._function)
        inner.missing, inner.malformed, inner.beyond = self.missing, self.malformed, self.beyond
        return inner


def order_numbers(body: Mapping[str, object]) -> list[str] | None:
    """Read `orderNumberList` without repetitions, in its order; None when it is missing or unusable."""
    values = body.get("orderNumberList")
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        return None
    return list(dict.fromkeys(values))
