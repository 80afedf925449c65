"""Serves cancellations of orders, lines and units."""

from fastapi import APIRouter, Response
from starlette.requests import Request

from hanro.db import Database, Transaction
from hanro.web import Answer, Idempotency, accepted, caller, key_needed, require, router
from order_svc import accounts, cancellations, orders
from order_svc.api.cancellation_shapes import CancelBody, CancellationShown, CancellationsShown, show_cancellation
from order_svc.api.orders import OrderId
from order_svc.shipments import Desk


def make_routes(db: Database, idempotency: Idempotency, desk: Desk) -> APIRouter:
    """Make the routes of cancellations."""
    routes = router(["orders"])

    @routes.post(
        "/v1/orders/{order_id}:cancel",
        dependencies=[require("orders:write"), key_needed()],
        status_code=202,
        response_model=CancellationShown,
    )
    async def cancel_order(request: Request, order_id: OrderId, body: CancelBody) -> Response:
        """Cancel an order, lines or units towards the marketplace, which cannot be undone there.

        Parcels of it that wait to be registered are refused from now on. The answer is the cancellation; its operation
        ends as applied once the marketplace shows it. What cannot be cancelled there answers 501, with the way by hand.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            wanted = cancellations.Request(
                units=None if body.lines is None else [one.units() for one in body.lines],
                reason=body.reason,
                comment=body.comment,
                is_restocked=body.restock,
            )
            visible = await accounts.visible(tx, who.shops)
            asked = await cancellations.cancel(tx, desk, order_id, wanted, account_ids=visible, by=who.subject)
            return accepted("order", asked.operation.id, show_cancellation(asked.cancellation))

        return await idempotency.once(request, work)

    @routes.get(
        "/v1/orders/{order_id}/cancellations", dependencies=[require("orders:read")], response_model=CancellationsShown
    )
    async def list_cancellations(request: Request, order_id: OrderId) -> CancellationsShown:
        """List the cancellations that were asked for, the first one first; those of buyers stand in the order."""
        async with db.begin() as tx:
            await orders.get_(tx, order_id, account_ids=await accounts.visible(tx, caller(request).shops))
            found = await cancellations.list_of(tx, order_id)
        return CancellationsShown(items=[show_cancellation(one) for one in found])

    return routes
