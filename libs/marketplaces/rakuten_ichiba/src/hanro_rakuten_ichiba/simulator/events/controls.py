"""Serves the controls of the event notification: where it goes, what is sent again or raw, and what causes it."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hanro_rakuten_ichiba.simulator.controls import find_shop
from hanro_rakuten_ichiba.simulator.events.documents import MOST_VALUES, Subscription
from hanro_rakuten_ichiba.simulator.market import Market
from hanro_rakuten_ichiba.simulator.order_controls import find_order
from hanro_rakuten_ichiba.simulator.orders import PROCESSING, SHIPPED
from simkit.faults import HeaderValue

_Text = Annotated[str, Field(min_length=1, max_length=200)]
EditedMember = Literal["deliveryDate", "shippingTerm", "remarks", "giftCheckFlag"]


class SubscriptionWish(BaseModel):
    """Say where notices about a shop go; what is left out is made up."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern=r"^https?://[^\s/]+", max_length=2000)
    auth_key: _Text
    contract_id: _Text = "1"
    shop_url: _Text | None = Field(default=None, description="The shop's own when left out.")


class Repetition(BaseModel):
    """Say how often a notice comes again."""

    model_config = ConfigDict(extra="forbid")

    times: int = Field(default=1, ge=1, le=1000)


class RawNotice(BaseModel):
    """Hold a body that is sent as it is."""

    model_config = ConfigDict(extra="forbid")

    body: str
    content_type: HeaderValue = "text/xml; charset=UTF-8"


class SystemNotice(BaseModel):
    """Describe a notice of the system: 3000, 3100, 4000, 4100, 5000, 5100 or any other."""

    model_config = ConfigDict(extra="forbid")

    service_id: int
    values: dict[str, str | int | None] = Field(max_length=MOST_VALUES)


class Caution(BaseModel):
    """Say what caution is shown."""

    model_config = ConfigDict(extra="forbid")

    display_type: Literal[0, 1, 2] = 1
    detail_type: Literal[101, 102, 103, 104, 105] | None = None


class Edit(BaseModel):
    """Say what the buyer changes in the purchase history."""

    model_config = ConfigDict(extra="forbid")

    member: EditedMember
    value: str | int | None = None


def event_routes(market: Market) -> APIRouter:
    """Make the routes of notices and of what causes them."""
    router = APIRouter()
    router.include_router(_subscription_routes(market))
    router.include_router(_cause_routes(market))
    return router


def _subscription_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["event notification"])
    prefix = "/_sim/shops/{number}/event-notification"

    @router.put(prefix)
    async def subscribe(number: str, wish: SubscriptionWish) -> dict[str, object]:
        """Deliver notices there: at once, or where a developer applied, from the time that the application says."""
        shop = find_shop(market, number)
        shop.subscription = Subscription(wish.url, wish.contract_id, wish.shop_url or shop.url, wish.auth_key)
        return shop.subscription.to_json()

    @router.delete(prefix, status_code=204)
    async def unsubscribe(number: str) -> None:
        """Deliver nothing more; what waits to be tried again is forgotten."""
        find_shop(market, number).subscription = None

    @router.get(prefix + "/notices")
    async def list_notices(number: str) -> JSONResponse:
        """List the notices about this shop, oldest first, with their bodies and the receiver's last answer."""
        shop = find_shop(market, number)
        return JSONResponse({"notices": [notice.to_json() for notice in market.events.sent(shop)]})

    @router.post(prefix + "/notices", status_code=202)
    async def send(number: str, notice: SystemNotice) -> None:
        """Send a notice of the system."""
        market.events.tell_system(find_shop(market, number), notice.service_id, notice.values, market.now())

    @router.post(prefix + "/notices/{notice_id}/repeat", status_code=202)
    async def repeat(number: str, notice_id: int, repetition: Repetition | None = None) -> None:
        """Send a notice again, byte for byte."""
        times = (repetition or Repetition()).times
        if not market.events.repeat(find_shop(market, number), notice_id, times):
            raise HTTPException(404, f"there is no notice {notice_id}")

    @router.post(prefix + "/raw", status_code=202)
    async def send_raw(number: str, notice: RawNotice) -> None:
        """Send a body that no marketplace would."""
        shop = find_shop(market, number)
        if shop.subscription is None:
            raise HTTPException(409, "there is no URL to send it to")
        market.events.send_raw(shop, notice.body.encode("utf-8"), notice.content_type)

    return router


def _cause_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["orders"])
    prefix = "/_sim/shops/{number}/orders/{external_id}"

    @router.post(prefix + "/fail-authorisation")
    async def fail_authorisation(number: str, external_id: str) -> JSONResponse:
        """Let the authorisation fail for good: Rakuten cancels an order that is in 200."""
        order = find_order(find_shop(market, number), external_id)
        if order.progress != PROCESSING:
            raise HTTPException(409, f"order {external_id} is in {order.progress}")
        market.life_cycle.fail_authorisation(order, market.now())
        return JSONResponse(order.to_json())

    @router.post(prefix + "/caution")
    async def caution(number: str, external_id: str, caution: Caution | None = None) -> JSONResponse:
        """Show a caution on the order, or none with 0."""
        shop, caution = find_shop(market, number), caution or Caution()
        order = find_order(shop, external_id)
        order.tree["cautionDisplayType"] = caution.display_type
        order.tree["cautionDisplayDetailType"] = caution.detail_type
        market.events.tell_caution(shop, order, market.now())
        return JSONResponse(order.to_json())

    @router.post(prefix + "/edit")
    async def edit(number: str, external_id: str, edit: Edit) -> JSONResponse:
        """Let the buyer change the order in the purchase history (modifyFlag)."""
        shop = find_shop(market, number)
        order = find_order(shop, external_id)
        progress = order.progress
        if not isinstance(progress, int) or progress >= SHIPPED:
            raise HTTPException(409, f"order {external_id} is in {progress}")
        before = order.tree.get(edit.member)
        order.tree[edit.member] = edit.value
        order.tree["modifyFlag"] = 1
        market.events.tell_edit(shop, order, edit.member, before, market.now())
        return JSONResponse(order.to_json())

    return router
