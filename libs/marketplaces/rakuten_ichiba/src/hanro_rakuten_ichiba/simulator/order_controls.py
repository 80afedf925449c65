"""Serves the controls of orders: placing, what the buyer does, what tests put into them, the truth for checkers."""

from datetime import date, timedelta
from typing import Literal

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hanro_rakuten_ichiba.simulator.controls import PlayedTime, find_shop
from hanro_rakuten_ichiba.simulator.market import Market
from hanro_rakuten_ichiba.simulator.orders import CANCELLED, CANCELLING, SHIPPED, StoredOrder
from hanro_rakuten_ichiba.simulator.payment import make_refund
from hanro_rakuten_ichiba.simulator.shops import Shop

Progress = Literal[100, 200, 300, 400, 500, 600, 700, 800, 900]
Route = Literal["placed", "open"]
BuyerAction = Literal["pay", "cancel", "request-cancel"]


class Overrides(BaseModel):
    """Hold values that go into the order tree whatever they are."""

    model_config = ConfigDict(extra="forbid")

    raw: dict[str, object] = Field(
        default={},
        description="Members of OrderModel, objects merged; or JSON Pointers (/PackageModelList/0/basketId).",
    )
    remove: list[str] = Field(default=[], description="JSON Pointers of members to drop.")


class OrderWish(Overrides):
    """Describe orders to place; what is left out is invented."""

    count: int = Field(default=1, ge=1, le=20_000)
    placed_at: PlayedTime | None = None
    placed_days_ago: float | None = Field(default=None, ge=0, le=3650)
    every_seconds: float = Field(default=0, ge=0, le=86_400, description="How far apart several orders are placed.")
    progress: Progress | None = None
    lines: list[dict[str, object]] | None = Field(
        default=None, description="manageNumber, variantId, merchantDefinedSkuId, units, price, taxRate, itemName."
    )
    buyer: dict[str, object] | None = Field(default=None, description="Members of OrdererModel.")
    is_plain: bool | None = Field(default=None, description="No coupons, points, wrapping, gift.")
    kind: str | None = Field(default=None, description="undecided-postage, social-gift …")
    hidden_from: list[Route] = Field(
        default=[], description="placed: searches by order date without states; open: searches by states."
    )

    def wishes(self) -> dict[str, object]:
        """Give what the buyer is to wish for."""
        wished = {
            "progress": self.progress,
            "lines": self.lines,
            "buyer": self.buyer,
            "is_plain": self.is_plain,
            "kind": self.kind,
        }
        return {key: value for key, value in wished.items() if value is not None}


class OrderChange(Overrides):
    """Describe what to change in an order; progress goes through the life cycle, overrides come after it."""

    progress: Progress | None = None
    hidden_from: list[Route] | None = None
    sub_status_id: int | None = None
    sub_status_name: str | None = None
    payment_status: int | None = Field(default=None, description="A code of 7.8, like 30400; null follows the state.")
    shipping_rows: list[dict[str, object]] | None = Field(
        default=None, description="ShippingModelList of every package."
    )
    refunds: list[dict[str, object]] | None = Field(default=None, description="RefundModelList of the payment.")


class RefundWish(BaseModel):
    """Describe money that goes back to the buyer."""

    model_config = ConfigDict(extra="forbid")

    amount: int = Field(description="paymentAmount.")
    status: int = Field(default=30600, description="paymentStatus, a code of 7.8: 30600 is done, 30500 is under way.")
    expected_on: date | None = Field(default=None, description="payExpectDate.")


class RouteChoice(BaseModel):
    """Say which routes are meant; none means both."""

    model_config = ConfigDict(extra="forbid")

    routes: list[Route] = ["placed", "open"]


def find_order(shop: Shop, number: str) -> StoredOrder:
    """Give an order, or refuse with 404."""
    order = shop.orders.find(number)
    if order is None:
        raise HTTPException(404, f"there is no order {number} in shop {shop.number}")
    return order


def order_routes(market: Market) -> APIRouter:
    """Make the routes of orders."""
    router = APIRouter()
    router.include_router(_placing_routes(market))
    router.include_router(_changing_routes(market))
    return router


