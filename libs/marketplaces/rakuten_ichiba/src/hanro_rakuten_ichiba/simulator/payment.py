"""Answers getPayment: the settlement record of one order, told from its tree and state."""

from collections.abc import Mapping
from datetime import date, datetime

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.code_lists import PAY_LATER
from hanro_rakuten_ichiba.simulator.fields import read_number
from hanro_rakuten_ichiba.simulator.japan_time import write_moment
from hanro_rakuten_ichiba.simulator.messages import GET_PAYMENT, Answer, message, missing, refusal
from hanro_rakuten_ichiba.simulator.orders import CANCELLED, READY, StoredOrder, Tree, member, members
from hanro_rakuten_ichiba.simulator.shops import Shop

_VERSIONS = (3, 4)
_PAYPAL_FROM = 4
_CARD, _BANK, _MULTI, _PAYPAL = 1, 9, (13, 14), (16, 17, 27)
_NONE, _WAITING, _PROCEDURE_ASKED = 30000, 30100, 30200
# Which of 7.8 a state shows is in no source [?].
_STATUSES = {
    100: _NONE,
    200: _PROCEDURE_ASKED,
    300: 30300,
    400: _PROCEDURE_ASKED,
    500: 30300,
    600: 30500,
    700: 30600,
    800: 31110,
    900: 31200,
}
_FIXED = (30600, 30610)
_CARD_MEMBERS = ("cardName", "cardYm", "cardOwner", "cardNumber", "cardPayType", "cardInstallmentDesc")


def read_payment(shop: Shop, body: Mapping[str, object], assumptions: Assumptions) -> Answer:
    """Give the payment of one order; version 4 adds PayPal and Alipay.

    Source: rakuten-ichiba-orders 4.18, 7.8 [1]; what the record holds in each state, codes and texts [?].
    """
    version, number = read_number(body["version"]), str(body["orderNumber"])
    if version not in _VERSIONS:
        return Answer(400, {"MessageModelList": missing(GET_PAYMENT, ["version"])})
    order = shop.orders.find(number)
    if order is None:
        return refusal(GET_PAYMENT, "no such order", number, assumptions.refusal_status)
    payment = _payment(order, assumptions)
    if version >= _PAYPAL_FROM:
        is_paypal = order.settlement_method in _PAYPAL
        payment["PaymentPaypalModel"] = {"eventDate": None, "billId": None} if is_paypal else None
    value = {
        "MessageModelList": [message(GET_PAYMENT, "INFO_101")],
        "OrderModel": {"orderNumber": number, "PaymentModelList": [payment]},
    }
    return Answer(200, value)


def _payment(order: StoredOrder, assumptions: Assumptions) -> Tree:
    tree, method = order.tree, order.settlement_method
    progress = order.progress if isinstance(order.progress, int) else 0
    is_done = READY <= progress < CANCELLED
    ended = members(tree, "ChangeReasonModelList")[-1:] if progress == CANCELLED else []
    return {
        "orderPaymentNumber": f"{order.number}-1",
        "paymentMethod": method,
        "paymentAmount": tree.get("requestPrice"),
        "paymentCharge": tree.get("paymentCharge"),
        "paymentStatus": _status(order, assumptions),
        "paymentProcReqDatetime": tree.get("shopOrderCfmDatetime"),
        "paymentProcNgDatetime": None,
        "paymentProcCmplDatetime": tree.get("orderFixDatetime") if is_done else None,
        "paymentProcCancelNgDate": None,
        "paymentProcCancelCmplDatetime": ended[0].get("changeCmplDatetime") if ended else None,
        "paymentReqDatetime": _written(order.billed_at),
        "paymentNgDatetime": None,
        "paymentFixDatetime": _written(order.settled_at),
        "paymentCancelNgDatetime": None,
        "paymentCancelCmplDatetime": None,
        "paymentCancelFixDatetime": None,
        "payExpectDate": None,
        "minusPayExpectDate": None,
        "paymentOrganizationLinkageNumberList": [],
        **_models(order),
        "RefundModelList": [dict(refund) for refund in order.refunds],
        "AdditionalFeeModelList": [],
    }


def make_refund(amount: int, status: int, at: datetime, expected_on: date | None) -> Tree:
    """Make a refund that was asked for and, unless it is open or failed, done at a time.

    Source: rakuten-ichiba-orders 4.18 [1]; which times each status has, and that an amount is positive [?].
    """
    fixed_at = at if status in _FIXED else None
    return {
        "paymentAmount": amount,
        "paymentStatus": status,
        "paymentProcCmplDatetime": write_moment(at),
        "paymentReqDatetime": write_moment(at),
        "paymentFixDatetime": _written(fixed_at),
        "payExpectDate": None if expected_on is None else expected_on.isoformat(),
    }


def _models(order: StoredOrder) -> Tree:
    """Give what belongs to one method each; the others are null."""
    method, settlement = order.settlement_method, member(order.tree, "SettlementModel")
    multi = dict.fromkeys(("eventDatetime", "rcvgNumber", "payInfoUrl", "payStartUrl"))
    return {
        "PaymentCardModel": {key: settlement.get(key) for key in _CARD_MEMBERS} if method == _CARD else None,
        "PaymentMultiModel": multi if method in _MULTI else None,
        "PaymentBankModel": {"transferDate": None, "transferNameKana": None} if method == _BANK else None,
        "PaymentPayAfterModel": {"rcvgAgcyTypeName": None, "rcvgNumber": None} if method == PAY_LATER else None,
    }


def _status(order: StoredOrder, assumptions: Assumptions) -> int:
    """Tell the status; what the shop settles itself has none, what waits for the buyer is waiting [?]."""
    if order.payment_status is not None:
        return order.payment_status
    if member(order.tree, "SettlementModel").get("rpaySettlementFlag") != 1 or not isinstance(order.progress, int):
        return _NONE
    status = _STATUSES.get(order.progress, _NONE)
    waits = order.settlement_method in assumptions.waits_for_payment and not order.is_paid
    return _WAITING if waits and status == _PROCEDURE_ASKED else status


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else write_moment(moment)
