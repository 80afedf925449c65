"""Keeps what was published for 30 days, in a gapless order of its own, for those who read facts over REST."""

from dataclasses import dataclass
from datetime import datetime

from hanro.db import Database, Transaction

DDL_1: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedEvent:
    """Be a published fact. `position` grows by one with each event of the schema; `data` is the fact's JSON as text."""

    position: int
    event_id: str
    type: str
    topic: str
    key: str
    headers: tuple[tuple[str, bytes], ...]
    data: str
    published_at: datetime


async def events_after(db: Database, position: int, limit: int) -> list[ArchivedEvent]:
    """Give up to `limit` events behind a position, oldest first; 0 starts with the oldest that is kept."""
    raise NotImplementedError


async def oldest_position(db: Database) -> int | None:
    """Give the oldest position that is kept, None where nothing is: a cursor before it has missed events."""
    raise NotImplementedError


async def prune(tx: Transaction) -> int:
    """Make the partitions of the next days, drop those older than 30 days, and count the dropped; once an hour."""
    raise NotImplementedError
