"""Accepts orders towards marketplaces: a wish is a row, sent is committed before the call, doubt is looked into."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hanro import operations
from hanro.db import Database, Transaction
from hanro.errors import Failure, NeedsSeller, Rejected
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, MarketplaceId, OutcomeStatus
from hanro.operations import Mark, Operation, OperationStatus
from order_svc.domain.accounts import Account
from order_svc.domain.decisions import (
    ACCEPT,
    Verdict,
    acceptance,
    check_acceptable,
    check_supported,
    still_wanted,
    told,
)
from order_svc.domain.orders import Order
from order_svc.domain.permits import Ability, obstacle, planned
from order_svc.store import accounts as accounts_store
from order_svc.store import orders as store

Plugins = Mapping[MarketplaceId, Plugin]
Abilities = Mapping[str, Ability]

REST = timedelta(minutes=5)
"""How long a wish rests that something is in the way of; the fact that takes that away ends it earlier."""
UNDER_WAY = frozenset({OperationStatus.ACCEPTED, OperationStatus.SENT, OperationStatus.IN_DOUBT})
KINDS = (ACCEPT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Be an operation that is claimed, with the order that it is about and its account."""

    operation: Operation
    order: Order
    account: Account

    @property
    def asked_epoch(self) -> int:
        """Give the link of the account that it was wished under."""
        epoch = self.operation.asked.get("account_epoch", 0)
        return epoch if isinstance(epoch, int) else 0


async def accept(
    tx: Transaction,
    order_id: str,
    *,
    account_ids: Sequence[str] | None,
    abilities: Abilities,
    by: str,
) -> Operation:
    """Write down that an order is to be accepted towards the marketplace, which cannot be undone there.

    While an acceptance of this order is under way it is that one that is given. `abilities` say by marketplace whether
    it can be done there; `account_ids` None: the caller may see all.

    Raises:
        Rejected: no such order for this caller (not-found), or it cannot be accepted: see `check_acceptable`.
        Unsupported: it is accepted by hand there.
        NeedsSeller: the account is not active, its orders are switched off (orders-off), or a grant that it takes is
            lost (grant-missing, with menu and remedy).
    """
    order = await store.lock_order(tx, order_id)
    if order is None or (account_ids is not None and order.account_id not in account_ids):
        raise Rejected("there is no such order", code="not-found")
    for last in await operations.list_(tx, limit=1, kind=ACCEPT, subject_id=order_id):
        if last.status in UNDER_WAY:
            return last
    check_acceptable(order)
    ability = abilities.get(order.marketplace_id)
    check_supported(ability.supports.get(Capability.ACCEPT) if ability else None)
    account = await accounts_store.find_account(tx, order.account_id)
    if account is None or not account.is_working:
        code = account.reason_code if account and account.reason_code else "account-inactive"
        raise NeedsSeller("the account is not active, so nothing can be sent for it", code=code)
    if hindered := obstacle(account, ability, Capability.ACCEPT):
        raise hindered
    return await operations.accept(
        tx,
        kind=ACCEPT,
        subject_id=order.id,
        account_id=order.account_id,
        asked={"external_id": order.external_id, "account_epoch": account.epoch},
        by=by,
    )


async def claim_wishes(db: Database, plugins: Plugins, *, limit: int, lease: timedelta) -> list[Wish]:
    """Take wishes whose time has come and that may be sent; of the others is written down here what becomes of them."""
    claimed = await operations.claim_sendable(db, KINDS, limit=limit, lease=lease)
    async with db.begin() as tx:
        return await _sift(tx, plugins, await _load(tx, claimed))


async def claim_unsure(db: Database, plugins: Plugins, *, limit: int, lease: timedelta) -> list[Wish]:
    """Take what was sent and not answered in time, or is in doubt and due for another look, and may be read now."""
    claimed = await operations.claim_unsure(db, KINDS, limit=limit, lease=lease)
    async with db.begin() as tx:
        wishes = await _load(tx, claimed)
        hindered = {
            wish.operation.id: failure
            for wish in wishes
            if (failure := obstacle(wish.account, ability_of(plugins, wish), Capability.FETCH_ORDER)) is not None
        }
        at = await tx.now() + REST if hindered else None
        resting = [wish.operation for wish in wishes if wish.operation.id in hindered]
        await operations.mark(
            tx,
            *(
                Mark(
                    id=one.id,
                    fence=one.fence,
                    status=one.status,
                    failure=one.failure or told(hindered[one.id]),
                    next_at=at,
                )
                for one in resting
            ),
        )
    return [wish for wish in wishes if wish.operation.id not in hindered]


