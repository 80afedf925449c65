"""Joins gateway, functions, life cycle and controls into Rakuten Ichiba's simulator."""

import random
import re

from starlette.types import ASGIApp

from hanro_rakuten_ichiba.simulator.answers import CABINET_TYPE, NAVIGATION_TYPE, PLAIN_JSON_TYPE, Answers, compressed
from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.catalogue.cabinet import answer_cabinet
from hanro_rakuten_ichiba.simulator.catalogue.categories import answer_categories
from hanro_rakuten_ichiba.simulator.catalogue.inventories import answer_inventories
from hanro_rakuten_ichiba.simulator.catalogue.items import answer_items
from hanro_rakuten_ichiba.simulator.catalogue.navigation import answer_navigation
from hanro_rakuten_ichiba.simulator.controls import control_routes
from hanro_rakuten_ichiba.simulator.events.controls import event_routes
from hanro_rakuten_ichiba.simulator.fields import BodyRefused, read_body
from hanro_rakuten_ichiba.simulator.gateway import Gateway
from hanro_rakuten_ichiba.simulator.licence import read_expiry
from hanro_rakuten_ichiba.simulator.market import Market
from hanro_rakuten_ichiba.simulator.operations import FACTORS, Operation, find_operation
from hanro_rakuten_ichiba.simulator.order_controls import order_routes
from hanro_rakuten_ichiba.simulator.order_csv.controls import csv_routes
from hanro_rakuten_ichiba.simulator.order_functions import answer_order
from hanro_rakuten_ichiba.simulator.shop_account_controls import account_routes
from hanro_rakuten_ichiba.simulator.shop_api import read_resource, refuse_write
from hanro_rakuten_ichiba.simulator.shop_set_up_controls import set_up_routes
from hanro_rakuten_ichiba.simulator.shops import Shop
from simkit.app import make_app
from simkit.exchange import Caller, Reply, Request
from simkit.kit import Kit
from simkit.redaction import Redaction

TITLE = "Rakuten Ichiba"
# The licence key travels in the URL of its own look-up; both parts of a pair are hidden wherever they turn up.
_REDACTION = Redaction(
    secret_names=frozenset({"licenseKey"}),
    body_patterns=(re.compile(rb"((?:SP|SL)\d{1,6}_[A-Za-z0-9]{16})"),),
)


class Ichiba:
    """Play the marketplace's side."""

    def __init__(self, market: Market, kit: Kit, assumptions: Assumptions) -> None:
        self._market = market
        self._assumptions = assumptions
        # Ids and cookies have a source of their own: reading must not change which orders a seed makes.
        source = random.Random(f"answers {market.seed}")  # noqa: S311  repeatable on purpose
        self._answers = Answers(kit.clock, source, assumptions)
        self._gateway = Gateway(market.shops, kit.limits, self._answers, assumptions)

    def identify(self, request: Request) -> Caller:
        """Tell shop and function."""
        return self._gateway.identify(request)

    async def answer(self, request: Request, caller: Caller) -> Reply:
        """Carry the request out."""
        del caller
        reply = self._answer(request)
        can_compress = self._assumptions.compresses and "gzip" in (request.header("accept-encoding") or "")
        return compressed(reply) if can_compress else reply

    def _answer(self, request: Request) -> Reply:
        admitted = self._gateway.admit(request)
        if isinstance(admitted, Reply):
            return admitted
        operation, shop = admitted
        match operation.family:
            case "order":
                return self._answer_order(operation, shop, request)
            case "license":
                return self._answer_licence(shop, request)
            case "shop" if operation.method == "POST":
                return self._answers.xml(*refuse_write(request.header("content-type"), request.body))
            case "shop":
                status, text = read_resource(
                    shop, operation.function, operation.argument, request.query_values(), request.received_at
                )
                return self._answers.xml(status, text)
            case _:
                return self._answer_catalogue(operation, shop, request)

    def throttled(self, request: Request, caller: Caller, wait_seconds: float) -> Reply:
        """Say that there were too many calls."""
        del caller
        return self._gateway.throttled(wait_seconds, find_operation(request.method, request.path))

    def state(self) -> object:
        """Give shops and orders."""
        return self._market.state()

    def reset(self) -> None:
        """Forget shops and orders."""
        self._market.reset()

    def _answer_licence(self, shop: Shop, request: Request) -> Reply:
        match read_expiry(shop, request.query_values(), request.received_at):
            case "missing":
                return self._gateway.malformed()
            case "unauthorised":
                return self._gateway.unauthorised()
            case answer:
                return self._answers.answer(answer)

    def _answer_catalogue(self, operation: Operation, shop: Shop, request: Request) -> Reply:
        function, arguments, query = operation.function, operation.arguments, dict(request.query_values())
        match operation.family:
            case "cabinet":
                answered = answer_cabinet(function, query, request.body, self._answers.request_id())
                return self._answers.xml(*answered, CABINET_TYPE)
            case "navigation":
                return self._answers.answer(answer_navigation(function, arguments, query), NAVIGATION_TYPE)
            case "items":
                answer = answer_items(function, arguments, query, request.body, operation.method)
            case "inventories":
                answer = answer_inventories(function, arguments, query, request.body, operation.method)
            case "categories":
                answer = answer_categories(operation, shop.category_sets, query, request.body)
            case other:
                raise ValueError(f"{other} is no family of the catalogue")
        return self._answers.answer(answer, PLAIN_JSON_TYPE)

    def _answer_order(self, operation: Operation, shop: Shop, request: Request) -> Reply:
        try:
            body = read_body(request.body, self._assumptions, may_be_empty=operation.function == "getSubStatusList")
        except BodyRefused:
            return self._gateway.malformed(self._assumptions.unreadable_code)
        return self._answers.answer(answer_order(self._market, operation.function, shop, body, request.received_at))


def build(kit: Kit, assumptions: Assumptions, seed: int) -> ASGIApp:
    """Make the simulator's application for `simkit.server.serve`."""
    kit.limits.multiply(FACTORS)
    market = Market(kit, assumptions, seed)
    ichiba = Ichiba(market, kit, assumptions)
    return make_app(
        TITLE,
        ichiba,
        kit,
        control_routes(market),
        account_routes(market),
        set_up_routes(market),
        csv_routes(market),
        order_routes(market),
        event_routes(market),
        redaction=_REDACTION,
    )
