"""Keeps what accounts leave to hanro, and asks for the acceptances that they do."""

from collections.abc import Collection, Mapping, Sequence

from hanro import operations
from hanro.db import Transaction
from hanro.marketplace.types import Capability, Supported
from hanro.operations import Ask
from order_svc.domain.accounts import Account
from order_svc.domain.decisions import asked_of, check_supported
from order_svc.domain.effects import ACCEPT, REFUSE
from order_svc.domain.orders import Order
from order_svc.domain.permits import Ability, obstacle
from order_svc.domain.policies import BY_POLICY, PASSING, Acceptance, Policy, is_left_to_policy
from order_svc.store import accounts as accounts_store
from order_svc.store import cursors as cursors_store
from order_svc.store import policies as store

Abilities = Mapping[str, Ability]


async def lock_policy(tx: Transaction, account_id: str) -> Policy:
    """Give what an account leaves to hanro, and let no order of it be stored until this commits, nor a change of it.

    An order is then found by the policy's change, or finds the changed policy, and never falls in between.
    """
    await accounts_store.share_accounts(tx, [account_id])
    await cursors_store.lock_cursors(tx, account_id)
    return await store.lock_policy(tx, account_id)


async def choose(
    tx: Transaction, account: Account, before: Policy, accept: Acceptance, *, abilities: Abilities
) -> Policy:
    """Store what an account leaves to hanro; orders that wait are asked to be accepted where that is so now.

    Raises:
        Unsupported: orders are accepted by hand there (absent).
    """
    ability = abilities.get(account.marketplace_id)
    if accept == "automatic":
        check_supported(ability.supports.get(Capability.ACCEPT) if ability else None)
    chosen = Policy(version=before.version + 1, accept=accept)
    await store.save_policy(tx, account.id, chosen)
    await take_up(tx, [account.id], abilities)
    return chosen


async def take_up(tx: Transaction, account_ids: Collection[str], abilities: Abilities) -> None:
    """Ask for the orders of accounts to be accepted that wait and are left to a policy; something freed them."""
    automatic = await store.list_automatic(tx, account_ids) if account_ids else []
    if automatic:
        await cursors_store.lock_all_cursors(tx, automatic)
        await follow(tx, await store.lock_waiting(tx, automatic), abilities)


async def follow(tx: Transaction, orders: Sequence[Order], abilities: Abilities) -> None:
    """Ask for orders to be accepted that their account leaves to hanro, each once; they are locked, or new.

    Of an account that may not accept now nothing is asked: what frees it takes its orders up.
    """
    waiting = [order for order in orders if is_left_to_policy(order)]
    if not waiting:
        return
    asks = []
    for account_id in await store.list_automatic(tx, {order.account_id for order in waiting}):
        account = await accounts_store.find_account(tx, account_id)
        if account is not None and _may_accept(account, abilities.get(account.marketplace_id)):
            asks += [
                Ask(
                    subject_id=order.id,
                    account_id=account_id,
                    asked=asked_of(order, account, Capability.ACCEPT),
                )
                for order in waiting
                if order.account_id == account_id
            ]
    await operations.accept_once(tx, kind=ACCEPT, asks=asks, by=BY_POLICY, besides=(REFUSE,), passing=PASSING)


def _may_accept(account: Account, ability: Ability | None) -> bool:
    if ability is None or not isinstance(ability.supports.get(Capability.ACCEPT), Supported):
        return False
    return account.is_working and obstacle(account, ability, Capability.ACCEPT) is None
