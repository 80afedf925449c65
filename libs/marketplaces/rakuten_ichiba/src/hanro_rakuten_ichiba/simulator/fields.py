"""Reads the fields of a JSON request and collects what is wrong with them, stage by stage."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from hanro_rakuten_ichiba.simulator import messages
from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.japan_time import read_moment
from hanro_rakuten_ichiba.simulator.platform_characters import has_platform_characters

_LONGEST_NUMBER = 19


class BodyRefused(ValueError):
    """Say that a body is no JSON object."""


def _refuse_constant(name: str) -> object:
    raise BodyRefused(name)


def _refuse_repeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise BodyRefused("a key stands twice")
    return members


def read_body(body: bytes, assumptions: Assumptions, *, may_be_empty: bool) -> Mapping[str, object]:
    r"""Read a JSON object; `\uXXXX` escapes are accepted. Empty and `null` are an empty object where they may be.

    Raises:
        BodyRefused: not UTF-8, a BOM, no JSON, no object, or a key that stands twice where that is assumed a fault.

    Source: rakuten-ichiba-orders 2, 14.3.
    """
    if may_be_empty and not body.strip():
        return {}
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_repeated if assumptions.repeated_keys == "refuse" else None,
        )
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

    def __init__(self, body: Mapping[str, object], function: str, assumptions: Assumptions) -> None:
        self._body = body
        self._function = function
        self._assumptions = assumptions
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
        value = self._body.get(key)
        return value is not None and not (value == "" and self._assumptions.blank_is_missing)

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

    def numbers(self, key: str, allowed: Collection[int] | None = None, *, most_bytes: int) -> tuple[int, ...]:
        """Read a list of numbers; a single number is no list."""
        if not self.has(key):
            return ()
        values = self._body[key]
        numbers = [read_number(value) for value in values] if isinstance(values, list) else [None]
        found = tuple(number for number in numbers if number is not None)
        if len(found) < len(numbers) or (allowed is not None and not set(found) <= set(allowed)):
            self.malformed.append(key)
            return ()
        self._measure(key, map(str, found), most_bytes)
        return found

    def text(self, key: str, *, most_bytes: int) -> str:
        """Read a text as it is; empty when absent."""
        if not self.has(key):
            return ""
        value = self._body[key]
        if not isinstance(value, str):
            self.malformed.append(key)
            return ""
        self._measure(key, [value], most_bytes)
        return value

    def holds(self, key: str) -> bool:
        """Tell whether a key is there at all: with null or an empty text it erases."""
        return key in self._body

    def words(self, key: str, most_characters: int, *, is_free: bool = False) -> str | None:
        """Read a text, None when it is absent, null or empty; free text holds no platform-dependent characters.

        Source: rakuten-ichiba-orders 2 [2+].
        """
        value = self._body.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or (is_free and has_platform_characters(value)):
            self.malformed.append(key)
            return None
        if len(value) > most_characters:
            self.beyond.append(f"{key} is longer than {most_characters} characters")
        return value

    def rate(self, key: str, allowed: Collection[float]) -> float | None:
        """Read a tax rate, numeric strings included."""
        if not self.has(key):
            return None
        value = self._body[key]
        try:
            rate = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        except ValueError:
            rate = None
        if rate not in allowed:
            self.malformed.append(key)
            return None
        return rate

    def moment(self, key: str) -> datetime | None:
        """Read a datetime as aware UTC."""
        if not self.has(key):
            return None
        moment = read_moment(
            self._body[key],
            accept_colon=self._assumptions.accept_colon_offset,
            accept_other_offsets=self._assumptions.accept_other_offsets,
        )
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

    def _measure(self, key: str, texts: Iterable[str], most_bytes: int) -> None:
        if self._assumptions.counts_bytes and count_bytes(texts) > most_bytes:
            self.beyond.append(f"{key} is longer than {most_bytes} bytes")

    def _inner(self, value: Mapping[str, object]) -> "Fields":
        inner = Fields(value, self._function, self._assumptions)
        inner.missing, inner.malformed, inner.beyond = self.missing, self.malformed, self.beyond
        return inner


def count_bytes(texts: Iterable[str]) -> int:
    """Count the bytes of texts in UTF-8. Source: rakuten-ichiba-orders 2, "Max Byte"."""
    return sum(len(text.encode("utf-8", errors="replace")) for text in texts)


def order_numbers(body: Mapping[str, object]) -> list[str] | None:
    """Read `orderNumberList` as it is, repetitions included; None when it is missing or unusable."""
    values = body.get("orderNumberList")
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        return None
    return values


def once_or_each(numbers: list[str], assumptions: Assumptions) -> list[str]:
    """Give the numbers that are answered, in their order."""
    return numbers if assumptions.repeated_numbers == "each" else list(dict.fromkeys(numbers))
