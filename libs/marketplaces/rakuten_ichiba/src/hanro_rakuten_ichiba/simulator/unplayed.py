"""Answers the order functions that are played up to their required keys.

Prefixes and codes: rakuten-ichiba-orders 6; those of simulateCouponAmount are made alike [?]. What is complete answers
501 with a code that no marketplace has, for nobody may come to depend on it.
"""

from collections.abc import Mapping

from hanro_rakuten_ichiba.simulator.catalogue.refusals import not_played
from hanro_rakuten_ichiba.simulator.fields import order_numbers
from hanro_rakuten_ichiba.simulator.messages import GET_ORDER, Answer, compose, message, missing
from hanro_rakuten_ichiba.simulator.shops import Shop

_PAYMENT, _RESULT = "GET_PAYMENT", "GET_RESULT_UPDATEORDERSHIPPING_ASYNC"
# Prefix and required keys by function. Source: rakuten-ichiba-orders 4.4 to 4.18.
REQUIRED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "updateOrderShipping": ("UPDATE_ORDERSHIPPING", ("orderNumber", "BasketidModelList")),
    "updateOrderShippingAsync": ("UPDATE_ORDERSHIPPING_ASYNC", ("OrderShippingModelList",)),
    "getResultUpdateOrderShippingAsync": (_RESULT, ("requestId",)),
    "updateOrderSubStatus": ("UPDATE_ORDERSUBSTATUS", ("subStatusId", "orderNumberList")),
    "updateOrderMemo": ("UPDATE_ORDERMEMO", ("orderNumber",)),
    "updateOrderRemarks": ("UPDATE_ORDERREMARKS", ("orderNumber",)),
    "updateOrderSender": ("UPDATE_ORDERSENDER", ("orderNumber", "PackageModelList")),
    "updateOrderSenderAfterShipping": (
        "UPDATE_ORDERSENDER_AFTER_SHIPPING",
        ("orderNumber", "PackageModelList"),
    ),
    "cancelOrder": ("CANCEL_ORDER", ("orderNumber", "inventoryRestoreType", "changeReasonDetailApply")),
    "cancelOrderAfterShipping": (
        "CANCEL_ORDER_AFTER_SHIPPING",
        ("orderNumber", "inventoryRestoreType", "changeReasonDetailApply"),
    ),
    "updateOrderOrderer": ("UPDATE_ORDERORDERER", ("orderNumber", "OrdererModel")),
    "updateOrderDelivery": ("UPDATE_ORDERDELIVERY", ("orderNumber", "deliveryName")),
    "simulateCouponAmount": ("SIMULATE_COUPON_AMOUNT", ("orderNumber", "PackageModelList")),
    "getPayment": (_PAYMENT, ("orderNumber", "version")),
}
# Of these null is a value: it clears the sub-status (4.8).
_MAY_BE_NULL = frozenset({"subStatusId"})
_NO_RESULT = "指定されたリクエストIDの処理結果は存在しませんでした。"
_NO_ORDER = "(text unknown: no such order)"


def answer_required(function: str, body: Mapping[str, object], *, is_known_order: bool) -> Answer:
    """Refuse for required keys that are missing; else say what is true without playing the rest.

    updateOrderShippingAsync refuses with 200 (4.5 [1]). A result is never there, for nothing was queued; a payment of
    an unknown order is refused, its code unknown [?].
    """
    prefix, keys = REQUIRED[function]
    lacking = [key for key in keys if key not in body or (body[key] in (None, "") and key not in _MAY_BE_NULL)]
    if lacking:
        status = 200 if function == "updateOrderShippingAsync" else 400
        return Answer(status, {"MessageModelList": missing(prefix, lacking)})
    if function == "getResultUpdateOrderShippingAsync":
        entries = [compose(_RESULT, "INFO_101", _NO_RESULT)]
        return Answer(200, {"ResultShippingModelList": [{"MessageModelList": entries}]})
    if function == "getPayment" and not is_known_order:
        number = str(body["orderNumber"])
        return Answer(200, {"MessageModelList": [compose(_PAYMENT, "ERROR_999", _NO_ORDER, number)]})
    return not_played()


def read_items(shop: Shop, body: Mapping[str, object]) -> Answer:
    """Answer getOrderItem, which speaks with getOrder's codes; the tree that is cut down is not played.

    Source: rakuten-ichiba-orders 4.19 [1].
    """
    asked = order_numbers(body)
    if asked is None:
        return Answer(400, {"MessageModelList": missing(GET_ORDER, ["orderNumberList"]), "OrderModelList": []})
    if any(shop.orders.find(number) is not None for number in asked):
        return not_played()
    entries = [message(GET_ORDER, "INFO_102", order_number=number) for number in dict.fromkeys(asked)]
    return Answer(200, {"MessageModelList": entries, "OrderModelList": []})
