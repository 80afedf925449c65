"""Asks what is due and starts a lane for each account that has something to say."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from hanro import failpoints
from hanro.db import is_away, is_conflict
from hanro.log import logger
from hanro.waiting import Backoff, rest
from notifier_svc.domain.messages import Message
from notifier_svc.sender.lane import Desk, Lane

POLL = timedelta(milliseconds=500)
# What one claim takes of an account: enough to keep its connection busy, few to wait for a lease after a crash.
CLAIMED_EACH = 20
TAKEN_OVER = 100

log = logger(__name__)


class Sender:
    """Send what is planned, for at most `lanes` accounts at a time; one a process."""

    def __init__(self, desk: Desk, *, lanes: int) -> None:
        self._desk = desk
        self._lanes = lanes
        self._busy: set[str] = set()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once instead of at the next poll."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; mails that are under way are finished, the rest is given back."""
        backoff = Backoff()
        try:
            async with asyncio.TaskGroup() as lanes:
                while not stop.is_set():
                    self._woken.clear()
                    pause = POLL.total_seconds()
                    try:
                        is_more = await self._turn(lanes, stop)
                        backoff.reset()
                    except Exception as error:
                        if not (is_away(error) or is_conflict(error)):
                            raise
                        is_more = False
                        pause = backoff.pause()
                    if not is_more:
                        await rest(self._desk.clock, pause, stop, self._woken)
        finally:
            await self._desk.relays.close()

    async def _turn(self, lanes: asyncio.TaskGroup, stop: asyncio.Event) -> bool:
        """Claim once and start lanes; True where there may be more to claim at once."""
        await self._desk.ledger.take_over(limit=TAKEN_OVER)
        await self._desk.relays.prune()
        failpoints.reach("sender.turn")
        free = self._lanes - len(self._busy)
        if free <= 0:
            return False
        claimed_at = self._desk.clock.monotonic()
        taken = await self._desk.ledger.claim(account_limit=free, limit_each=CLAIMED_EACH, busy=sorted(self._busy))
        if taken:
            failpoints.reach("sender.claimed")
        for account_id, messages in groupby(taken, key=lambda message: message.account_id):
            self._busy.add(account_id)
            lanes.create_task(self._lane(account_id, list(messages), stop, claimed_at))
        return bool(taken)

    async def _lane(self, account_id: str, messages: Sequence[Message], stop: asyncio.Event, claimed_at: float) -> None:
        try:
            await Lane(self._desk, messages, stop, claimed_at=claimed_at).run(account_id)
        finally:
            self._busy.discard(account_id)
            self._woken.set()
