"""Serves what reads orders at a marketplace because somebody asks: some again by number, or a stretch of time."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, Field
from starlette.requests import Request
from starlette.responses import Response

from hanro.clock import Clock
from hanro.db import Transaction
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Detail, MarketplaceId
from hanro.web import Answer, Idempotency, accepted, caller, require, router
from hanro.web.routes.operations import OperationShown, shown
from hanro.web.shapes import Body
from order_svc import accounts, orders
from order_svc.domain.permits import Ability

MOST_ORDERS = 100
OrderId = Annotated[str, Path(max_length=200, description="ord_…")]
AccountId = Annotated[str, Path(max_length=64, description="acc_…")]
OrderNumber = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["100001-20260101-0000000001"])
]


class DetailsWanted(Body):
    """What is told of an order besides, each for a request of its own."""

    details: list[Literal["payment"]] = Field(default_factory=list, max_length=1, examples=[["payment"]])
    """`payment`: how it was paid and what was paid back, as payment records tell it."""


class OrdersWanted(DetailsWanted):
    """Which orders are read again now."""

    account_id: str = Field(min_length=1, max_length=64, examples=["acc_01JZZZZZZZZZZZZZZZZZZZZZZZ"])
    """The account that they belong to."""
    external_ids: list[OrderNumber] = Field(min_length=1, max_length=MOST_ORDERS)
    """The marketplace's order numbers; hanro need not know them yet."""


class StretchWanted(Body):
    """From when until when orders were placed that are to be read."""

    start: AwareDatetime = Field(alias="from", examples=["2026-01-01T00:00:00+09:00"])
    """Placed then or later."""
    end: AwareDatetime = Field(alias="to", examples=["2026-02-01T00:00:00+09:00"])
    """Placed before; of a moment to come, until now."""


def make_routes(
    idempotency: Idempotency,
    plugins: Mapping[MarketplaceId, Plugin],
    abilities: Mapping[str, Ability],
    clock: Clock,
) -> APIRouter:
    """Make the routes; `abilities` say by marketplace what can be read there."""
    routes = router(["orders"])

    @routes.post(
        "/v1/orders/{order_id}:fetch",
        dependencies=[require("orders:write")],
        status_code=202,
        response_model=OperationShown,
    )
    async def fetch_order(request: Request, order_id: OrderId, wanted: DetailsWanted | None = None) -> Response:
        """Read one order again now, whatever its status; with the detail `payment` also its `refunds`.

        The answer is an operation: once it is applied its `answer` says what came of it. It is rejected with
        `unknown-there` where the marketplace does not know the order any more; the order stays as it is here.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            order = (await orders.get_(tx, order_id, account_ids=await accounts.visible(tx, who.shops))).order
            account = await accounts.get_visible(tx, order.account_id, who.shops)
            operation = await orders.ask_fetch(
                tx,
                account,
                [order.external_id],
                order_id=order.id,
                ability=abilities.get(account.marketplace_id),
                by=who.subject,
                details=_details(wanted),
            )
            return accepted("order", operation.id, shown(operation))

        return await idempotency.once(request, work)

    @routes.post(
        "/v1/orders:fetch", dependencies=[require("orders:write")], status_code=202, response_model=OperationShown
    )
    async def fetch_orders(request: Request, wanted: OrdersWanted) -> Response:
        """Read up to 100 orders of an account by the marketplace's numbers now, also ones that are not known here yet.

        The operation's `answer.outcomes` hold one entry for each number: `read`, `quarantined` or `missing` there;
        `without_details` where the order was read and its details are not as documented.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            account = await accounts.get_visible(tx, wanted.account_id, who.shops)
            operation = await orders.ask_fetch(
                tx,
                account,
                wanted.external_ids,
                order_id=None,
                ability=abilities.get(account.marketplace_id),
                by=who.subject,
                details=_details(wanted),
            )
            return accepted("order", operation.id, shown(operation))

        return await idempotency.once(request, work)

    @routes.post(
        "/v1/order/accounts/{account_id}:backfill",
        dependencies=[require("orders:write")],
        status_code=202,
        response_model=OperationShown,
    )
    async def backfill(request: Request, account_id: AccountId, wanted: StretchWanted) -> Response:
        """Read all orders that were placed in a stretch of time, as far back as the marketplace shows them.

        They are stored silently: no message is sent for them. What lies beyond the marketplace's reach is refused with
        `beyond-reach`, which names the oldest moment and where it is downloaded instead. One stretch of an account at
        a time; the operation's `answer` says how many orders were found and how many requests that took.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            account = await accounts.get_visible(tx, account_id, who.shops)
            operation = await orders.ask_backfill(
                tx,
                account,
                plugins.get(MarketplaceId(account.marketplace_id)),
                start=wanted.start,
                end=wanted.end,
                at=clock.now(),
                by=who.subject,
            )
            return accepted("order", operation.id, shown(operation))

        return await idempotency.once(request, work)

    return routes


def _details(wanted: DetailsWanted | None) -> frozenset[Detail]:
    return frozenset(Detail(name) for name in wanted.details) if wanted else frozenset()
