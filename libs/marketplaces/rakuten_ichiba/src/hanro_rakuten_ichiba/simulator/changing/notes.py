"""Answers updateOrderSubStatus, updateOrderMemo, updateOrderRemarks, updateOrderOrderer and updateOrderDelivery.

Source: rakuten-ichiba-orders 4.8 to 4.10, 4.15, 4.16, 6, 8.3; codes of refusals other than those named there [?].
"""

import copy
from collections.abc import Callable, Mapping

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.changing.people import change_orderer
from hanro_rakuten_ichiba.simulator.code_lists import DELIVERY_CLASSES, PAY_LATER, REASONS, is_shipping_term
from hanro_rakuten_ichiba.simulator.fields import Fields, once_or_each, order_numbers, read_number
from hanro_rakuten_ichiba.simulator.japan_time import read_date
from hanro_rakuten_ichiba.simulator.messages import (
    UPDATE_ORDERDELIVERY,
    UPDATE_ORDERMEMO,
    UPDATE_ORDERORDERER,
    UPDATE_ORDERREMARKS,
    UPDATE_ORDERSUBSTATUS,
    Answer,
    beyond,
    malformed,
    message,
    missing,
    refusal,
)
from hanro_rakuten_ichiba.simulator.orders import CANCELLED, CANCELLING, SHIPPED, StoredOrder, Tree, member
from hanro_rakuten_ichiba.simulator.shops import Shop

Body = Mapping[str, object]
Write = Callable[[Fields, StoredOrder, Tree, Shop], None]
_LONGEST_MEMO, _LONGEST_OPERATOR, _LONGEST_SENTENCE, _LONGEST_REMARKS, _LONGEST_DELIVERY = 1000, 6, 1024, 4000, 64


def set_sub_status(shop: Shop, body: Body, assumptions: Assumptions) -> Answer:
    """Set or clear the sub-status of up to 100 orders, each for itself, answered in the order asked."""
    asked, wanted = order_numbers(body), body["subStatusId"]
    if asked is None:
        return _refuse(missing(UPDATE_ORDERSUBSTATUS, ["orderNumberList"]))
    number = read_number(wanted)
    if wanted is not None and number is None:
        return _refuse(malformed(UPDATE_ORDERSUBSTATUS, ["subStatusId"]))
    if len(asked) > assumptions.orders_per_call:
        return _refuse(beyond(UPDATE_ORDERSUBSTATUS, [f"more than {assumptions.orders_per_call} orders"]))
    entries, has_effect = [], False
    for order_number in once_or_each(asked, assumptions):
        order = shop.orders.find(order_number)
        suffix = _judge_sub_status(shop, order, number)
        if order is not None and suffix == "INFO_101":
            _put_sub_status(shop, order.tree, number)
            has_effect = True
        entries.append(message(UPDATE_ORDERSUBSTATUS, suffix, order_number=order_number))
    return Answer(200, {"MessageModelList": entries}, has_effect)


def write_memo(shop: Shop, body: Body, assumptions: Assumptions) -> Answer:
    """Write memo, person, delivery class, date and time of day, sentence for mails, sub-status; absent ones stay."""
    return _write(UPDATE_ORDERMEMO, shop, body, assumptions, _put_memo)


def write_remarks(shop: Shop, body: Body, assumptions: Assumptions) -> Answer:
    """Write remarks and the wish for a gift; at least one of the two is named [1]."""
    return _write(UPDATE_ORDERREMARKS, shop, body, assumptions, _put_remarks)


def write_orderer(shop: Shop, body: Body, assumptions: Assumptions) -> Answer:
    """Write the buyer."""
    return _write(UPDATE_ORDERORDERER, shop, body, assumptions, _put_orderer)


def write_delivery(shop: Shop, body: Body, assumptions: Assumptions) -> Answer:
    """Write the delivery method, one that the shop has set up."""
    return _write(UPDATE_ORDERDELIVERY, shop, body, assumptions, _put_delivery)


def _write(function: str, shop: Shop, body: Body, assumptions: Assumptions, put: Write) -> Answer:
    """Write into a copy of the tree and keep it where nothing was wrong."""
    number = str(body["orderNumber"])
    order = shop.orders.find(number)
    fields = Fields(body, function, assumptions)
    tree: Tree = {} if order is None else copy.deepcopy(order.tree)
    if order is not None:
        put(fields, order, tree, shop)
    faults = fields.messages()
    if faults:
        return _refuse(faults)
    if order is None:
        return refusal(function, "no such order", number, assumptions.refusal_status)
    if order.progress in assumptions.unnoted_states:
        return refusal(function, f"nothing is written in state {order.progress}", number, assumptions.refusal_status)
    order.tree = tree
    return Answer(200, {"MessageModelList": [message(function, "INFO_101", order_number=number)]}, has_effect=True)


