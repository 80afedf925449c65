"""Serves lists of orders: narrowed by what they are, found by a number, or by the buyer's exact name or phone."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field
from starlette.requests import Request

from hanro.crypto import Keyring
from hanro.db import Database
from hanro.events.orders import OrderState
from hanro.web import DEFAULT_PAGE, Cursors, CursorText, Limit, caller, key_unused, require
from hanro.web.shapes import Body, Shown
from order_svc import accounts, buyers, orders
from order_svc.api.shapes import OrderPageShown, OrderSummary, summary
from order_svc.domain.effects import KINDS
from order_svc.domain.orders import WorkState
from order_svc.domain.terms import BuyerKind, term
from order_svc.store.lists import Filter

MOST_FOUND = 200
AccountFilter = Annotated[str | None, Query(max_length=200, description="Only those of this account")]
MarketplaceFilter = Annotated[str | None, Query(max_length=64, description="Only those of this marketplace")]
ShopFilter = Annotated[str | None, Query(max_length=64, description="Only those of this internal shop's accounts")]
NumberFilter = Annotated[str | None, Query(max_length=200, description="The marketplace's order number")]
SkuFilter = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="Only those with a line of this SKU: as the marketplace states it, or that it is mapped to",
    ),
]
TrackingFilter = Annotated[
    str | None, Query(min_length=1, max_length=200, description="Only those with a parcel of this tracking number")
]
StatusFilter = Annotated[
    list[OrderState] | None, Query(description="Only those that are so far at the marketplace; several may be named")
]
WorkFilter = Annotated[WorkState | None, Query(description="Only those whose work is so far")]
QuarantineFilter = Annotated[bool | None, Query(description="Only those that are held back, or only the others")]
ErrorFilter = Annotated[
    bool | None,
    Query(description="Only those that are held back or whose last acceptance, parcel or cancellation failed"),
]
TestFilter = Annotated[bool | None, Query(description="Only test orders, or only the others")]
FromFilter = Annotated[AwareDatetime | None, Query(description="Placed then or later, RFC 3339 with an offset")]
ToFilter = Annotated[AwareDatetime | None, Query(description="Placed before, RFC 3339 with an offset")]
DecideFilter = Annotated[
    AwareDatetime | None, Query(description="Only those that wait to be accepted, with a deadline before then")
]
ChangedFrom = Annotated[AwareDatetime | None, Query(description="Changed here then or later")]
ChangedTo = Annotated[AwareDatetime | None, Query(description="Changed here before")]
ConsumerFilter = Annotated[
    str | None,
    Query(max_length=64, description="Only those that this consumer has not acknowledged as they stand now"),
]


class BuyerSought(Body):
    """Whose orders are looked for."""

    by: BuyerKind = Field(examples=["phone"])
    """`name`: the whole name of who bought or receives, or its reading; white space and width do not count. `phone`: a
    number of theirs; only digits count.
    """
    text: str = Field(min_length=1, max_length=200, examples=["03-0000-0000"])
    """The name or number, exactly."""


class OrdersFound(Shown):
    """Orders of a buyer, the last one found first, at most 200."""

    items: list[OrderSummary]
    """The last one found first."""
    has_more: bool
    """There are older ones."""


def add_lists(routes: APIRouter, db: Database, keyring: Keyring, cursors: Cursors) -> None:
    """Add the routes."""

    @routes.get("/v1/orders", dependencies=[require("orders:read")])
    async def list_orders(
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors, which checks the other parameters too
        account_id: AccountFilter = None,
        marketplace_id: MarketplaceFilter = None,
        shop_id: ShopFilter = None,
        status: StatusFilter = None,
        work_state: WorkFilter = None,
        external_id: NumberFilter = None,
        sku: SkuFilter = None,
        tracking_number: TrackingFilter = None,
        is_quarantined: QuarantineFilter = None,
        has_error: ErrorFilter = None,
        is_test: TestFilter = None,
        placed_from: FromFilter = None,
        placed_to: ToFilter = None,
        decide_before: DecideFilter = None,
        changed_from: ChangedFrom = None,
        changed_to: ChangedTo = None,
        unacknowledged_by: ConsumerFilter = None,
    ) -> OrderPageShown:
        """List orders without their buyers, the last one found first."""
        start = cursors.start(request)
        async with db.begin() as tx:
            account_ids = await accounts.narrowed(
                tx, caller(request).shops, account_id=account_id, marketplace_id=marketplace_id, shop_id=shop_id
            )
            wanted = Filter(
                account_ids=account_ids,
                statuses=status,
                work_state=work_state,
                external_id=external_id,
                sku=None if sku is None else term("sku", sku),
                tracking_number=None if tracking_number is None else term("tracking", tracking_number),
                is_quarantined=is_quarantined,
                has_error=has_error,
                effects=tuple(KINDS),
                is_test=is_test,
                placed_from=placed_from,
                placed_to=placed_to,
                decide_before=decide_before,
                changed_from=changed_from,
                changed_to=changed_to,
                unacknowledged_by=await orders.known_consumer(tx, unacknowledged_by),
            )
            found = await orders.list_(tx, wanted, before_id=str(start[0]) if start else None, limit=limit + 1)
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].order.id,) if len(found) > limit else None)
        return OrderPageShown(items=[summary(one) for one in page], next=following)

    @routes.post("/v1/orders:search", dependencies=[require("orders:personal"), key_unused()])
    async def search_orders(request: Request, sought: BuyerSought) -> OrdersFound:
        """Find orders by the exact name or phone of their buyer, the last one found first.

        Names and phones are kept as keyed digests alone and stand in no address: hence the body. Erased buyers are not
        found.
        """
        async with db.begin() as tx:
            wanted = Filter(
                account_ids=await accounts.visible(tx, caller(request).shops),
                buyer=buyers.sought(keyring, sought.by, sought.text),
            )
            found = await orders.list_(tx, wanted, before_id=None, limit=MOST_FOUND + 1)
        return OrdersFound(items=[summary(one) for one in found[:MOST_FOUND]], has_more=len(found) > MOST_FOUND)