def _placing_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["orders"])

    @router.post("/_sim/shops/{number}/orders", status_code=201)
    async def place_orders(number: str, wish: OrderWish | None = None) -> dict[str, object]:
        """Let a buyer order; answers the external id, and all of them when there are several."""
        wish, shop = wish or OrderWish(), find_shop(market, number)
        start = wish.placed_at
        if start is None and (wish.placed_days_ago is not None or wish.every_seconds):
            start = market.now() - timedelta(days=wish.placed_days_ago or 0)
        numbers = []
        for index in range(wish.count):
            try:
                order = market.place_order(
                    shop,
                    placed_at=None if start is None else start + timedelta(seconds=index * wish.every_seconds),
                    wishes=wish.wishes(),
                    raw=wish.raw,
                    removed=wish.remove,
                    hidden_from=frozenset(wish.hidden_from),
                )
            except ValueError as error:
                raise HTTPException(422, str(error)) from None
            numbers.append(order.number)
        return {"external_id": numbers[0], "external_ids": numbers}

    @router.get("/_sim/shops/{number}/orders")
    async def list_orders(number: str) -> JSONResponse:
        """Give every order with its whole tree, oldest first: the truth for checkers."""
        shop = find_shop(market, number)
        return JSONResponse({"orders": [order.to_json() for order in shop.orders]})

    @router.get("/_sim/shops/{number}/orders/{external_id}")
    async def show_order(number: str, external_id: str) -> JSONResponse:
        """Give one order with its whole tree."""
        return JSONResponse(find_order(find_shop(market, number), external_id).to_json())

    return router


def _changing_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["orders"])
    prefix = "/_sim/shops/{number}/orders/{external_id}"

    @router.post(prefix + "/pay")
    async def pay(number: str, external_id: str) -> JSONResponse:
        """Let the buyer pay: an order in 200 is ready at once."""
        return _act(market, number, external_id, "pay")

    @router.post(prefix + "/cancel")
    async def cancel(number: str, external_id: str) -> JSONResponse:
        """Cancel as the buyer, or decide an open application: 900."""
        return _act(market, number, external_id, "cancel")

    @router.post(prefix + "/request-cancel")
    async def request_cancel(number: str, external_id: str) -> JSONResponse:
        """Apply for a cancellation as the buyer: 800."""
        return _act(market, number, external_id, "request-cancel")

    @router.post(prefix + "/refund")
    async def refund(number: str, external_id: str, wish: RefundWish) -> JSONResponse:
        """Pay back to the buyer: the payment's record tells of it from now on, and the order itself of nothing."""
        order = find_order(find_shop(market, number), external_id)
        order.refunds.append(make_refund(wish.amount, wish.status, market.now(), wish.expected_on))
        return JSONResponse(order.to_json())

    @router.post(prefix + "/hide")
    async def hide(number: str, external_id: str, choice: RouteChoice | None = None) -> JSONResponse:
        """Keep the order out of searches by these routes; getOrder still gives it."""
        order = find_order(find_shop(market, number), external_id)
        order.hidden_from |= frozenset((choice or RouteChoice()).routes)
        return JSONResponse(order.to_json())

    @router.post(prefix + "/show")
    async def show(number: str, external_id: str, choice: RouteChoice | None = None) -> JSONResponse:
        """Let searches by these routes find the order again."""
        order = find_order(find_shop(market, number), external_id)
        order.hidden_from -= frozenset((choice or RouteChoice()).routes)
        return JSONResponse(order.to_json())

    @router.post(prefix + "/mend")
    async def mend(number: str, external_id: str) -> JSONResponse:
        """Return the tree to what it was before the first override."""
        order = find_order(find_shop(market, number), external_id)
        order.mend()
        return JSONResponse(order.to_json())

    @router.post(prefix + "/set")
    async def change(number: str, external_id: str, change: OrderChange) -> JSONResponse:
        """Change the order; what is left out stays."""
        order = find_order(find_shop(market, number), external_id)
        _change(market, order, change)
        return JSONResponse(order.to_json())

    return router


def _act(market: Market, number: str, external_id: str, action: BuyerAction) -> JSONResponse:
    """Do what a buyer does, or refuse with 409 what no buyer can do."""
    order = find_order(find_shop(market, number), external_id)
    progress, now = order.progress, market.now()
    is_over = isinstance(progress, int) and (progress == CANCELLED or SHIPPED <= progress < CANCELLING)
    if is_over or (action == "request-cancel" and progress == CANCELLING):
        raise HTTPException(409, f"order {external_id} is in {progress}")
    match action:
        case "pay":
            market.life_cycle.pay(order, now)
        case "cancel":
            market.life_cycle.cancel(order, now)
        case "request-cancel":
            market.life_cycle.request_cancel(order, now)
    return JSONResponse(order.to_json())


def _change(market: Market, order: StoredOrder, change: OrderChange) -> None:
    if change.progress is not None:
        market.life_cycle.set_progress(order, change.progress, market.now())
    if change.hidden_from is not None:
        order.hidden_from = frozenset(change.hidden_from)
    if "sub_status_id" in change.model_fields_set:
        order.tree["subStatusId"] = change.sub_status_id
        order.tree["subStatusName"] = change.sub_status_name
    if "payment_status" in change.model_fields_set:
        order.payment_status = change.payment_status
    if change.refunds is not None:
        order.refunds = [dict(refund) for refund in change.refunds]
    if change.shipping_rows is not None:
        for package in order.packages():
            package["ShippingModelList"] = [dict(row) for row in change.shipping_rows]
    try:
        order.override(change.raw, change.remove)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
