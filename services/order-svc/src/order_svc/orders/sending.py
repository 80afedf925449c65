"""Keeps how far wishes are: claimed, sent before the call, and what became of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hanro import operations, outbox
from hanro.db import Database, Transaction
from hanro.errors import Failure, Rejected
from hanro.marketplace.types import Capability, MarketplaceId, OutcomeStatus
from hanro.operations import Mark, Operation, OperationStatus
from order_svc.domain import shipments
from order_svc.domain.effects import CANCEL, DECISIONS, KINDS, SHIP
from order_svc.domain.orders import Order
from order_svc.domain.permits import planned
from order_svc.domain.verdicts import EXTERNAL_ID, LEFT, Verdict, epoch_past, remembered, told
from order_svc.orders.wishes import Plugins, Wish, load, load_locked
from order_svc.store import cancellations as cancellations_store
from order_svc.store import decisions as decisions_store
from order_svc.store import orders as store
from order_svc.store import shipments as shipments_store

REST = timedelta(minutes=5)
"""How long a wish rests that something is in the way of; the fact that takes that away ends it earlier."""
OVER = frozenset({OperationStatus.APPLIED, OperationStatus.REJECTED, OperationStatus.OBSERVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Be what is written down about a wish: how far it is now, why, and when it is looked at again."""

    wish: Wish
    status: OperationStatus
    failure: Failure | Mapping[str, object] | None = None
    answer: Mapping[str, object] | None = None
    plan: Sequence[Mapping[str, object]] | None = None
    next_at: datetime | None = None

    def mark(self) -> Mark:
        """Give it as the operation's mark."""
        failure = self.failure
        return Mark(
            id=self.wish.operation.id,
            fence=self.wish.operation.fence,
            status=self.status,
            failure=failure if failure is None or isinstance(failure, Mapping) else told(failure),
            answer=self.answer,
            plan=self.plan,
            next_at=self.next_at,
        )


async def claim_wishes(db: Database, plugins: Plugins, *, limit: int, lease: timedelta) -> list[Wish]:
    """Take wishes whose time has come and that may be sent; of the others is written down here what becomes of them."""
    claimed = await operations.claim_sendable(db, list(KINDS), limit=limit, lease=lease)
    if not claimed:
        return []
    async with db.begin() as tx:
        return await _sift(tx, plugins, await load(tx, claimed))


async def claim_unsure(db: Database, plugins: Plugins, *, limit: int, lease: timedelta) -> list[Wish]:
    """Take what was sent and not answered in time, or is in doubt and due for another look, and may be read now.

    What an older link of its account wished waits for a person from now on: nobody is given the secrets to look it up,
    and an unlink waits until nobody looks.
    """
    claimed = await operations.claim_unsure(db, list(KINDS), limit=limit, lease=lease)
    if not claimed:
        return []
    left, steps, resting = [], [], []
    async with db.begin() as tx:
        for wish in await load(tx, claimed):
            if wish.asked_epoch < wish.account.epoch:
                steps.append(Step(wish=wish, status=OperationStatus.IN_DOUBT, failure=epoch_past()))
            elif hindered := wish.hindered(plugins, Capability.FETCH_ORDER):
                resting.append((wish, hindered))
            else:
                left.append(wish)
        at = await tx.now() + REST if resting else None
        steps += [
            Step(
                wish=one,
                status=one.operation.status,
                failure=one.operation.failure or failure,
                answer=one.operation.answer,
                next_at=at,
            )
            for one, failure in resting
        ]
        await _write(tx, steps)
    return left


async def mark_sent(db: Database, plugins: Plugins, wishes: Sequence[Wish]) -> list[Wish]:
    """Commit that these are being sent, before the call: who dies in between leaves them in doubt, never unsent.

    Gives those that may be sent as account and order stand now; nothing that changes them commits before this does.

    Raises:
        Retryable: another process claimed one of them (lease-lost); none is to be sent.
    """
    async with db.begin() as tx:
        left = [_remembering(wish) for wish in await _sift(tx, plugins, await load_locked(tx, wishes))]
        await _write(tx, [Step(wish=wish, status=OperationStatus.SENT, answer=wish.operation.answer) for wish in left])
    return left


