"""Tells that secrets end soon: once for each secret and threshold, whoever looks and however often."""

from datetime import datetime

from account_svc.accounts import jobs
from account_svc.domain import expiries as rules
from account_svc.domain.accounts import WORKING, Account
from account_svc.store import accounts as account_rows
from account_svc.store import expiries as store
from hanro import due, outbox
from hanro.db import Transaction
from hanro.due import Lease


async def tell_due(tx: Transaction, lease: Lease, at: datetime) -> list[int]:
    """Tell of an account's secrets what is due, and plan the next time; give the thresholds that were told, in days.

    Of several thresholds that passed unseen the nearest alone is told.

    Raises:
        Retryable: the lease is lost; nothing is to be committed.
    """
    account = await account_rows.lock_account(tx, lease.account_id)
    await due.hold(tx, lease)
    told: list[int] = []
    next_at = at + jobs.AT_REST
    if account.state in WORKING:
        known = (await store.list_expiries(tx, [account.id])).get(account.id, ())
        for one in known:
            ending = rules.ending(one.expiry, at)
            if one.credential_version != account.credential_version or ending is None:
                continue
            days = rules.reached(ending.expires_at, at)
            if days is not None and await store.save_warning(tx, account.id, one, days, at):
                account, fact = rules.tell(account, one.expiry, days, at)
                await account_rows.save_account(tx, account)
                await outbox.record(tx, fact)
                told.append(days)
            next_at = min(next_at, ending.next_at or next_at)
        await _forget_older(tx, account)
    await due.settle(tx, lease, next_at=next_at)
    return told


async def _forget_older(tx: Transaction, account: Account) -> None:
    await store.delete_warnings(tx, account.id, older_than=account.credential_version)
