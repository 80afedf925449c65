"""Follows what account-svc tells about accounts."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hanro import outbox
from hanro.db import Transaction
from hanro.events.accounts import AccountFact
from hanro.events.envelope import Received
from notifier_svc.domain.accounts import Account, follow
from notifier_svc.domain.messages import SWITCHED_OFF, restate_all
from notifier_svc.store.accounts import lock_accounts, save_accounts
from notifier_svc.store.claims import suppress_planned


async def load(tx: Transaction, batch: Sequence[Received]) -> Mapping[str, Account]:
    """Lock the accounts of a batch, sorted by id; those that are new are absent."""
    return await lock_accounts(tx, [received.fact.id for received in batch])


def decide(known: Account | None, received: Received) -> Account:
    """Decide what one fact changes; ValueError where it is none of an account."""
    if not isinstance(received.fact, AccountFact):
        raise ValueError(f"{received.type} is no fact of an account")  # noqa: TRY004  it is the record that is wrong
    return follow(known, received.fact)


async def apply(tx: Transaction, accounts: Sequence[Account], *, changed: Callable[[str], None]) -> None:
    """Store accounts; after the commit `changed` hears each id: secrets that were vended before are forgotten.

    What is planned for an account whose messages are switched off is suppressed: it would be old news one day.
    """
    await save_accounts(tx, sorted(accounts, key=lambda account: account.id))
    silent = [account.id for account in accounts if not account.switches.messages]
    if silent:
        suppressed = await suppress_planned(tx, silent, reason_code=SWITCHED_OFF)
        await outbox.record(tx, *restate_all(suppressed))
    for account in accounts:
        tx.after_commit(partial(changed, account.id))
