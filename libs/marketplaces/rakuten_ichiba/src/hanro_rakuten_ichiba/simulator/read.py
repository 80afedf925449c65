"""Answers getOrder: the newest tree, less what the asked version lacks."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.fields import count_bytes, once_or_each, order_numbers, read_number
from hanro_rakuten_ichiba.simulator.messages import GET_ORDER, Answer, Message, beyond, message, missing
from hanro_rakuten_ichiba.simulator.orders import StoredOrder, Tree, members
from hanro_rakuten_ichiba.simulator.shops import Shop

OLDEST_VERSION, NEWEST_VERSION = 3, 10
_MOST_BYTES = 4096
_ECHOED_FROM = 6
_GOODS_TAX_UNTIL = 7
_RECEIVER_LATE, _RECEIVER_LATE_FROM = 16, 10
# The version that brought each member. Source: rakuten-ichiba-orders 5.1 [2+].
_ORDER_MEMBERS = {
    "receiptIssueCount": 5,
    "receiptIssueHistoryList": 5,
    "DueDateModelList": 5,
    "cautionDisplayDetailType": 6,
    "deliveryCertPrgFlag": 8,
    "oneDayOperationFlag": 8,
    "socialGiftFlag": 10,
}
_PACKAGE_MEMBERS = {"defaultDeliveryCompanyCode": 4, "dropOffFlag": 9, "dropOffLocation": 9, "SocialGiftModel": 10}
_ITEM_MEMBERS = {"isSingleItemShipping": 4, "SkuModelList": 7}


def read_orders(shop: Shop, body: Mapping[str, object], now: datetime, assumptions: Assumptions) -> Answer:
    """Give up to 100 orders in the order asked, and a message for each that is not there or too old.

    Source: rakuten-ichiba-orders 4.2, samples 15.2; versions 1, 2 and unknown ones are refused as unusable (6).
    """
    asked = order_numbers(body)
    version = read_number(body.get("version"))
    if version is not None and not OLDEST_VERSION <= version <= NEWEST_VERSION:
        version = None
    unusable = [key for key, value in (("orderNumberList", asked), ("version", version)) if value is None]
    if asked is None or version is None:
        return refuse(missing(GET_ORDER, unusable))
    if len(asked) > assumptions.orders_per_call:
        return refuse(beyond(GET_ORDER, [f"more than {assumptions.orders_per_call} orders"]))
    if assumptions.counts_bytes and count_bytes(asked) > _MOST_BYTES:
        return refuse(beyond(GET_ORDER, [f"orderNumberList is longer than {_MOST_BYTES} bytes"]))
    found, unknown = find_orders(shop, asked, now, assumptions)
    answer: dict[str, object] = {"version": version} if version >= _ECHOED_FROM else {}
    trees = [tree_of_version(order, version) for order in found]
    return Answer(200, {**answer, "MessageModelList": tell(len(found), unknown), "OrderModelList": trees})


def find_orders(
    shop: Shop, asked: list[str], now: datetime, assumptions: Assumptions
) -> tuple[list[StoredOrder], list[str]]:
    """Give the orders in the order asked, and the numbers that the shop has not got or that are too old."""
    oldest = now.replace(microsecond=0) - timedelta(days=assumptions.oldest_days)
    found: list[StoredOrder] = []
    unknown: list[str] = []
    for number in once_or_each(asked, assumptions):
        order = shop.orders.find(number)
        if order is None or order.placed_at < oldest:
            unknown.append(number)
        else:
            found.append(order)
    return found, unknown


def tell(count: int, unknown: list[str]) -> list[Message]:
    """Tell how many orders there are, and each that there is not."""
    entries = [message(GET_ORDER, "INFO_101", count=count)] if count else []
    return entries + [message(GET_ORDER, "INFO_102", order_number=number) for number in unknown]


def tree_of_version(order: StoredOrder, version: int) -> Tree:
    """Build what a version shows; members that a test broke stay as they are."""
    tree = _without(order.tree, _ORDER_MEMBERS, version)
    packages = tree.get("PackageModelList")
    if isinstance(packages, list):
        tree["PackageModelList"] = [_package(package, version) for package in packages]
    if version < _RECEIVER_LATE_FROM and isinstance(tree.get("ChangeReasonModelList"), list):
        tree["ChangeReasonModelList"] = [
            {**reason, "changeReasonDetail": None} if reason.get("changeReasonDetail") == _RECEIVER_LATE else reason
            for reason in members(tree, "ChangeReasonModelList")
        ]
    if version <= _GOODS_TAX_UNTIL:
        tree = _insert(tree, "goodsPrice", "goodsTax", sum(map(goods_tax, order.packages())))
        tree = _insert(tree, "modifyFlag", "isTaxRecalc", 0)
    return tree


def _package(package: object, version: int) -> object:
    if not isinstance(package, dict):
        return package
    shown = _without(package, _PACKAGE_MEMBERS, version)
    items = shown.get("ItemModelList")
    if isinstance(items, list):
        shown["ItemModelList"] = [
            _without(item, _ITEM_MEMBERS, version) if isinstance(item, dict) else item for item in items
        ]
    if version <= _GOODS_TAX_UNTIL:
        shown = _insert(shown, "deliveryTaxRate", "goodsTax", goods_tax(package))
    return shown


def goods_tax(package: Tree) -> int:
    """Sum the tax that comes on top of tax-exclusive items. Source: rakuten-ichiba-orders 13, column 111 [?]."""
    tax = 0
    for item in members(package, "ItemModelList"):
        price, with_tax, units = (read_number(item.get(key)) for key in ("price", "priceTaxIncl", "units"))
        if price is not None and with_tax is not None and units is not None:
            tax += (with_tax - price) * units
    return tax


def _without(tree: Mapping[str, object], since: Mapping[str, int], version: int) -> Tree:
    return {key: value for key, value in tree.items() if since.get(key, 0) <= version}


def _insert(tree: Tree, after: str, key: str, value: object) -> Tree:
    """Put a member behind another; at the end when that one is not there."""
    shown: Tree = {}
    for name, known in tree.items():
        shown[name] = known
        if name == after:
            shown[key] = value
    shown.setdefault(key, value)
    return shown


def refuse(entries: list[Message]) -> Answer:
    """Refuse without orders. Source: rakuten-ichiba-orders 4.2."""
    return Answer(400, {"MessageModelList": entries, "OrderModelList": []})
