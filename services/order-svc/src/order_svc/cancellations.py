"""Takes wishes to cancel orders, lines and units, and shows how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hanro import operations
from hanro.db import Transaction
from hanro.ids import new_id
from hanro.marketplace.types import CancelReason
from hanro.operations import Operation
from order_svc.domain import cancellations
from order_svc.domain.cancellations import Cancellation, Units
from order_svc.domain.decisions import asked_of
from order_svc.domain.effects import CANCEL
from order_svc.orders.acceptance import check_permitted
from order_svc.shipments import Desk
from order_svc.store import cancellations as store
from order_svc.store import orders as orders_store

PREFIX = "can"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Be a cancellation as it is asked for; `units` None: all that is left."""

    units: Sequence[Units] | None
    reason: CancelReason
    comment: str | None = field(repr=False)
    is_restocked: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Be a cancellation as it was stored, and its operation."""

    cancellation: Cancellation
    operation: Operation


async def cancel(
    tx: Transaction, desk: Desk, order_id: str, request: Request, *, account_ids: Sequence[str] | None, by: str
) -> Asked:
    """Write down that an order, lines or units are to be cancelled at the marketplace, which cannot be undone there.

    What parcels of the order wait to be registered is refused from now on.

    Raises:
        Rejected: no such order for this caller (not-found); it is cancelled already (order-cancelled) or cannot be read
            (order-quarantined); see `units_of`.
        Unsupported: that cannot be cancelled there (absent).
        NeedsSeller: the account is not active, its orders are switched off, or a grant is lost.
    """
    order = await orders_store.lock_visible(tx, order_id, account_ids)
    cancellations.check_cancellable(order)
    units, is_whole = cancellations.units_of(order, request.units)
    takes = cancellations.takes(order, units, is_whole=is_whole)
    account = await check_permitted(tx, order, desk.abilities, *takes)
    cancellation_id = new_id(PREFIX)
    operation = await operations.accept(
        tx,
        kind=CANCEL,
        subject_id=order.id,
        account_id=order.account_id,
        asked=asked_of(order, account, takes[0]) | {"cancellation_id": cancellation_id},
        by=by,
    )
    cancellation = Cancellation(
        id=cancellation_id,
        order_id=order.id,
        account_id=order.account_id,
        operation_id=operation.id,
        units=units,
        is_whole=is_whole,
        is_shipped=cancellations.is_shipped(order),
        reason=request.reason,
        comment=request.comment,
        is_restocked=request.is_restocked,
        created_by=by,
        created_at=desk.clock.now(),
        state="waiting",
        failure=None,
    )
    await store.insert_cancellation(tx, cancellation)
    return Asked(cancellation=cancellation, operation=operation)


async def list_of(tx: Transaction, order_id: str) -> list[Cancellation]:
    """Give the cancellations of an order, the first asked for first."""
    return (await store.list_of_orders(tx, [order_id]))[order_id]
