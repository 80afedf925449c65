"""Takes answers to give towards marketplaces, and says whether any wish may be taken at all."""

from collections.abc import Mapping, Sequence

from hanro import operations
from hanro.db import Transaction
from hanro.errors import NeedsSeller, Rejected
from hanro.marketplace.types import Capability
from hanro.operations import Operation, OperationStatus
from order_svc.domain.accounts import Account
from order_svc.domain.answers import Wanted, give, overlaps
from order_svc.domain.decisions import check_supported
from order_svc.domain.effects import ACCEPT, DECISIONS
from order_svc.domain.orders import Order
from order_svc.domain.permits import Ability, obstacle
from order_svc.store import accounts as accounts_store
from order_svc.store import decisions as decisions_store
from order_svc.store import orders as store

Abilities = Mapping[str, Ability]
UNDER_WAY = frozenset({OperationStatus.ACCEPTED, OperationStatus.SENT, OperationStatus.IN_DOUBT})
LOOKED_AT = 200


async def decide(
    tx: Transaction,
    order_id: str,
    wanted: Wanted,
    *,
    account_ids: Sequence[str] | None,
    abilities: Abilities,
    by: str,
    note: str | None = None,
) -> Operation:
    """Write down that an answer is to be given towards the marketplace, which cannot be undone there.

    While the same answer is under way it is that one that is given; to accept without naming lines is the same as any
    acceptance under way. `abilities` say by marketplace what can be done there; `account_ids` None: the caller may see
    all. `note` goes to the buyer where the marketplace takes it.

    Raises:
        Rejected: no such order for this caller (not-found), or nothing waits for it: see `give`; another answer about
            the same is under way (decision-under-way).
        Unsupported: it is done by hand there.
        NeedsSeller: the account is not active, its orders are switched off (orders-off), or a grant that it takes is
            lost (grant-missing, with menu and remedy).
    """
    order = await store.lock_visible(tx, order_id, account_ids)
    under_way = [
        one
        for one in await operations.list_(tx, limit=LOOKED_AT, subject_id=order_id)
        if one.kind in DECISIONS and one.status in UNDER_WAY
    ]
    if wanted == Wanted(kind=ACCEPT) and (accepting := [one for one in under_way if one.kind == ACCEPT]):
        return accepting[0]
    given = give(wanted, order, await tx.now())
    account = await check_permitted(tx, order, abilities, given.capability)
    asked = given.asked(order, account)
    for one in under_way:
        if overlaps(one.asked, asked):
            if (one.kind, one.asked) == (wanted.kind, asked):
                return one
            raise Rejected("another answer about this is under way", code="decision-under-way")
    operation = await operations.accept(
        tx, kind=wanted.kind, subject_id=order.id, account_id=order.account_id, asked=asked, by=by
    )
    if note is not None:
        await decisions_store.insert_note(tx, operation.id, order.id, note)
    return operation


async def check_permitted(tx: Transaction, order: Order, abilities: Abilities, *capabilities: Capability) -> Account:
    """Let something be asked only where the marketplace and the account can do it; give the account.

    Raises:
        Unsupported: it is done by hand there.
        NeedsSeller: the account is not active, its orders are switched off (orders-off), or a grant is lost.
    """
    ability = abilities.get(order.marketplace_id)
    for capability in capabilities:
        check_supported(ability.supports.get(capability) if ability else None)
    account = await accounts_store.find_account(tx, order.account_id)
    if account is None or not account.is_working:
        code = account.reason_code if account and account.reason_code else "account-inactive"
        raise NeedsSeller("the account is not active, so nothing can be sent for it", code=code)
    for capability in capabilities:
        if hindered := obstacle(account, ability, capability):
            raise hindered
    return account
