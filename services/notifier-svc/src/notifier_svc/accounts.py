"""Follows what account-svc tells about accounts, and lets go of those that are unlinked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hanro import outbox, releasing
from hanro.access_reports import AccessLog
from hanro.db import Transaction
from hanro.events.accounts import AccountFact
from hanro.events.envelope import Received
from notifier_svc.domain.accounts import Account, follow
from notifier_svc.domain.messages import SWITCHED_OFF, restate_all
from notifier_svc.store import bindings as binding_rows
from notifier_svc.store import releases
from notifier_svc.store.accounts import clear_pause, lock_accounts, save_accounts
from notifier_svc.store.claims import suppress_planned

BATCH = 1000
BATCHES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """Be an account as it stands now; `is_new`: nothing was known of it, `is_past`: an older link of it ends."""

    account: Account
    is_new: bool
    is_past: bool


async def load(tx: Transaction, batch: Sequence[Received]) -> Mapping[str, Account]:
    """Lock the accounts of a batch, sorted by id; those that are new are absent."""
    return await lock_accounts(tx, [received.fact.id for received in batch])


def decide(known: Account | None, received: Received) -> AccountChange:
    """Decide what one fact changes; ValueError where it is none of an account."""
    if not isinstance(received.fact, AccountFact):
        raise ValueError(f"{received.type} is no fact of an account")  # noqa: TRY004  it is the record that is wrong
    account = follow(known, received.fact)
    return AccountChange(
        account=account,
        is_new=known is None,
        is_past=account.is_let_go and account.epoch > (known.epoch if known is not None else 0),
    )


async def apply(
    tx: Transaction, changes: Sequence[AccountChange], *, access: AccessLog, forget: Callable[[str], None]
) -> None:
    """Store accounts, and have those let go that are unlinked.

    `forget` drops cached secrets, of an account that must not use them any more. What is planned for one whose messages
    are switched off is suppressed: it would be old news one day.
    """
    ordered = sorted(changes, key=lambda change: change.account.id)
    await save_accounts(tx, [change.account for change in ordered])
    silent = [change.account.id for change in ordered if not change.account.switches.messages]
    if silent:
        suppressed = await suppress_planned(tx, silent, reason_code=SWITCHED_OFF)
        await outbox.record(tx, *restate_all(suppressed))
    for change in ordered:
        account = change.account
        if change.is_past:
            await releasing.plan(tx, account.id)
        elif change.is_new:
            await access.held(tx, account.id, account_epoch=account.epoch)
        if not account.is_working:
            tx.after_commit(partial(forget, account.id))


async def erase(tx: Transaction, account_id: str) -> int | None:
    """Let an account go: what was planned for it is suppressed, its bindings are deleted; the history stays.

    Gives its epoch once no mail of an older one is under way, None before. What is in doubt stays so: a person may
    still say what became of it. Of an account that is linked again by now nothing older is held.
    """
    account = (await lock_accounts(tx, [account_id])).get(account_id)
    if account is None:
        raise AssertionError("unreachable: who plans it stores the account first")
    if not account.is_let_go:
        return account.epoch
    for _ in range(BATCHES):
        suppressed = await releases.suppress_planned(tx, account_id, account.epoch, limit=BATCH)
        await outbox.record(tx, *restate_all(suppressed))
        if len(suppressed) < BATCH:
            break
    else:
        return None
    if await releases.is_sending(tx, account_id, account.epoch):
        return None
    await binding_rows.delete_bindings(tx, account_id)
    await clear_pause(tx, account_id)
    return account.epoch


async def count(tx: Transaction, account_id: str) -> Mapping[str, int]:
    """Count what is held of an account here, without its history."""
    return {"bindings": await binding_rows.count_bindings(tx, account_id)}
