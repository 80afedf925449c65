"""Lists the required keys of the order functions and refuses what lacks one.

Prefixes and codes: rakuten-ichiba-orders 6; those of simulateCouponAmount are made alike [?].
"""

from collections.abc import Mapping

from hanro_rakuten_ichiba.simulator.messages import Answer, missing

# Prefix and required keys by function. Source: rakuten-ichiba-orders 4.4 to 4.18.
REQUIRED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "updateOrderShipping": ("UPDATE_ORDERSHIPPING", ("orderNumber", "BasketidModelList")),
    "updateOrderShippingAsync": ("UPDATE_ORDERSHIPPING_ASYNC", ("OrderShippingModelList",)),
    "getResultUpdateOrderShippingAsync": (
        "GET_RESULT_UPDATEORDERSHIPPING_ASYNC",
        ("requestId",),
    ),
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
    "getPayment": ("GET_PAYMENT", ("orderNumber", "version")),
}
# Of these null is a value: it clears the sub-status (4.8).
_MAY_BE_NULL = frozenset({"subStatusId"})
_ABSENT: tuple[object, ...] = (None, "", [])


def find_lacking(function: str, body: Mapping[str, object]) -> list[str]:
    """Give the required keys that a request lacks; empty texts and lists are absent [?]."""
    keys = REQUIRED[function][1]
    return [key for key in keys if key not in body or (body[key] in _ABSENT and key not in _MAY_BE_NULL)]


def refuse_lacking(function: str, body: Mapping[str, object]) -> Answer | None:
    """Refuse for required keys that are missing, None when all are there; the queue refuses with 200 (4.5 [1])."""
    lacking = find_lacking(function, body)
    if not lacking:
        return None
    status = 200 if function == "updateOrderShippingAsync" else 400
    return Answer(status, {"MessageModelList": missing(REQUIRED[function][0], lacking)})
