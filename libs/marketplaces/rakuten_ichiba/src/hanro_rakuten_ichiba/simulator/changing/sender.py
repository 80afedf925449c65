"""Answers updateOrderSender and updateOrderSenderAfterShipping."""

import copy
from collections.abc import Mapping
from datetime import datetime

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.buyers.money import UNDECIDED
from hanro_rakuten_ichiba.simulator.changing.restatement import Restatement
from hanro_rakuten_ichiba.simulator.changing.totals import billed, recalculate
from hanro_rakuten_ichiba.simulator.code_lists import (
    CASH_ON_DELIVERY,
    PAY_LATER,
    REASONS,
    SETTLEMENT_METHODS,
    SETTLEMENTS_TO_CHANGE_TO,
)
from hanro_rakuten_ichiba.simulator.fields import Fields
from hanro_rakuten_ichiba.simulator.history import cause_of
from hanro_rakuten_ichiba.simulator.life_cycle import LifeCycle
from hanro_rakuten_ichiba.simulator.messages import (
    UPDATE_ORDERSENDER,
    UPDATE_ORDERSENDER_AFTER_SHIPPING,
    Answer,
    compose,
    message,
    refusal,
)
from hanro_rakuten_ichiba.simulator.orders import NEW, StoredOrder, Tree, member, members
from hanro_rakuten_ichiba.simulator.shops import Shop

_STATES = {UPDATE_ORDERSENDER: (100, 200, 300), UPDATE_ORDERSENDER_AFTER_SHIPPING: (500, 600, 700)}
# What becomes of changeTypeDetail (5.12), beside another settlement method: 10 more.
_LESS, _MORE, _OTHER, _METHOD = 0, 1, 2, 10
_PROCEDURE_FAILED = 30400
_CARD_MEMBERS = ("cardName", "cardNumber", "cardOwner", "cardYm", "cardPayType", "cardInstallmentDesc")


def change_order(
    function: str,
    shop: Shop,
    body: Mapping[str, object],
    now: datetime,
    *,
    life_cycle: LifeCycle,
    assumptions: Assumptions,
) -> Answer:
    """Restate destinations, lines, postage, wrapping, coupons and settlement of one order, and do its sums anew.

    Nothing is written unless all of it can be. `function` is the prefix of its codes. Source: rakuten-ichiba-orders
    4.11, 4.12, 8.2 to 8.4; other refusals than ERROR_009, 011, 136 and 139 have unknown codes [?].
    """
    number = str(body["orderNumber"])
    order = shop.orders.find(number)
    if order is None:
        return refusal(function, "no such order", number, assumptions.refusal_status)
    if order.progress not in _STATES[function]:
        return refusal(function, f"no change in state {order.progress}", number, assumptions.refusal_status)
    fields = Fields(body, function, assumptions)
    method = _read_method(fields, order, is_allowed=function == UPDATE_ORDERSENDER)
    restated = Restatement(
        fields,
        copy.deepcopy(order.tree),
        is_cash_on_delivery=(method or order.settlement_method) == CASH_ON_DELIVERY,
        needs_fee=method == CASH_ON_DELIVERY,
    )
    restated.restate()
    if method is not None:
        _settle_otherwise(restated.tree, method)
    recalculate(restated.tree, shrinks_coupons=assumptions.coupons_shrink)
    before, after = billed(order.tree), billed(restated.tree)
    is_later = function == UPDATE_ORDERSENDER_AFTER_SHIPPING and order.settlement_method == PAY_LATER
    if is_later or (UNDECIDED not in (before, after) and after < before):
        fields.require("reductionReason")
    reason = fields.number("reductionReason", REASONS)
    faults = [*fields.messages(), *(compose(function, code, text, number) for code, text in restated.refusals)]
    if faults:
        return Answer(400, {"MessageModelList": faults})
    order.tree = restated.tree
    kind = _OTHER if before == after or UNDECIDED in (before, after) else _LESS if after < before else _MORE
    if method is not None:
        kind = _METHOD + (0 if kind == _OTHER else kind + 1)
    life_cycle.change(order, now, cause_of(reason, kind), is_amount_changed=before != after)
    return Answer(200, {"MessageModelList": [message(function, "INFO_101", order_number=number)]}, has_effect=True)


def _read_method(fields: Fields, order: StoredOrder, *, is_allowed: bool) -> int | None:
    """Read another settlement method: before shipping, while the order is new or its procedure has failed."""
    if not is_allowed:
        return None
    method = fields.number("afterSettlementMethodCode", SETTLEMENTS_TO_CHANGE_TO)
    if method is not None and order.progress != NEW and order.payment_status != _PROCEDURE_FAILED:
        fields.beyond.append("the settlement method cannot change now")
    return method


def _settle_otherwise(tree: Tree, method: int) -> None:
    """Write another method: cash on delivery is the shop's own settlement (5.4 [2+]); fees of the one before go [?]."""
    settlement = member(tree, "SettlementModel")
    settlement.update(dict.fromkeys(_CARD_MEMBERS))
    settlement["settlementMethodCode"] = method
    settlement["settlementMethod"] = SETTLEMENT_METHODS[method]
    settlement["rpaySettlementFlag"] = int(method != CASH_ON_DELIVERY)
    tree["SettlementModel"] = settlement
    tree["paymentCharge"] = 0
    if method != CASH_ON_DELIVERY:
        for package in members(tree, "PackageModelList"):
            package["deliveryPrice"] = 0
