"""Answers confirmOrder."""

from collections.abc import Mapping
from datetime import datetime

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.fields import once_or_each, order_numbers
from hanro_rakuten_ichiba.simulator.life_cycle import LifeCycle
from hanro_rakuten_ichiba.simulator.messages import CONFIRM_ORDER, Answer, beyond, message, missing
from hanro_rakuten_ichiba.simulator.orders import CANCELLED, NEW, StoredOrder
from hanro_rakuten_ichiba.simulator.shops import Shop


def _judge(order: StoredOrder | None) -> str:
    """Give the suffix of an order's answer. Source: rakuten-ichiba-orders 4.3, 8.3; unknown order [?]."""
    if order is None or not isinstance(order.progress, int):
        return "ERROR_999"
    if order.progress == CANCELLED:
        return "ERROR_102"
    if order.progress != NEW:
        return "ERROR_103"
    return "ERROR_105" if order.is_undecided else "INFO_101"


def confirm_orders(
    shop: Shop, body: Mapping[str, object], now: datetime, life_cycle: LifeCycle, assumptions: Assumptions
) -> Answer:
    """Confirm up to 100 orders, each for itself, answered in the order asked.

    Source: rakuten-ichiba-orders 4.3, sample 15.3; a refused list [?].
    """
    asked, most = order_numbers(body), assumptions.orders_per_call
    if asked is None:
        return Answer(400, {"MessageModelList": missing(CONFIRM_ORDER, ["orderNumberList"])})
    if len(asked) > most:
        return Answer(400, {"MessageModelList": beyond(CONFIRM_ORDER, [f"more than {most} orders"])})
    entries = []
    has_effect = False
    for number in once_or_each(asked, assumptions):
        order = shop.orders.find(number)
        suffix = _judge(order)
        if order is not None and suffix == "INFO_101":
            life_cycle.confirm(order, now)
            has_effect = True
        entries.append(message(CONFIRM_ORDER, suffix, order_number=number))
    return Answer(200, {"MessageModelList": entries}, has_effect)
