"""Paces one service's requests for one account, each in a turn of its own."""

from contextlib import AbstractAsyncContextManager

from hanro.clock import Clock
from hanro.db import Database
from hanro.marketplace.port import Turn
from hanro.marketplace.types.limits import Limits
from hanro.pacer import slots
from hanro.pacer.turns import PacedTurn


class Pacing:
    """Pace the requests of one service for one account; the port's `Pacer`.

    `is_alone`: no other service calls for this account (a draft), so the whole limit is this one's.
    `is_probing`: enter in spite of an open breaker (a preflight finds out whether a new key works).
    `is_trial`: the credentials are not those in use; that they are refused says nothing of those, and opens no breaker.
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
        is_trial: bool = False,
    ) -> None:
        self._db = db
        self._clock = clock
        self._limits = limits
        self._service = service
        self._account_id = account_id
        self._is_alone = is_alone
        self._is_probing = is_probing
        self._is_trial = is_trial

    def turn(self, *groups: str) -> AbstractAsyncContextManager[Turn]:
        """Wait for a slot in all groups at once, for one request; an error leaving it counts for the breaker.

        Raises:
            Retryable: the breaker is open, or our database is away; code "unavailable", `after` is how long.
            ValueError: no such group, or no share of it for this service.
        """
        unknown = [name for name in groups if name not in self._limits.groups]
        if unknown or not groups:
            raise ValueError(f"no such API groups: {', '.join(unknown) or 'none named'}")
        paces = {
            name: slots.pace_of(self._limits.groups[name], self._service, is_alone=self._is_alone) for name in groups
        }
        return PacedTurn(
            self._db, self._clock, self._account_id, paces, is_probing=self._is_probing, is_trial=self._is_trial
        )
