"""Lets an account go: all services stop and erase, then its credentials are deleted for good, then it is unlinked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from account_svc.accounts import jobs
from account_svc.accounts.linking import Plugins, apply, find_plugin
from account_svc.domain.accounts import Account, State
from account_svc.domain.credentials import first_place
from account_svc.domain.happenings import LinkedAgain, Unlinked, Unlinking
from account_svc.domain.holdings import RELEASING, still_holding
from account_svc.store import accounts as account_rows
from account_svc.store import holdings as store
from hanro import breaker, due, failpoints, operations
from hanro.db import Transaction
from hanro.doubling import doubled
from hanro.due import Lease
from hanro.operations import Mark, Operation, OperationStatus

KIND = "unlink"
FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=30)
BREAKS_OFF = timedelta(minutes=1)
"""So soon what the checker has begun is over: it breaks off within seconds, its last call ends with its deadline."""
PAST = {"error": "Rejected", "code": "unlinked", "why": "The account was unlinked before this was done."}


async def begin(
    tx: Transaction, account: Account, goes: Mapping[str, int | None], at: datetime, *, by: str
) -> Operation:
    """Begin to let an account go that is locked: from now on nobody is given its credentials.

    Raises:
        NotNow: it is let go already; code "account-state".
    """
    after = await apply(tx, account, Unlinking(), at)
    await due.stop(tx, after.id, but=jobs.UNLINK, held_for=BREAKS_OFF)
    await due.plan(tx, after.id, jobs.UNLINK)
    return await operations.accept(
        tx,
        kind=KIND,
        subject_id=after.id,
        account_id=after.id,
        # Its own epoch: it belongs to what comes after the link that it ends.
        asked={"account_epoch": after.epoch, "goes": dict(goes)},
        by=by,
    )


async def find_running(tx: Transaction, account_id: str) -> Operation | None:
    """Give the unlink of an account that is under way; None: none is."""
    found = await operations.list_(tx, limit=1, kind=KIND, subject_id=account_id, status=OperationStatus.ACCEPTED)
    return found[0] if found else None


async def find_waiting(tx: Transaction, accounts: Sequence[Account]) -> dict[str, tuple[str, ...]]:
    """Name the services that have not let go yet, by account; accounts that are not being unlinked are left out."""
    ids = [account.id for account in accounts if account.state is State.UNLINKING]
    said = await store.list_holdings(tx, ids) if ids else {}
    return {
        account.id: still_holding(said.get(account.id, {}), account.epoch) for account in accounts if account.id in ids
    }


async def step(tx: Transaction, lease: Lease, at: datetime) -> bool:
    """Take an unlink further: to its end where all have let go and nothing is under way here; True there.

    Done again at any time it changes nothing: what is over stays over.

    Raises:
        Retryable: the lease is lost; nothing is to be committed.
    """
    account = await account_rows.lock_account(tx, lease.account_id)
    await due.hold(tx, lease)
    if account.state is not State.UNLINKING:
        await due.drop(tx, account.id, jobs.UNLINK)
        return False
    waiting = (await find_waiting(tx, [account]))[account.id]
    # The checker breaks off what it has begun for the account; until then a request may still leave.
    is_idle = await due.stop(tx, account.id, but=jobs.UNLINK, held_for=BREAKS_OFF)
    is_idle &= await operations.close_past(tx, account.id, account.epoch, failure=PAST)
    if waiting or not is_idle:
        await _tell(tx, account, OperationStatus.ACCEPTED, waiting or ("account-svc",))
        # A report of another service brings it forward; nothing tells of an end here.
        failures = lease.failure_count if waiting else 0
        wait = doubled(FIRST_WAIT, failures, LONGEST_WAIT)
        await due.settle(tx, lease, next_at=at + wait, failures=failures + 1 if waiting else 0)
        return False
    failpoints.reach("unlink.all_released")
    await store.erase(tx, account.id)
    await breaker.close(tx, account.id)
    await apply(tx, account, Unlinked(), at)
    await _tell(tx, account, OperationStatus.APPLIED, ())
    failpoints.reach("unlink.before_commit")
    return True


async def link_again(tx: Transaction, plugins: Plugins, account: Account, at: datetime) -> Account:
    """Take up an account again that is locked: a draft without credentials, under its old id and its next epoch.

    Raises:
        NotNow: it is not unlinked; code "account-state".
        Rejected: its marketplace is not installed any more; code "marketplace-unknown".
    """
    plugin = find_plugin(plugins, account.marketplace_id)
    return await apply(tx, account, LinkedAgain(key_menu=first_place(plugin.credential_form)), at)


async def _tell(tx: Transaction, account: Account, status: OperationStatus, waiting: Sequence[str]) -> None:
    running = await find_running(tx, account.id)
    answer = {"waiting_for": list(waiting), "released": [one for one in RELEASING if one not in waiting]}
    if running is not None and (running.status is not status or running.answer != answer):
        await operations.mark(tx, Mark(id=running.id, fence=running.fence, status=status, answer=answer))
