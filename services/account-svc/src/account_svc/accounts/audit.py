"""Keeps who did what, in the transaction that does it: what is rolled back or changes nothing leaves no trace."""

from collections.abc import Iterable

from account_svc.domain.accounts import Account
from account_svc.domain.audit import changed_names
from account_svc.store import audit as store
from hanro import trace
from hanro.db import Transaction


async def note(
    tx: Transaction, action: str, *, account_id: str | None, shop_ids: Iterable[str], changed: Iterable[str] = ()
) -> None:
    """Keep a deed of whoever makes this request; what hanro does by itself is no deed of anybody's."""
    subject = trace.actor()
    if subject is None:
        return
    await store.save_entry(
        tx,
        subject=subject,
        action=action,
        account_id=account_id,
        shop_ids=tuple(shop_ids),
        changed=tuple(changed),
        correlation_id=trace.correlation_id(),
    )


async def note_change(tx: Transaction, action: str, before: Account, after: Account) -> None:
    """Keep what a deed changed of an account; those who lost it see it as well as those who got it."""
    await note(
        tx,
        action,
        account_id=after.id,
        shop_ids=(*before.shop_ids, *after.shop_ids),
        changed=changed_names(before, after),
    )
