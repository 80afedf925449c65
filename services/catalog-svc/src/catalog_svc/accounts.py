"""Follows what account-svc says of accounts, and lets go of those that are unlinked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog_svc.store import listings as store
from catalog_svc.store.listings import AccountCopy
from hanro import releasing
from hanro.access_reports import AccessLog
from hanro.db import Transaction

BATCH = 2000
BATCHES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """Be an account as it stands now; `is_new`: nothing was known of it, `is_past`: an older link of it ends."""

    account: AccountCopy
    is_new: bool
    is_past: bool


async def apply(tx: Transaction, changes: Sequence[AccountChange], *, access: AccessLog) -> None:
    """Write what account-svc said, and have those let go that are unlinked."""
    ordered = sorted(changes, key=lambda change: change.account.id)
    await store.save_accounts(tx, [change.account for change in ordered])
    for change in ordered:
        if change.is_past:
            await releasing.plan(tx, change.account.id)
        elif change.is_new:
            await access.held(tx, change.account.id, account_epoch=change.account.epoch)


async def erase(tx: Transaction, account_id: str) -> int | None:
    """Let an account go: its product data is deleted, a batch at a time; what its orders hold of stock stays.

    Gives its epoch once all is gone, None before. Of an account that is linked again by now, or was never heard of
    before, nothing older is held.
    """
    account = (await store.lock_accounts(tx, [account_id])).get(account_id)
    if account is None:
        raise AssertionError("unreachable: who plans it stores the account first")
    if not account.is_let_go:
        return account.epoch
    for _ in range(BATCHES):
        if await store.delete_listings(tx, account_id, limit=BATCH) < BATCH:
            return account.epoch
    return None


async def count(tx: Transaction, account_id: str) -> Mapping[str, int]:
    """Count what is held of an account here, without what its orders hold of stock."""
    return {"listings": await store.count_listings(tx, account_id)}
