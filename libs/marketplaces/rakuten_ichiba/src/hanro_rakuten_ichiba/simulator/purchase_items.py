"""Answers searchOrderItem and getOrderItem: orders without personal data. Source: rakuten-ichiba-orders 4.19 [1]."""

from collections.abc import Mapping
from datetime import datetime

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.fields import order_numbers
from hanro_rakuten_ichiba.simulator.messages import GET_ORDER, Answer, beyond, missing
from hanro_rakuten_ichiba.simulator.orders import Tree, member
from hanro_rakuten_ichiba.simulator.read import NEWEST_VERSION, find_orders, refuse, tell, tree_of_version
from hanro_rakuten_ichiba.simulator.search import search_orders
from hanro_rakuten_ichiba.simulator.shops import Shop

_ASKED = frozenset(
    {
        "orderProgressList",
        "subStatusIdList",
        "dateType",
        "startDatetime",
        "endDatetime",
        "orderTypeList",
        "searchKeywordType",
        "searchKeyword",
        "PaginationRequestModel",
    }
)
_TEXTS = ("remarks", "memo", "operator", "mailPlugSentence")
_OF_PACKAGE = ("SenderModel", "ShippingModelList", "SocialGiftModel")


def search_items(shop: Shop, body: Mapping[str, object], now: datetime, assumptions: Assumptions) -> Answer:
    """Find order numbers; what only searchOrder takes is not asked."""
    return search_orders(shop, {key: value for key, value in body.items() if key in _ASKED}, now, assumptions)


def read_items(shop: Shop, body: Mapping[str, object], now: datetime, assumptions: Assumptions) -> Answer:
    """Give up to 100 orders with getOrder's codes, cut down; there is no version to ask for."""
    asked, most = order_numbers(body), assumptions.orders_per_call
    if asked is None:
        return refuse(missing(GET_ORDER, ["orderNumberList"]))
    if len(asked) > most:
        return refuse(beyond(GET_ORDER, [f"more than {most} orders"]))
    found, unknown = find_orders(shop, asked, now, assumptions)
    trees = [_cut_down(tree_of_version(order, NEWEST_VERSION), assumptions) for order in found]
    return Answer(200, {"MessageModelList": tell(len(found), unknown), "OrderModelList": trees})


def _cut_down(tree: Tree, assumptions: Assumptions) -> Tree:
    """Take out names, addresses, mail, card data, parcels and coupons; free texts too, which may hold any of it [?]."""
    left_out = {"CouponModelList", *(() if assumptions.items_have_texts else _TEXTS)}
    shown = {key: value for key, value in tree.items() if key not in left_out}
    shown["OrdererModel"] = {"prefecture": member(tree, "OrdererModel").get("prefecture")}
    method = member(tree, "SettlementModel").get("settlementMethodCode")
    shown["SettlementModel"] = {"settlementMethodCode": method}
    packages = tree.get("PackageModelList")
    if isinstance(packages, list):
        shown["PackageModelList"] = [
            {key: value for key, value in package.items() if key not in _OF_PACKAGE}
            if isinstance(package, dict)
            else package
            for package in packages
        ]
    return shown
