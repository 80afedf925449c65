"""Takes decisions about what was sent for orders and is in doubt."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from hanro.db import Transaction
from hanro.web import Answer, Body, Idempotency, caller, key_needed, require, router
from hanro.web.routes.operations import OperationShown, shown
from order_svc import accounts, orders
from order_svc.domain.permits import Ability
from order_svc.orders import Resolution


class ResolveOperationBody(Body):
    """Decide about an operation in doubt."""

    decision: Resolution = Field(examples=["applied"])
    """`applied`: the marketplace shows it. `rejected`: it does not, and it is not to be done any more. `send_again`: it
    does not, send it once more.
    """
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = Field(
        examples=["見本 太郎"]
    )
    """Who decides."""


def make_routes(idempotency: Idempotency, abilities: Mapping[str, Ability]) -> APIRouter:
    """Make the route by which a person decides; `abilities` say by marketplace what can be read there."""
    routes = router(["operations"])

    @routes.post(
        "/v1/order/operations/{operation_id}:resolve",
        dependencies=[require("orders:write"), key_needed()],
        response_model=OperationShown,
    )
    async def resolve_operation(
        operation_id: Annotated[str, Path(max_length=64, description="opr_…")],
        body: ResolveOperationBody,
        request: Request,
    ) -> Response:
        """Decide about an operation in doubt, with the name of who decides; until then its order's others wait.

        Look at the order in the marketplace's own screens first: what is sent again although it arrived may stand there
        twice. Who decided what is kept in the operation's `answer`, under `resolutions`. The same decision again
        changes nothing; one about an operation that is not in doubt answers 409 `already-decided`. After `applied` the
        order is read again at once, where it can be read: the operation of kind `fetch` about it tells how far that is.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            visible = await accounts.visible(tx, who.shops)
            by = f"{body.name} ({who.subject})"
            decided = await orders.resolve(
                tx, operation_id, body.decision, account_ids=visible, by=by, abilities=abilities
            )
            return Answer(body=shown(decided))

        return await idempotency.once(request, work)

    return routes
