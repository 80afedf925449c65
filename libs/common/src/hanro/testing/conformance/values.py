"""Walks through values: finds texts, amounts and what must not be there, and writes an order down for comparison."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum

from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported


def walk(value: object) -> Iterator[object]:
    """Yield a value and everything inside it."""
    yield value
    if is_dataclass(value) and not isinstance(value, type):
        for found in fields(value):
            yield from walk(getattr(value, found.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from walk(key)
            yield from walk(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from walk(inner)


def texts(value: object) -> list[str]:
    """Give all texts inside a value."""
    return [found for found in walk(value) if isinstance(found, str)]


def written(value: object, *, leaves_out: frozenset[str] = frozenset()) -> object:
    """Write a value as JSON values: moments as ISO 8601, decimals as their characters, sets sorted, bytes as length."""
    if is_dataclass(value) and not isinstance(value, type):
        members = {found.name: getattr(value, found.name) for found in fields(value) if found.name not in leaves_out}
        return written(members, leaves_out=leaves_out)
    if isinstance(value, Mapping):
        return {str(key): written(inner, leaves_out=leaves_out) for key, inner in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [written(inner, leaves_out=leaves_out) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(str(written(inner)) for inner in value)
    return _leaf(value)


def _leaf(value: object) -> object:
    if isinstance(value, Retryable | NeedsSeller | Rejected | ContractBroken | InDoubt | Unsupported):
        return f"{type(value).__name__}:{value.code}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if value is None or isinstance(value, bool | int | str):
        return str(value) if isinstance(value, Enum) else value
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no written form")
