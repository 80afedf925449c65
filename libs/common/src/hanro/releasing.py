"""Lets go of accounts that are being unlinked: a job waits until no call is under way, erases, and reports that once.

A service plans the job where it hears of a newer epoch, and says how its part is erased. Whatever ends in between, the
job's row stays and is done again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from hanro import due, failpoints
from hanro.access_reports import AccessLog
from hanro.clock import Clock
from hanro.db import Database, Transaction, is_passing
from hanro.doubling import doubled
from hanro.due import Lease
from hanro.errors import Retryable
from hanro.log import logger
from hanro.rounds import keep_looking

JOB = "release"
LOOK_SECONDS = 0.5
LEASE = timedelta(seconds=30)
AT_ONCE = 20
# What is under way ends within its lease; nothing tells of its end, so one looks.
FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=10)

LOG = logger(__name__)

Erase = Callable[[Transaction, str], Awaitable[int | None]]
"""Locks an account, stops its work and deletes a batch of what is held of it here.

Gives the account's epoch once nothing of older epochs is left, held or under way; None: come again.
"""


async def plan(tx: Transaction, account_id: str) -> None:
    """Have an account let go, in the transaction that heard of its newer epoch."""
    await due.plan(tx, account_id, JOB)


class Releaser:
    """Let go of all accounts that are to be, each apart from the others; one a process."""

    def __init__(self, db: Database, clock: Clock, access: AccessLog, erase: Erase) -> None:
        self._db = db
        self._clock = clock
        self._access = access
        self._erase = erase

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`."""
        await keep_looking(
            self.release_due,
            clock=self._clock,
            seconds=LOOK_SECONDS,
            stop=stop,
            log=LOG,
            trouble="releasing.database_away",
        )

    async def release_due(self) -> int:
        """Do what is due now, once; give how many accounts that were."""
        leases = await due.claim(self._db, [JOB], limit=AT_ONCE, lease=LEASE, clock=self._clock)
        for lease in leases:
            await self._release(lease)
        return len(leases)

    async def _release(self, lease: Lease) -> None:
        try:
            is_gone = await self._db.run(lambda tx: self._step(tx, lease))
        except Retryable as failure:
            LOG.info("releasing.put_off", account_id=lease.account_id, code=failure.code)
            return
        except Exception as error:
            if is_passing(error):
                raise
            # One account's bug must not keep the others linked; its lease runs out, and it is tried again.
            LOG.exception("releasing.broken", account_id=lease.account_id, error_type=type(error).__name__)
            return
        failpoints.reach("releasing.after_commit")
        if is_gone:
            LOG.info("releasing.done", account_id=lease.account_id)

    async def _step(self, tx: Transaction, lease: Lease) -> bool:
        epoch = await self._erase(tx, lease.account_id)
        if epoch is None:
            pause = doubled(FIRST_PAUSE, lease.failure_count, LONGEST_PAUSE)
            failures = lease.failure_count + 1
            await due.settle(tx, lease, next_at=await tx.now() + pause, failures=failures)
            return False
        await due.hold(tx, lease)
        await due.drop(tx, lease.account_id, JOB)
        await self._access.released(tx, lease.account_id, account_epoch=epoch)
        failpoints.reach("releasing.before_commit")
        return True