async def mark_sent(db: Database, plugins: Plugins, wishes: Sequence[Wish]) -> list[Wish]:
    """Commit that these are being sent, before the call: who dies in between leaves them in doubt, never unsent.

    Gives those that may be sent as the account stands now; nothing that changes it commits before this does.

    Raises:
        Retryable: another process claimed one of them (lease-lost); none is to be sent.
    """
    async with db.begin() as tx:
        accounts = await accounts_store.share_accounts(tx, sorted({wish.account.id for wish in wishes}))
        fresh = [replace(wish, account=accounts[wish.account.id]) for wish in wishes]
        left = await _sift(tx, plugins, fresh)
        await operations.mark(tx, *(_mark(wish.operation, OperationStatus.SENT) for wish in left))
    return left


async def conclude(
    db: Database,
    wishes: Sequence[Wish],
    verdicts: Mapping[str, Verdict],
    *,
    look_again_at: datetime,
    given_up: Collection[str],
) -> None:
    """Write down what became of wishes, by operation id.

    What surely did not arrive, and what is in doubt, is taken up again at `look_again_at`; what is in doubt and
    `given_up` waits for a person then.

    Raises:
        Retryable: another process claimed one of them (lease-lost).
    """
    marks = []
    for wish in wishes:
        verdict = verdicts[wish.operation.id]
        match verdict.status:
            case OutcomeStatus.APPLIED:
                answer = {"is_repeat": verdict.is_repeat}
                marks.append(_mark(wish.operation, OperationStatus.APPLIED, answer=answer))
            case OutcomeStatus.REJECTED:
                marks.append(_mark(wish.operation, OperationStatus.REJECTED, failure=verdict.failure))
            case OutcomeStatus.NOT_SENT:
                marks.append(
                    _mark(wish.operation, OperationStatus.ACCEPTED, failure=verdict.failure, next_at=look_again_at)
                )
            case OutcomeStatus.SENT:
                marks.append(_mark(wish.operation, OperationStatus.SENT, next_at=look_again_at))
            case OutcomeStatus.IN_DOUBT:
                next_at = None if wish.operation.id in given_up else look_again_at
                marks.append(_mark(wish.operation, OperationStatus.IN_DOUBT, failure=verdict.failure, next_at=next_at))
    async with db.begin() as tx:
        await operations.mark(tx, *marks)


async def _sift(tx: Transaction, plugins: Plugins, wishes: Sequence[Wish]) -> list[Wish]:
    """Give what may be sent; what is not wanted any more, has to rest, or is only observed gets its mark."""
    left, marks, resting = [], [], []
    for wish in wishes:
        plugin = plugins.get(MarketplaceId(wish.account.marketplace_id))
        refused = still_wanted(wish.order, wish.account, asked_epoch=wish.asked_epoch)
        if refused is not None:
            marks.append(_mark(wish.operation, OperationStatus.REJECTED, failure=refused))
        elif hindered := obstacle(wish.account, ability_of(plugins, wish), Capability.ACCEPT):
            resting.append((wish, hindered))
        elif plugin is not None and wish.account.switches.is_observing:
            marks.append(_observed(wish, plugin))
        else:
            left.append(wish)
    if resting:
        at = await tx.now() + REST
        marks += [
            _mark(wish.operation, OperationStatus.ACCEPTED, failure=failure, next_at=at) for wish, failure in resting
        ]
    if marks:
        await operations.mark(tx, *marks)
    return left


def _observed(wish: Wish, plugin: Plugin) -> Mark:
    calls = planned(plugin.plan([acceptance(wish.operation.id, wish.order)]))
    if isinstance(calls, Rejected):
        return _mark(wish.operation, OperationStatus.REJECTED, failure=calls)
    return _mark(wish.operation, OperationStatus.OBSERVED, plan=calls)


def ability_of(plugins: Plugins, wish: Wish) -> Ability | None:
    """Give what the wish's marketplace can do; None where it is not installed."""
    plugin = plugins.get(MarketplaceId(wish.account.marketplace_id))
    return None if plugin is None else Ability(supports=plugin.capabilities, grants=plugin.grants)


async def _load(tx: Transaction, claimed: Sequence[Operation]) -> list[Wish]:
    orders = await store.get_orders(tx, [operation.subject_id for operation in claimed])
    accounts = {
        account_id: await accounts_store.find_account(tx, account_id)
        for account_id in sorted({order.account_id for order in orders.values()})
    }
    wishes = []
    for operation in claimed:
        order = orders[operation.subject_id]
        account = accounts[order.account_id]
        if account is None:
            raise AssertionError(f"unreachable: an order was stored for {order.account_id}, which is not known")
        wishes.append(Wish(operation=operation, order=order, account=account))
    return wishes


def _mark(
    operation: Operation,
    status: OperationStatus,
    *,
    failure: Failure | None = None,
    answer: Mapping[str, object] | None = None,
    plan: Sequence[Mapping[str, object]] | None = None,
    next_at: datetime | None = None,
) -> Mark:
    return Mark(
        id=operation.id,
        fence=operation.fence,
        status=status,
        failure=told(failure) if failure else None,
        answer=answer,
        plan=plan,
        next_at=next_at,
    )
