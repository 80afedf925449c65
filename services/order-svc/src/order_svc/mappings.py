"""Follows which offers are mapped to SKUs, and lets orders go that waited for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hanro import outbox
from hanro.db import Transaction
from hanro.marketplace.types.limits import KeyField
from order_svc import policies
from order_svc.domain.accounts import Account
from order_svc.domain.permits import Ability
from order_svc.domain.quarantine import Catalogue, release
from order_svc.store import accounts as accounts_store
from order_svc.store import cursors as cursors_store
from order_svc.store import mappings as store
from order_svc.store import orders as orders_store
from order_svc.store.mappings import Mapped


async def catalogue_of(
    tx: Transaction, account: Account, key_fields: tuple[KeyField, ...], keys: set[str]
) -> Catalogue | None:
    """Give what is mapped of some keys; None: the account has no mapping. Its cursors are locked."""
    mapped = await store.find_mapped(tx, account.id, keys, account_epoch=account.epoch)
    return None if mapped is None else Catalogue(key_fields=key_fields, mapped=mapped)


async def lock_accounts(tx: Transaction, account_ids: Sequence[str]) -> Mapping[str, Account]:
    """Keep accounts from changing, and whoever finds their orders from storing any; sorted by id.

    An order is then stored before its mapping, and let go by it, or after, and never held back.
    """
    ordered = sorted(set(account_ids))
    known = await accounts_store.share_accounts(tx, ordered)
    await cursors_store.lock_all_cursors(tx, ordered)
    return known


async def follow(
    tx: Transaction, mappings: Sequence[Mapped], at: datetime, *, abilities: Mapping[str, Ability]
) -> None:
    """Store mappings and release the orders that lacked nothing but these; the accounts are locked.

    What is released is accepted where its account leaves that to hanro, as `abilities` say by marketplace.
    """
    if not mappings:
        return
    await store.save_mappings(tx, mappings)
    keys: dict[str, set[str]] = {}
    for one in mappings:
        keys.setdefault(one.account_id, set()).add(one.match_key)
    waiting = await orders_store.lock_unmapped(tx, sorted(keys), sorted(set().union(*keys.values())))
    released = [
        change for order in waiting if (change := release(order, frozenset(keys[order.account_id]), at)) is not None
    ]
    await orders_store.save_orders(tx, [order for order, _ in released])
    await outbox.record(tx, *(fact for _, fact in released))
    await policies.follow(tx, [order for order, _ in released], abilities)
