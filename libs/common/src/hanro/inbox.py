"""Remembers the newest version of each aggregate that a consumer has applied."""

from collections.abc import Mapping
from dataclasses import dataclass

from hanro.db import Transaction

DDL_1: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """Be what the inbox took: the aggregates whose version was new, and how many versions were jumped over."""

    aggregate_ids: frozenset[str]
    gap_count: int


async def take(tx: Transaction, consumer: str, versions: Mapping[str, int]) -> Taken:
    """Store versions by aggregate id, in one statement, and tell which were newer than what was known."""
    raise NotImplementedError
