"""Lets requests leave at the pace that a marketplace allows: one row per account and API group, one owner per row."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.marketplace.port import Turn
from hanro.marketplace.types import Limits


class SlotTurn(Turn, Protocol):
    """Be a turn that wants to be told when its request really left."""

    def leaving(self) -> None:
        """Take the turn for one request, just before its first byte.

        Raises:
            Retryable: the slot was lost meanwhile; no byte may leave. Code "lease-lost".
        """

    def left(self) -> None:
        """Say that the request's head has left now: the next slot is counted from here."""


class Pacing:
    """Pace the requests of one service for one account; the port's `Pacer`.

    `is_alone`: no other service calls for this account (a draft), so the whole limit is this one's.
    `is_probing`: enter in spite of an open breaker (a preflight finds out whether a new key works).
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        limits: Limits,
        service: str,
        account_id: str,
        *,
        is_alone: bool = False,
        is_probing: bool = False,
    ) -> None:
        raise NotImplementedError

    def turn(self, *groups: str) -> AbstractAsyncContextManager[Turn]:
        """Wait for a slot in all groups at once, for one request; an error leaving it counts for the breaker.

        Raises:
            Retryable: the breaker is open; code "unavailable", `after` is how long.
        """
        raise NotImplementedError


async def drop(tx: Transaction, account_id: str) -> None:
    """Forget the pace of an account."""
    raise NotImplementedError


__all__ = ["Pacing", "SlotTurn", "drop", "timedelta"]