def _put_memo(fields: Fields, order: StoredOrder, tree: Tree, shop: Shop) -> None:
    texts = {"memo": _LONGEST_MEMO, "operator": _LONGEST_OPERATOR, "mailPlugSentence": _LONGEST_SENTENCE}
    for key, most in texts.items():
        if fields.holds(key):
            tree[key] = fields.words(key, most, is_free=True)
    if fields.holds("deliveryClass"):
        member(tree, "DeliveryModel")["deliveryClass"] = fields.number("deliveryClass", DELIVERY_CLASSES)
    if fields.holds("deliveryDate"):
        tree["deliveryDate"] = day = fields.words("deliveryDate", len("2026-05-14"))
        if day is not None and read_date(day) is None:
            fields.malformed.append("deliveryDate")
    if fields.holds("shippingTerm"):
        tree["shippingTerm"] = term = fields.number("shippingTerm")
        if term is not None and not is_shipping_term(term):
            fields.malformed.append("shippingTerm")
    if fields.holds("subStatusId"):
        wanted = fields.number("subStatusId")
        if _judge_sub_status(shop, order, wanted) == "ERROR_102":
            fields.beyond.append("order and sub-status do not go together")
        _put_sub_status(shop, tree, wanted)


def _put_remarks(fields: Fields, order: StoredOrder, tree: Tree, shop: Shop) -> None:
    del order, shop
    if not fields.holds("giftCheck") and not fields.holds("remarks"):
        fields.beyond.append("neither giftCheck nor remarks")
    wish = fields.number("giftCheck", (0, 1))
    if wish is not None:
        tree["giftCheckFlag"] = wish
    if fields.holds("remarks"):
        tree["remarks"] = fields.words("remarks", _LONGEST_REMARKS, is_free=True)


def _put_orderer(fields: Fields, order: StoredOrder, tree: Tree, shop: Shop) -> None:
    """Write the buyer; after shipping a change of 後払い決済 needs its reason, as in 4.11."""
    del shop
    progress = order.progress
    is_shipped = isinstance(progress, int) and SHIPPED <= progress < CANCELLING
    if is_shipped and order.settlement_method == PAY_LATER:
        fields.require("reductionReason")
    fields.number("reductionReason", REASONS)
    part = fields.part("OrdererModel")
    if part is not None:
        change_orderer(part, member(tree, "OrdererModel"))


def _put_delivery(fields: Fields, order: StoredOrder, tree: Tree, shop: Shop) -> None:
    del order
    name = fields.words("deliveryName", _LONGEST_DELIVERY)
    listed = shop.resources.get("deliverySetInfo")
    names = [one.get("deliverySetName") for one in listed] if isinstance(listed, list) else []
    if name is not None and name not in names:
        fields.beyond.append("no such delivery method")
    member(tree, "DeliveryModel")["deliveryName"] = name


def _judge_sub_status(shop: Shop, order: StoredOrder | None, wanted: int | None) -> str:
    """Give the suffix of an order's answer; an order that the shop has not got is taken for another shop's [?]."""
    if order is None:
        return "ERROR_016"
    if order.progress == CANCELLED:
        return "ERROR_101"
    if wanted is None or _find_sub_status(shop, order.progress, wanted) is not None:
        return "INFO_101"
    return "ERROR_102"


def _find_sub_status(shop: Shop, progress: object, wanted: int) -> object:
    """Give the name of a sub-status of that state; None when the state has none of that id."""
    for state in shop.sub_statuses:
        listed = state.get("SubStatusModelList")
        if state.get("orderProgress") == progress and isinstance(listed, list):
            for one in listed:
                if one.get("subStatusId") == wanted:
                    return one.get("subStatusName")
    return None


def _put_sub_status(shop: Shop, tree: Tree, wanted: int | None) -> None:
    name = None if wanted is None else _find_sub_status(shop, tree.get("orderProgress"), wanted)
    tree["subStatusId"], tree["subStatusName"] = wanted, name


def _refuse(entries: list[dict[str, object]]) -> Answer:
    return Answer(400, {"MessageModelList": entries})
