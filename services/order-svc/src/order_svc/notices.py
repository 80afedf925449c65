"""Takes down what marketplaces push, and gives it to who reads the orders it names; what it says is never believed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hanro import due
from hanro.db import Database, Transaction
from hanro.due import Lease
from hanro.marketplace.types import Notice
from order_svc.store import notices as store
from order_svc.store.notices import WaitingNotice

JOB = "notices"
FINDER = "notice"
KEPT = timedelta(days=30)
BATCH = 5000
# The marketplace may tell of an order before it shows it; then the routes find it.
WAITED_FOR = timedelta(hours=1)
AT_ONCE = 500


async def take_down(db: Database, account_id: str, notices: Sequence[Notice]) -> int:
    """Store notices and make the reading of their orders due at once; give how many of them were new.

    A notice that comes again, however often and to whichever process, changes nothing.
    """
    async with db.begin() as tx:
        new = await store.save_notices(tx, account_id, notices)
        if new:
            await due.plan(tx, account_id, JOB)
    return len(new)


async def list_waiting(db: Database, account_id: str) -> list[WaitingNotice]:
    """Give notices whose orders are to be read, oldest first."""
    async with db.begin() as tx:
        return await store.list_waiting(tx, account_id, older_than=WAITED_FOR, limit=AT_ONCE)


async def settle(db: Database, lease: Lease, handled: Sequence[str], *, next_at: datetime) -> None:
    """Note which notices were followed, and give the lease back: until `next_at` where others wait, else for good.

    Raises:
        Retryable: another process took the job over (lease-lost).
    """
    async with db.begin() as tx:
        # Who takes a notice down meanwhile waits for this row, and plans the job anew.
        await due.hold(tx, lease)
        await store.save_handled(tx, lease.account_id, handled)
        if await store.list_waiting(tx, lease.account_id, older_than=WAITED_FOR, limit=1):
            await due.settle(tx, lease, next_at=next_at)
        else:
            await due.drop(tx, lease.account_id, JOB)


async def plan_waiting(tx: Transaction, account_id: str) -> None:
    """Make the job due again of an account that works anew and has notices nobody followed."""
    if await store.list_waiting(tx, account_id, older_than=WAITED_FOR, limit=1):
        await due.plan(tx, account_id, JOB)


async def forget_old(tx: Transaction) -> int:
    """Delete a batch of notices a month after they came; give how many, 0 when none is left."""
    return await store.prune_notices(tx, KEPT, limit=BATCH)