async def conclude(
    db: Database,
    wishes: Sequence[Wish],
    verdicts: Mapping[str, Verdict],
    *,
    look_again_at: Mapping[str, datetime],
    given_up: Collection[str],
) -> None:
    """Write down what became of wishes, by operation id, and tell what that changes about their orders.

    What surely did not arrive, and what is in doubt, is taken up again at `look_again_at` (by operation id), a ticket
    at its own time; what is in doubt and `given_up` waits for a person then.

    Raises:
        Retryable: another process claimed one of them (lease-lost).
    """
    steps = []
    for wish in wishes:
        verdict = verdicts[wish.operation.id]
        later = look_again_at[wish.operation.id]
        kept = remembered(verdict, wish.operation.answer)
        match verdict.status:
            case OutcomeStatus.APPLIED:
                named = {name: kept[name] for name in kept if name == EXTERNAL_ID}
                answer = {"is_repeat": verdict.is_repeat, **named}
                steps.append(Step(wish=wish, status=OperationStatus.APPLIED, answer=answer))
            case OutcomeStatus.REJECTED:
                steps.append(Step(wish=wish, status=OperationStatus.REJECTED, failure=verdict.failure, answer=kept))
            case OutcomeStatus.NOT_SENT:
                steps.append(
                    Step(
                        wish=wish,
                        status=OperationStatus.ACCEPTED,
                        failure=verdict.failure,
                        answer={},
                        next_at=later,
                    )
                )
            case OutcomeStatus.SENT:
                next_at = verdict.ticket.poll_at if verdict.ticket else later
                steps.append(Step(wish=wish, status=OperationStatus.SENT, answer=kept, next_at=next_at))
            case OutcomeStatus.IN_DOUBT:
                steps.append(
                    Step(
                        wish=wish,
                        status=OperationStatus.IN_DOUBT,
                        failure=verdict.failure,
                        answer=kept,
                        next_at=None if wish.operation.id in given_up else later,
                    )
                )
    async with db.begin() as tx:
        await _write(tx, steps)


def _remembering(wish: Wish) -> Wish:
    """Let a wish keep what must be left of its order, which nobody can tell once it is done."""
    answer = {LEFT: wish.left} if wish.left else {}
    return replace(wish, operation=replace(wish.operation, answer=answer))


async def _sift(tx: Transaction, plugins: Plugins, wishes: Sequence[Wish]) -> list[Wish]:
    """Give what may be sent; what is not wanted any more, has to rest, or is only observed is written down."""
    left, steps, resting = [], [], []
    for wish in wishes:
        plugin = plugins.get(MarketplaceId(wish.account.marketplace_id))
        refused = wish.refused()
        if refused is not None:
            steps.append(Step(wish=wish, status=OperationStatus.REJECTED, failure=refused))
        elif hindered := wish.hindered(plugins):
            resting.append((wish, hindered))
        elif plugin is not None and wish.account.switches.is_observing:
            calls = planned(plugin.plan([wish.effect]))
            if isinstance(calls, Rejected):
                steps.append(Step(wish=wish, status=OperationStatus.REJECTED, failure=calls))
            else:
                steps.append(Step(wish=wish, status=OperationStatus.OBSERVED, plan=calls))
        else:
            left.append(wish)
    if resting:
        at = await tx.now() + REST
        steps += [
            Step(wish=wish, status=OperationStatus.ACCEPTED, failure=failure, next_at=at) for wish, failure in resting
        ]
    await _write(tx, steps)
    return left


async def _write(tx: Transaction, steps: Sequence[Step]) -> None:
    """Mark operations, and restate the orders whose parcels they change."""
    if not steps:
        return
    moved = {step.wish.order.id for step in steps if step.wish.operation.kind == SHIP}
    locked = await store.lock_orders_by_id(tx, sorted(moved)) if moved else {}
    await operations.mark(tx, *(step.mark() for step in steps))
    await forget_words(tx, [step.wish.operation for step in steps if step.status in OVER])
    if locked:
        await tell_parcels(tx, locked)


async def forget_words(tx: Transaction, over: Sequence[Operation]) -> None:
    """Forget what was written for the marketplace with operations that are over."""
    if undone := [operation.id for operation in over if operation.kind == CANCEL]:
        await cancellations_store.forget_comments(tx, undone)
    if decided := [operation.id for operation in over if operation.kind in DECISIONS]:
        await decisions_store.delete_notes(tx, decided)


async def tell_parcels(tx: Transaction, locked: Mapping[str, Order]) -> None:
    """Restate locked orders whose parcels are not as they were told last."""
    known = await shipments_store.list_of_orders(tx, sorted(locked))
    at = await tx.now()
    changes = [shipments.tell(order, known[order_id], at) for order_id, order in locked.items()]
    told_now = [change for change in changes if change is not None]
    await store.save_orders(tx, [order for order, _ in told_now])
    await outbox.record(tx, *(fact for _, fact in told_now))
