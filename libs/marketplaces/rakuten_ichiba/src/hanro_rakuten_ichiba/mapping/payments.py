"""Reads PaymentModel of getPayment: what is paid and paid back, and how far that is."""

from dataclasses import replace
from types import MappingProxyType

from hanro.marketplace.types import Detail, Payment, PaymentStatus, Refund, RefundStatus, SeenOrder
from hanro_rakuten_ichiba.mapping.fields import (
    Misread,
    Tree,
    child,
    each,
    optional_amount,
    optional_moment,
    optional_text,
    stated,
    text,
)

_OPEN, _AUTHORISED, _PAID = PaymentStatus.OPEN, PaymentStatus.AUTHORISED, PaymentStatus.PAID
_FAILED, _REFUNDED = PaymentStatus.FAILED, PaymentStatus.REFUNDED
STATUSES = MappingProxyType(
    {
        "30000": PaymentStatus.UNKNOWN,
        **dict.fromkeys(("30100", "30110", "30200"), _OPEN),
        **dict.fromkeys(("30300", "30500"), _AUTHORISED),
        **dict.fromkeys(("30600", "30610"), _PAID),
        **dict.fromkeys(("30400", "30700", "30710"), _FAILED),
        # A procedure or a payment that is being cancelled, or could not be, still stands.
        **dict.fromkeys(("31100", "31110", "31120", "31300"), _AUTHORISED),
        **dict.fromkeys(("31400", "31410", "31420"), _PAID),
        **dict.fromkeys(("31200", "31500", "31800"), _REFUNDED),
    }
)
"""paymentStatus. Source: rakuten-ichiba-orders 7.8 [1]."""
REFUND_STATUSES = MappingProxyType(
    {
        # What a refund whose payment is cancelled, or charged back, is worth stands nowhere: it is not guessed.
        **dict.fromkeys(STATUSES, RefundStatus.UNKNOWN),
        **dict.fromkeys(("30100", "30110", "30200", "30300", "30500"), RefundStatus.OPEN),
        **dict.fromkeys(("30600", "30610"), RefundStatus.DONE),
        **dict.fromkeys(("30400", "30700", "30710"), RefundStatus.FAILED),
    }
)
"""paymentStatus of a refund. Source: the codes rakuten-ichiba-orders 7.8 [1], that they mean the same there [?]."""
_DETAILS = (
    "orderPaymentNumber", "paymentStatus", "paymentCharge", "paymentProcReqDatetime", "paymentProcCmplDatetime",
    "paymentReqDatetime", "paymentFixDatetime", "paymentCancelFixDatetime", "payExpectDate", "minusPayExpectDate",
)  # fmt: skip


def with_payments(order: SeenOrder, answer: Tree) -> SeenOrder:
    """Give an order with its payment records; where there are none what the order itself says stays.

    Raises:
        Misread: a record is not as documented.

    Source: rakuten-ichiba-orders 4.18 [1].
    """
    known = {payment.code: payment for payment in order.payments}
    records = each(child(answer, "OrderModel"), "PaymentModelList", lambda model: _read(model, known))
    return replace(order, payments=records or order.payments, lacks=order.lacks - {Detail.PAYMENT})


def _read(model: Tree, known: dict[str | None, Payment]) -> Payment:
    code = text(model, "paymentMethod")
    status = STATUSES.get(text(model, "paymentStatus"))
    if status is None:
        raise Misread("/paymentStatus", "is none of the documented codes")
    of_order = known.get(code)
    return Payment(
        method=code if of_order is None else of_order.method,
        code=code,
        status=status,
        is_run_by_marketplace=True if of_order is None else of_order.is_run_by_marketplace,
        amount=optional_amount(model, "paymentAmount"),
        due_on=None if of_order is None else of_order.due_on,
        external_id=optional_text(model, "orderPaymentNumber"),
        refunds=each(model, "RefundModelList", _read_refund),
        details={**({} if of_order is None else of_order.details), **stated(model, *_DETAILS)},
    )


def _read_refund(model: Tree) -> Refund:
    code = text(model, "paymentStatus")
    status = REFUND_STATUSES.get(code)
    if status is None:
        raise Misread("/paymentStatus", "is none of the documented codes")
    return Refund(
        amount=optional_amount(model, "paymentAmount"),
        status=status,
        status_text=code,
        requested=optional_moment(model, "paymentReqDatetime"),
        completed=optional_moment(model, "paymentFixDatetime"),
        details=stated(model, "paymentProcCmplDatetime", "payExpectDate"),
    )
