"""Serves the controls of shops: opening, keys, grants, notices, and what buyers do."""

from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, HTTPException

from hanro_sandbox.simulator.files import write_orders
from hanro_sandbox.simulator.functions import GRANTS
from hanro_sandbox.simulator.life import LIVE, Market
from hanro_sandbox.simulator.shops import Shop
from hanro_sandbox.simulator.talking import add_message
from hanro_sandbox.simulator.wire import Tree, write_moment
from hanro_sandbox.simulator.wishes import Change, KeyChange, NoticeTarget, OrderWish, ShopWish

KeyAction = Literal["issue", "expire", "revoke"]
OrderAction = Literal[
    "set", "pay", "cancel", "hide", "request-cancel", "request-return", "request-exchange", "arrive", "deliver", "ask"
]


def control_routes(market: Market) -> tuple[APIRouter, ...]:
    """Make the routes of shops and of orders."""
    return _shop_routes(market), _access_routes(market), _order_routes(market)


def _shop_of(market: Market, shop_id: str) -> Shop:
    shop = market.shops.by_id.get(shop_id)
    if shop is None:
        raise HTTPException(404, f"there is no shop {shop_id}")
    return shop


def _access(shop: Shop) -> Tree:
    """Give the shop with its credentials: tests need them, nobody else reaches these controls."""
    return {
        "id": shop.id,
        "name": shop.name,
        "api_key": shop.key.text,
        "notice_key": shop.notice_key,
        "notice_url": shop.notice_url,
        "expires_at": write_moment(shop.key.expires_at),
        "grants": {grant: grant not in shop.off for grant in GRANTS},
    }


def _shop_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["shops"])

    @router.post("/_sim/shops", status_code=201)
    async def open_shop(wish: ShopWish | None = None) -> Tree:
        """Open a shop; answers its credentials."""
        wish = wish or ShopWish()
        try:
            return _access(market.shops.open(wish.id, wish.name, market.now()))
        except ValueError as error:
            raise HTTPException(409, str(error)) from None

    @router.get("/_sim/shops/{shop_id}")
    async def show_shop(shop_id: str) -> Tree:
        """Show a shop with its credentials."""
        return _access(_shop_of(market, shop_id))

    return router


def _access_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["access"])

    @router.post("/_sim/shops/{shop_id}/keys/{action}")
    async def change_key(shop_id: str, action: KeyAction, change: KeyChange | None = None) -> Tree:
        """Issue a key, or end the newest one."""
        shop, now = _shop_of(market, shop_id), market.now()
        if action == "issue":
            market.shops.issue(shop, now, timedelta(seconds=(change or KeyChange()).active_after_seconds))
        elif action == "expire":
            shop.key.expires_at = now
        else:
            shop.key.is_revoked = True
        return _access(shop)

    @router.put("/_sim/shops/{shop_id}/grants")
    async def set_grants(shop_id: str, grants: dict[str, bool]) -> Tree:
        """Switch grants on or off."""
        shop = _shop_of(market, shop_id)
        unknown = set(grants) - set(GRANTS)
        if unknown:
            raise HTTPException(404, f"there is no grant {', '.join(sorted(unknown))}")
        for grant, is_on in grants.items():
            (shop.off.discard if is_on else shop.off.add)(grant)
        return _access(shop)

    @router.put("/_sim/shops/{shop_id}/notices")
    async def set_notice_url(shop_id: str, target: NoticeTarget) -> Tree:
        """Say where notices go."""
        shop = _shop_of(market, shop_id)
        shop.notice_url = target.url
        return _access(shop)

    return router


def _order_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["orders"])

    @router.post("/_sim/shops/{shop_id}/orders", status_code=201)
    async def place_orders(shop_id: str, wish: OrderWish | None = None) -> dict[str, list[str]]:
        """Let buyers order."""
        shop, wish = _shop_of(market, shop_id), wish or OrderWish()
        if wish.id is not None and (wish.count > 1 or wish.id in shop.orders):
            raise HTTPException(409, "an order's number is taken, or asked for more than once")
        return {"external_ids": market.place(shop, wish)}

    @router.get("/_sim/shops/{shop_id}/orders.csv")
    async def export_orders(shop_id: str) -> dict[str, str]:
        """Write the file of all orders of a shop, as text."""
        return {"csv": write_orders(_shop_of(market, shop_id).orders.values())}

    @router.get("/_sim/shops/{shop_id}/orders/{order_id}")
    async def show_order(shop_id: str, order_id: str) -> Tree:
        """Show an order as the protocol does."""
        return _order_of(_shop_of(market, shop_id), order_id)

    @router.post("/_sim/shops/{shop_id}/orders/{order_id}/{action}")
    async def act(shop_id: str, order_id: str, action: OrderAction, change: Change | None = None) -> Tree:
        """Let something happen to an order."""
        shop = _shop_of(market, shop_id)
        order = _order_of(shop, order_id)
        _act(market, shop, order, action, change or Change())
        return order

    return router


def _order_of(shop: Shop, order_id: str) -> Tree:
    order = shop.orders.get(order_id)
    if order is None:
        raise HTTPException(404, f"there is no order {order_id}")
    return order


def _act(market: Market, shop: Shop, order: Tree, action: OrderAction, change: Change) -> None:
    match action:
        case "set":
            if change.state is None:
                raise HTTPException(422, "state: the action set needs it")
            market.set_state(shop, order, change.state)
        case "pay":
            market.pay(shop, order)
        case "deliver":
            market.set_state(shop, order, "delivered")
        case "cancel":
            market.cancel(shop, order, change.line, by="buyer", reason=change.reason)
        case "hide":
            shop.hidden[order["id"]] = list(change.views)
        case "arrive":
            _arrive(market, shop, order, change)
        case "ask":
            add_message(market, shop, "buyer", order["id"], {"body": change.text, "line": change.line})
        case "request-cancel" | "request-return" | "request-exchange":
            _request(market, shop, order, action.removeprefix("request-"), change)


def _request(market: Market, shop: Shop, order: Tree, kind: str, change: Change) -> None:
    """Let a buyer ask for something that the seller answers."""
    if not any(line["state"] in LIVE and change.line in (None, line["id"]) for line in order["lines"]):
        raise HTTPException(409, "there is no such line, or it is cancelled")
    order["claims"].append(
        {
            "id": market.number("claim"),
            "kind": kind,
            "stage": "requested",
            "line": change.line,
            "quantity": change.quantity,
            "by": "buyer",
            "reason": change.reason,
            "reference": None,
            "amount": None,
            "requested_at": write_moment(market.now()),
            "completed_at": None,
        }
    )
    market.changed(shop, order)


def _arrive(market: Market, shop: Shop, order: Tree, change: Change) -> None:
    """Let goods come back that the seller agreed to take back: the claim is done, the buyer has the money."""
    claim = next((one for one in order["claims"] if one["id"] == change.claim), None)
    if claim is None or claim["kind"] != "return" or claim["stage"] != "running":
        raise HTTPException(409, "there is no return of that id that the seller agreed to")
    lines = [line for line in order["lines"] if claim["line"] in (None, line["id"])]
    claim["amount"] = sum(line["unit_price"] * (claim["quantity"] or line["quantity"]) for line in lines)
    claim["stage"], claim["completed_at"] = "done", write_moment(market.now())
    market.changed(shop, order)
