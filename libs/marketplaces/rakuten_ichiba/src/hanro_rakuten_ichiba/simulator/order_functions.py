"""Leads each function of the order family to what answers it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from hanro_rakuten_ichiba.simulator.cancel import cancel_after_shipping, cancel_order
from hanro_rakuten_ichiba.simulator.catalogue.refusals import not_played
from hanro_rakuten_ichiba.simulator.changing.notes import (
    set_sub_status,
    write_delivery,
    write_memo,
    write_orderer,
    write_remarks,
)
from hanro_rakuten_ichiba.simulator.changing.sender import change_order
from hanro_rakuten_ichiba.simulator.confirm import confirm_orders
from hanro_rakuten_ichiba.simulator.market import Market
from hanro_rakuten_ichiba.simulator.messages import (
    GET_SUBSTATUS_LIST,
    UPDATE_ORDERSENDER,
    UPDATE_ORDERSENDER_AFTER_SHIPPING,
    Answer,
    message,
)
from hanro_rakuten_ichiba.simulator.payment import read_payment
from hanro_rakuten_ichiba.simulator.purchase_items import read_items, search_items
from hanro_rakuten_ichiba.simulator.read import read_orders
from hanro_rakuten_ichiba.simulator.required import REQUIRED, refuse_lacking
from hanro_rakuten_ichiba.simulator.search import search_orders
from hanro_rakuten_ichiba.simulator.shipping.registration import register_shipping
from hanro_rakuten_ichiba.simulator.shops import Shop

Body = Mapping[str, object]
Function = Callable[[Market, Shop, Body, datetime], Answer]


def answer_order(market: Market, function: str, shop: Shop, body: Body, now: datetime) -> Answer:
    """Carry out one function of the order family; required keys come first (14.4 [?])."""
    if function in REQUIRED:
        refusal = refuse_lacking(function, body)
        if refusal is not None:
            return refusal
    return _FUNCTIONS[function](market, shop, body, now)


def _list_sub_statuses(market: Market, shop: Shop, body: Body, now: datetime) -> Answer:
    del market, body, now
    entries = [message(GET_SUBSTATUS_LIST, "INFO_101")]
    return Answer(200, {"StatusModelList": shop.sub_statuses, "MessageModelList": entries})


def _change_order(function: str, market: Market, shop: Shop, body: Body, now: datetime) -> Answer:
    return change_order(function, shop, body, now, life_cycle=market.life_cycle, assumptions=market.assumptions)


def _not_played(market: Market, shop: Shop, body: Body, now: datetime) -> Answer:
    del market, shop, body, now
    return not_played()


_FUNCTIONS: Mapping[str, Function] = {
    "searchOrder": lambda market, shop, body, now: search_orders(shop, body, now, market.assumptions),
    "searchOrderItem": lambda market, shop, body, now: search_items(shop, body, now, market.assumptions),
    "getOrder": lambda market, shop, body, now: read_orders(shop, body, now, market.assumptions),
    "getOrderItem": lambda market, shop, body, now: read_items(shop, body, now, market.assumptions),
    "confirmOrder": lambda market, shop, body, now: confirm_orders(
        shop, body, now, market.life_cycle, market.assumptions
    ),
    "getSubStatusList": _list_sub_statuses,
    "cancelOrder": lambda market, shop, body, now: cancel_order(shop, body, now, market.life_cycle, market.assumptions),
    "cancelOrderAfterShipping": lambda market, shop, body, now: cancel_after_shipping(
        shop, body, now, market.life_cycle, market.assumptions
    ),
    "updateOrderShipping": lambda market, shop, body, _now: register_shipping(
        shop, body, market.new_shipping_id, market.assumptions
    ),
    "updateOrderShippingAsync": lambda market, shop, body, now: market.shipping_queue.accept(shop, body, now),
    "getResultUpdateOrderShippingAsync": lambda market, shop, body, now: market.shipping_queue.tell(shop, body, now),
    "updateOrderSender": partial(_change_order, UPDATE_ORDERSENDER),
    "updateOrderSenderAfterShipping": partial(_change_order, UPDATE_ORDERSENDER_AFTER_SHIPPING),
    "updateOrderSubStatus": lambda market, shop, body, _now: set_sub_status(shop, body, market.assumptions),
    "updateOrderMemo": lambda market, shop, body, _now: write_memo(shop, body, market.assumptions),
    "updateOrderRemarks": lambda market, shop, body, _now: write_remarks(shop, body, market.assumptions),
    "updateOrderOrderer": lambda market, shop, body, _now: write_orderer(shop, body, market.assumptions),
    "updateOrderDelivery": lambda market, shop, body, _now: write_delivery(shop, body, market.assumptions),
    "getPayment": lambda market, shop, body, _now: read_payment(shop, body, market.assumptions),
    # Its fields are not public (4.17).
    "simulateCouponAmount": _not_played,
}
