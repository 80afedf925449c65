"""Hears of accounts on `hanro.accounts`."""

from collections.abc import Callable, Mapping, Sequence

from hanro.db import Transaction
from hanro.events.accounts import ACCOUNT_FACTS, AccountFact
from hanro.events.envelope import Received
from hanro.subscriptions import Subscription
from order_svc import accounts
from order_svc.domain.accounts import Account, AccountChange, follow
from order_svc.store import accounts as store

NAME = "order-svc.accounts"


def on_accounts(
    routes: Mapping[str, Sequence[str]], forget: Callable[[str], None]
) -> Subscription[Account, AccountChange]:
    """Follow accounts; `routes` are the names of each marketplace's routes, `forget` drops cached secrets."""

    async def load(tx: Transaction, received: Sequence[Received]) -> Mapping[str, Account]:
        return await store.lock_accounts(tx, [one.fact.id for one in received])

    async def apply(tx: Transaction, changes: Sequence[AccountChange]) -> None:
        await accounts.apply(tx, changes, routes=routes, forget=forget)

    return Subscription(
        name=NAME,
        facts=ACCOUNT_FACTS,
        load=load,
        decide=_decide,
        apply=apply,
    )


def _decide(known: Account | None, received: Received) -> AccountChange:
    if not isinstance(received.fact, AccountFact):
        raise TypeError(f"{received.type} is no fact about an account")
    return follow(known, received.fact)
