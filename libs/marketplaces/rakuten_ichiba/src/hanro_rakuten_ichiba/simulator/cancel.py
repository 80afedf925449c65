"""Answers cancelOrder and cancelOrderAfterShipping."""

from collections.abc import Mapping
from datetime import datetime

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.code_lists import REASONS
from hanro_rakuten_ichiba.simulator.fields import Fields
from hanro_rakuten_ichiba.simulator.history import cause_of
from hanro_rakuten_ichiba.simulator.life_cycle import LifeCycle
from hanro_rakuten_ichiba.simulator.messages import CANCEL_ORDER, CANCEL_ORDER_AFTER_SHIPPING, Answer, message, refusal
from hanro_rakuten_ichiba.simulator.orders import StoredOrder, members
from hanro_rakuten_ichiba.simulator.shops import Shop

BEFORE_SHIPPING, AFTER_SHIPPING = (100, 200, 300), (500, 600, 700, 800)
_RESTORE_TYPES = (0, 1, 2)


def cancel_order(
    shop: Shop, body: Mapping[str, object], now: datetime, life_cycle: LifeCycle, assumptions: Assumptions
) -> Answer:
    """Apply for a cancellation before shipping: 100 ends at once, 200 and 300 wait in 800.

    Refused while a shipping date is registered. Source: rakuten-ichiba-orders 4.13, 8.2, 8.3, sample 15.6; the codes
    of refusals [?].
    """
    restore, reason, refused = _read(body, CANCEL_ORDER, assumptions)
    if refused is not None:
        return refused
    number = str(body["orderNumber"])
    order = shop.orders.find(number)
    if order is None:
        return refusal(CANCEL_ORDER, "no such order", number, assumptions.refusal_status)
    if order.progress not in BEFORE_SHIPPING:
        why = f"no cancellation in state {order.progress}"
        return refusal(CANCEL_ORDER, why, number, assumptions.refusal_status)
    if any(row.get("shippingDate") for row in order.shipping_rows()):
        return refusal(CANCEL_ORDER, "a shipping date is registered", number, assumptions.refusal_status)
    _set_restoring(order, restore)
    life_cycle.cancel_for_shop(order, now, cause_of(reason))
    return Answer(200, {"MessageModelList": [message(CANCEL_ORDER, "INFO_101", order_number=number)]}, has_effect=True)


def cancel_after_shipping(
    shop: Shop, body: Mapping[str, object], now: datetime, life_cycle: LifeCycle, assumptions: Assumptions
) -> Answer:
    """Apply for and settle a cancellation in one step, once the goods are back.

    Source: rakuten-ichiba-orders 4.14 [2+], 8.3; code and text [?].
    """
    restore, reason, refused = _read(body, CANCEL_ORDER_AFTER_SHIPPING, assumptions)
    number = str(body["orderNumber"])
    order = shop.orders.find(number)
    if refused is not None:
        return refused
    if order is None or order.progress not in AFTER_SHIPPING:
        why = "no such order" if order is None else f"no cancellation after shipping in state {order.progress}"
        return refusal(CANCEL_ORDER_AFTER_SHIPPING, why, number, assumptions.refusal_status)
    _set_restoring(order, restore)
    life_cycle.cancel(order, now, cause_of(reason))
    entries = [message(CANCEL_ORDER_AFTER_SHIPPING, "INFO_101", order_number=number)]
    return Answer(200, {"MessageModelList": entries}, has_effect=True)


def _read(body: Mapping[str, object], function: str, assumptions: Assumptions) -> tuple[int, int, Answer | None]:
    fields = Fields(body, function, assumptions)
    restore = fields.number("inventoryRestoreType", _RESTORE_TYPES)
    reason = fields.number("changeReasonDetailApply", REASONS)
    faults = fields.messages()
    return restore or 0, reason or 0, Answer(400, {"MessageModelList": faults}) if faults else None


def _set_restoring(order: StoredOrder, restore: int) -> None:
    """Let each item say what becomes of its stock; 0 leaves what it said. Source: rakuten-ichiba-orders 4.13, 5.7."""
    if restore:
        for package in order.packages():
            for item in members(package, "ItemModelList"):
                item["restoreInventoryFlag"] = restore
