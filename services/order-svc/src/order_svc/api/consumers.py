"""Serves acknowledgements: what an internal system has dealt with, each system for itself."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from hanro.db import Transaction
from hanro.web import Answer, Idempotency, caller, require, router
from hanro.web.shapes import Body, Shown
from order_svc import accounts, orders
from order_svc.orders import Acknowledged

MOST = 500
Name = Annotated[str, Path(max_length=64, pattern="^[a-z0-9][a-z0-9-]*$", description="The system's name: erp, wms …")]


class OrderDealtWith(Body):
    """An order, and as which version it was dealt with."""

    order_id: str = Field(min_length=1, max_length=64, examples=["ord_01JZZZZZZZZZZZZZZZZZZZZZZZ"])
    """ord_…"""
    version: int = Field(ge=1, le=10**15, examples=[1])
    """The order's `version` as it was read; facts name it too."""


class Acks(Body):
    """What was dealt with."""

    items: list[OrderDealtWith] = Field(min_length=1, max_length=MOST)
    """Of an order that is named twice the last one counts."""


class AckOutcome(Shown):
    """What came of one."""

    order_id: str
    """ord_…"""
    status: Acknowledged
    """`acknowledged`; `changed`: it has changed since and stays in the list; `unknown-version`: it never was at that
    version; `not-found`: there is no such order for this caller.
    """
    version: int | None
    """The version that stands; null: not found."""


class AckOutcomes(Shown):
    """An outcome for each order, in the order asked."""

    items: list[AckOutcome]
    """In the order asked, each order once."""


def make_routes(idempotency: Idempotency) -> APIRouter:
    """Make the route."""
    routes = router(["consumers"])

    @routes.post(
        "/v1/consumers/{name}/acks",
        dependencies=[require("orders:write")],
        status_code=207,
        response_model=AckOutcomes,
    )
    async def acknowledge_orders(request: Request, name: Name, acks: Acks) -> Response:
        """Acknowledge up to 500 orders for one internal system, at the versions that it has dealt with.

        `GET /v1/orders?unacknowledged_by=<name>` then leaves them out until they change. Other systems are not
        touched; a system is known from its first acknowledgement on.
        """

        async def work(tx: Transaction) -> Answer:
            outcomes = await orders.acknowledge(
                tx,
                name,
                {one.order_id: one.version for one in acks.items},
                account_ids=await accounts.visible(tx, caller(request).shops),
            )
            items = [
                AckOutcome(order_id=order_id, status=status, version=version)
                for order_id, (status, version) in outcomes.items()
            ]
            return Answer(status=207, body=AckOutcomes(items=items))

        return await idempotency.once(request, work)

    return routes
