"""Lets a person decide what became of a wish that is in doubt, and tells what that changes about its order."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import cast

from hanro import operations
from hanro.db import Transaction
from hanro.errors import NeedsSeller, Rejected, Unsupported
from hanro.operations import Operation, OperationStatus
from order_svc.domain.effects import KINDS, SHIP
from order_svc.domain.orders import Order
from order_svc.domain.permits import Ability
from order_svc.domain.verdicts import told
from order_svc.orders.asking import ask_fetch
from order_svc.orders.sending import OVER, forget_words, tell_parcels
from order_svc.store import accounts as accounts_store
from order_svc.store import orders as store


class Resolution(StrEnum):
    """Say what a person decides: the marketplace did it, it did not and never will, or it is to be sent again."""

    APPLIED = "applied"
    REJECTED = "rejected"
    SEND_AGAIN = "send_again"


_STATUS = {
    Resolution.APPLIED: OperationStatus.APPLIED,
    Resolution.REJECTED: OperationStatus.REJECTED,
    Resolution.SEND_AGAIN: OperationStatus.ACCEPTED,
}


async def resolve(
    tx: Transaction,
    operation_id: str,
    resolution: Resolution,
    *,
    account_ids: Sequence[str] | None,
    by: str,
    abilities: Mapping[str, Ability],
) -> Operation:
    """Settle a wish in doubt by a person's decision, under that person's name; what waited behind it goes on.

    A parcel that was registered is told as such, one that was not leaves its units to be shipped again. The same
    decision again changes nothing. What was done shows in the order once that is read again, which is planned with the
    decision; where it cannot be read the decision stands all the same.

    Raises:
        Rejected: no such operation for this caller (not-found); nothing that is sent for an order, or not in doubt
            (already-decided); to be sent again although its account was unlinked since (unlinked).
    """
    operation = await operations.get_(tx, operation_id)
    if account_ids is not None and operation.account_id not in account_ids:
        raise Rejected("There is no such operation.", code="not-found")
    if operation.kind not in KINDS:
        raise Rejected(f"A {operation.kind} is never in doubt.", code="already-decided")
    order = await store.lock_visible(tx, operation.subject_id, account_ids)
    if resolution is Resolution.SEND_AGAIN:
        account = await accounts_store.find_account(tx, order.account_id)
        if account is not None and cast("int", operation.asked.get("account_epoch", 0)) < account.epoch:
            why = "The account was unlinked since: nothing of before is sent. Say whether it was done."
            raise Rejected(why, code="unlinked")
    given_up = Rejected("a person decided that it was not done", code="given-up")
    decided = await operations.resolve(
        tx,
        operation_id,
        _STATUS[resolution],
        by=by,
        failure=told(given_up) if resolution is Resolution.REJECTED else None,
    )
    if decided is None:
        return _same(await operations.get_(tx, operation_id), resolution)
    if decided.status in OVER:
        await forget_words(tx, [decided])
    if decided.kind == SHIP:
        await tell_parcels(tx, {order.id: order})
    if resolution is Resolution.APPLIED:
        await _plan_fetch(tx, order, abilities, by)
    return decided


async def _plan_fetch(tx: Transaction, order: Order, abilities: Mapping[str, Ability], by: str) -> None:
    account = await accounts_store.find_account(tx, order.account_id)
    if account is None:
        return
    ability = abilities.get(account.marketplace_id)
    try:
        await ask_fetch(tx, account, [order.external_id], order_id=order.id, ability=ability, by=by)
    except (Unsupported, NeedsSeller):
        # A sweep shows it once the account works again; nobody may be kept from deciding until then.
        return


def _same(operation: Operation, resolution: Resolution) -> Operation:
    """Give an operation of which just that was decided last, and that stands as decided."""
    resolutions = (operation.answer or {}).get("resolutions")
    last = resolutions[-1] if isinstance(resolutions, list) and resolutions else {}
    wanted = _STATUS[resolution]
    stands = wanted is OperationStatus.ACCEPTED or operation.status is wanted
    if not (isinstance(last, Mapping) and last.get("status") == wanted.value and stands):
        raise Rejected(f"The operation is {operation.status.value}, not in doubt.", code="already-decided")
    return operation
