"""Hears of accounts on `hanro.accounts`, and of mapped offers on `hanro.listings`."""

from collections.abc import Callable, Mapping, Sequence

from hanro.clock import Clock
from hanro.db import Transaction
from hanro.events.accounts import ACCOUNT_FACTS, AccountFact
from hanro.events.envelope import Received
from hanro.events.listings import ListingAdopted
from hanro.subscriptions import Subscription
from order_svc import accounts, mappings, policies
from order_svc.domain.accounts import Account, AccountChange, follow
from order_svc.domain.permits import Ability
from order_svc.store import accounts as store
from order_svc.store.mappings import Mapped

NAME = "order-svc.accounts"
MAPPINGS = "order-svc.mappings"


def on_accounts(
    routes: Mapping[str, Sequence[str]], forget: Callable[[str], None], abilities: Mapping[str, Ability]
) -> Subscription[Account, AccountChange]:
    """Follow accounts; `routes` are the names of each marketplace's routes, `forget` drops cached secrets.

    Of an account that is freed the orders are accepted that it leaves to hanro, as `abilities` say by marketplace.
    """

    async def load(tx: Transaction, received: Sequence[Received]) -> Mapping[str, Account]:
        return await store.lock_accounts(tx, [one.fact.id for one in received])

    async def apply(tx: Transaction, changes: Sequence[AccountChange]) -> None:
        await accounts.apply(tx, changes, routes=routes, forget=forget)
        freed = {change.account.id for change in changes if change.is_freed or change.is_due}
        await policies.take_up(tx, freed, abilities)

    return Subscription(
        name=NAME,
        facts=ACCOUNT_FACTS,
        load=load,
        decide=_decide,
        apply=apply,
    )


def on_listings(clock: Clock, abilities: Mapping[str, Ability]) -> Subscription[Account, Mapped | None]:
    """Follow which offers are mapped to SKUs, and release the orders that waited for it."""

    async def load(tx: Transaction, received: Sequence[Received]) -> Mapping[str, Account]:
        facts = [_adopted(one) for one in received]
        known = await mappings.lock_accounts(tx, [fact.account_id or "" for fact in facts])
        return {fact.id: known[fact.account_id or ""] for fact in facts if fact.account_id in known}

    def decide(known: Account | None, received: Received) -> Mapped | None:
        fact = _adopted(received)
        epoch = fact.account_epoch or 0
        if known is not None and epoch < known.epoch:
            # The account was unlinked since, and its mappings with it.
            return None
        return Mapped(
            account_id=fact.account_id or "",
            account_epoch=epoch,
            match_key=fact.match_key,
            listing_id=fact.id,
            sku=fact.sku,
        )

    async def apply(tx: Transaction, changes: Sequence[Mapped | None]) -> None:
        await mappings.follow(tx, [one for one in changes if one is not None], clock.now(), abilities=abilities)

    return Subscription(name=MAPPINGS, facts=(ListingAdopted,), load=load, decide=decide, apply=apply)


def _adopted(received: Received) -> ListingAdopted:
    if not isinstance(received.fact, ListingAdopted):
        raise TypeError(f"{received.type} is no fact about a mapped offer")
    return received.fact


def _decide(known: Account | None, received: Received) -> AccountChange:
    if not isinstance(received.fact, AccountFact):
        raise TypeError(f"{received.type} is no fact about an account")
    return follow(known, received.fact)
