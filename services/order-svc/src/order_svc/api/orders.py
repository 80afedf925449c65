"""Serves `/v1/orders`."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime
from starlette.requests import Request

from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.events.orders import OrderState
from hanro.web import (
    DEFAULT_PAGE,
    Answer,
    Cursors,
    CursorText,
    Idempotency,
    Limit,
    accepted,
    caller,
    etag,
    may,
    require,
    router,
)
from hanro.web.routes.operations import OperationShown, shown
from order_svc import accounts, buyers, orders
from order_svc.api.shapes import OrderPageShown, OrderShown, summary, whole
from order_svc.domain.orders import WorkState
from order_svc.domain.permits import Ability
from order_svc.store.orders import Filter

OrderId = Annotated[str, Path(max_length=200, description="ord_…")]
AccountFilter = Annotated[str | None, Query(max_length=200, description="Only those of this account")]
NumberFilter = Annotated[str | None, Query(max_length=200, description="The marketplace's order number")]
StatusFilter = Annotated[OrderState | None, Query(description="Only those that are so far at the marketplace")]
WorkFilter = Annotated[WorkState | None, Query(description="Only those whose work is so far")]
QuarantineFilter = Annotated[bool | None, Query(description="Only those that cannot be read, or only the others")]
FromFilter = Annotated[AwareDatetime | None, Query(description="Placed then or later, RFC 3339 with an offset")]
ToFilter = Annotated[AwareDatetime | None, Query(description="Placed before, RFC 3339 with an offset")]


def make_routes(
    db: Database, keyring: Keyring, idempotency: Idempotency, cursors: Cursors, abilities: Mapping[str, Ability]
) -> APIRouter:
    """Make the routes; `abilities` say by marketplace whether orders can be accepted there."""
    routes = router(["orders"])

    @routes.get("/v1/orders", dependencies=[require("orders:read")], response_model=OrderPageShown)
    async def list_orders(
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors, which checks the other parameters too
        account_id: AccountFilter = None,
        status: StatusFilter = None,
        work_state: WorkFilter = None,
        external_id: NumberFilter = None,
        is_quarantined: QuarantineFilter = None,
        placed_from: FromFilter = None,
        placed_to: ToFilter = None,
    ) -> OrderPageShown:
        """List orders without their buyers, the last one found first."""
        start = cursors.start(request)
        async with db.begin() as tx:
            account_ids = await accounts.visible(tx, caller(request).shops)
            if account_id is not None:
                account_ids = [account_id] if account_ids is None or account_id in account_ids else []
            wanted = Filter(
                account_ids=account_ids,
                status=status,
                work_state=work_state,
                external_id=external_id,
                is_quarantined=is_quarantined,
                placed_from=placed_from,
                placed_to=placed_to,
            )
            found = await orders.list_(tx, wanted, before_id=str(start[0]) if start else None, limit=limit + 1)
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].order.id,) if len(found) > limit else None)
        return OrderPageShown(items=[summary(one) for one in page], next=following)

    @routes.get("/v1/orders/{order_id}", dependencies=[require("orders:read")], response_model=OrderShown)
    async def get_order(request: Request, response: Response, order_id: OrderId) -> OrderShown:
        """Look at one order; with the scope orders:personal also at its buyer."""
        async with db.begin() as tx:
            stored = await orders.get_(tx, order_id, account_ids=await accounts.visible(tx, caller(request).shops))
            personal = await buyers.personal(tx, keyring, order_id) if may(request, "orders:personal") else None
        response.headers["ETag"] = etag(stored.order.version)
        return whole(stored, personal)

    @routes.post(
        "/v1/orders/{order_id}:accept",
        dependencies=[require("orders:write")],
        status_code=202,
        response_model=OperationShown,
    )
    async def accept_order(request: Request, order_id: OrderId) -> Response:
        """Accept an order towards its marketplace, which cannot be undone there.

        The answer is an operation: watch it until it is applied, rejected or in_doubt. A cancelled, held or accepted
        order is refused; while an acceptance is under way the same operation is given again. Of an account that only
        observes it ends as observed, with the requests that would have gone, and is never sent.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            operation = await orders.accept(
                tx,
                order_id,
                account_ids=await accounts.visible(tx, who.shops),
                abilities=abilities,
                by=who.subject,
            )
            return accepted("order", operation.id, shown(operation))

        return await idempotency.once(request, work)

    return routes
