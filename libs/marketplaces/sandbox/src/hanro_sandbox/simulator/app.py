"""Joins keys, rates, grants, functions and controls into the sandbox's simulator."""

import re
from collections.abc import Callable

from starlette.types import ASGIApp

from hanro_sandbox.simulator.account import open_session, read_key, read_shop
from hanro_sandbox.simulator.controls import control_routes
from hanro_sandbox.simulator.functions import BY_PATH, Function
from hanro_sandbox.simulator.goods import (
    get_categories,
    get_listings,
    get_stock,
    put_images,
    put_listings,
    put_stock,
    search_listings,
)
from hanro_sandbox.simulator.life import Market
from hanro_sandbox.simulator.notices import Notices
from hanro_sandbox.simulator.reading import get_orders, search_orders
from hanro_sandbox.simulator.shops import Key, Shop
from hanro_sandbox.simulator.talking import search_messages, send_message
from hanro_sandbox.simulator.wire import Refused, Tree, answer, read_body, refuse, throttled
from hanro_sandbox.simulator.writing import answer_lines, cancel, get_jobs, ship
from simkit.app import make_app
from simkit.exchange import Caller, Reply, Request
from simkit.kit import Kit
from simkit.redaction import Redaction

TITLE = "Sandbox"
_REDACTION = Redaction(body_patterns=(re.compile(rb"((?:sbx|ses)_[a-z0-9-]{1,32}_[A-Za-z0-9]{24})"),))
_SHOP_HEADER = "shop-id"

Read = Callable[[Market, Shop, Tree], Tree]
Write = Callable[[Market, Shop, Tree], tuple[Tree, bool]]
READS: dict[str, Read] = {
    "shop.read": lambda _market, shop, _body: read_shop(shop),
    "orders.search": search_orders,
    "orders.get": lambda _market, shop, body: get_orders(shop, body),
    "jobs.get": get_jobs,
    "messages.search": search_messages,
    "listings.get": lambda _market, shop, body: get_listings(shop, body),
    "listings.search": lambda _market, shop, body: search_listings(shop, body),
    "categories.get": lambda _market, _shop, body: get_categories(body),
    "stock.get": lambda _market, shop, body: get_stock(shop, body),
}
WRITES: dict[str, Write] = {
    "orders.answer": answer_lines,
    "orders.ship": ship,
    "orders.cancel": cancel,
    "messages.send": send_message,
    "listings.put": lambda _market, shop, body: put_listings(shop, body),
    "images.put": lambda _market, shop, body: put_images(shop, body),
    "stock.put": lambda _market, shop, body: put_stock(shop, body),
}


class Sandbox:
    """Play the marketplace's side."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def identify(self, request: Request) -> Caller:
        """Tell shop and function; a dead key still tells its shop."""
        owner = self._market.shops.find(request.header("authorization"))
        function = BY_PATH.get(request.path)
        return Caller(shop=owner[0].id if owner else None, function=function.name if function else None)

    async def answer(self, request: Request, caller: Caller) -> Reply:
        """Carry the request out."""
        del caller
        try:
            return self._answer(request)
        except Refused as refused:
            return refuse(refused)
        except _Throttled as over:
            return throttled(over.wait_seconds)

    def throttled(self, request: Request, caller: Caller, wait_seconds: float) -> Reply:
        """Say that there were too many calls."""
        del request, caller
        return throttled(wait_seconds)

    def state(self) -> object:
        """Give everything."""
        return self._market.state()

    def reset(self) -> None:
        """Forget everything."""
        self._market.reset()

    def _answer(self, request: Request) -> Reply:
        function, shop, key = self._admit(request)
        body = read_body(request.body)
        if function.name == "key.read":
            return answer(read_key(shop, key))
        if function.name == "key.session":
            return answer(open_session(self._market, shop, key))
        if function.name in READS:
            return answer(READS[function.name](self._market, shop, body))
        found, has_effect = WRITES[function.name](self._market, shop, body)
        return answer(found, 202 if found.get("job") else 200, has_effect=has_effect)

    def _admit(self, request: Request) -> tuple[Function, Shop, Key]:
        """Let a request through to its function: path, key, shop, rate, grant, in this order."""
        function = BY_PATH.get(request.path)
        if function is None:
            raise Refused(404, "unknown_path", "この URL はありません。")
        if function.method != request.method:
            raise Refused(405, "wrong_method", f"{function.method} で呼び出してください。")
        shop, key = self._authenticate(request)
        wait_seconds = self._market.kit.limits.admit(shop.id, function.group)
        if wait_seconds is not None:
            raise _Throttled(wait_seconds)
        if function.grant in shop.off:
            raise Refused(403, "grant_off", "この機能は有効になっていません。", grant=function.grant)
        return function, shop, key

    def _authenticate(self, request: Request) -> tuple[Shop, Key]:
        owner = self._market.shops.find(request.header("authorization"))
        verdict = "dead" if owner is None else owner[1].judge(request.received_at)
        if owner is None or verdict == "dead" or request.header(_SHOP_HEADER) != owner[0].id:
            raise Refused(401, "key_refused", "キーが正しくありません。")
        if verdict == "expired":
            raise Refused(401, "key_expired", "キーの有効期限が切れています。")
        if verdict == "young":
            raise Refused(403, "key_not_active", "キーはまだ有効になっていません。")
        return owner


class _Throttled(Exception):
    def __init__(self, wait_seconds: float) -> None:
        super().__init__()
        self.wait_seconds = wait_seconds


def build(kit: Kit, seed: int) -> ASGIApp:
    """Make the simulator's application for `simkit.server.serve`."""
    market = Market(kit, seed)
    market.listener = Notices(market).tell
    return make_app(TITLE, Sandbox(market), kit, *control_routes(market), redaction=_REDACTION)
