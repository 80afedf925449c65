"""Keeps what a consumer could not handle, with its bytes and the cause, until somebody redrives or drops it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hanro.consume.subscription import Subscription
from hanro.db import Database

DDL_1: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Be a record that was put aside. `cause` is a sentence without values of the data; times are aware UTC."""

    id: str
    consumer: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...] = field(repr=False)
    value: bytes | None = field(repr=False)
    type: str | None
    cause: str
    code: str
    attempts: int
    created_at: datetime
    failed_at: datetime


async def list_(db: Database, *, limit: int, after: str | None = None, consumer: str | None = None) -> list[DeadLetter]:
    """Give up to `limit` letters, newest first; `after` is the id of the last one of the page before."""
    raise NotImplementedError


async def get_(db: Database, letter_id: str) -> DeadLetter:
    """Give a letter; raises Rejected (code not-found)."""
    raise NotImplementedError


async def redrive(db: Database, letter_id: str, subscriptions: Sequence[Subscription[Any, Any]]) -> DeadLetter | None:
    """Put a letter through its consumer again, in one transaction; None: handled, and the letter is gone.

    A twin waits and finds nothing left. A version that is known already changes nothing and counts as handled. Where
    it fails again, the letter stays with the new cause and one attempt more, and is given.

    Raises:
        Rejected: code not-found: no such letter, or no such consumer in this version.
    """
    raise NotImplementedError


async def drop(db: Database, letter_id: str) -> None:
    """Delete a letter for good; raises Rejected (code not-found)."""
    raise NotImplementedError
