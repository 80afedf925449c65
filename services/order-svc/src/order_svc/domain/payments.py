"""Decides what is known of payments and refunds: what a look that asked for them told, until another one that asks."""

import json
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from hanro.events.orders import OrderRefund
from hanro.marketplace.types import Detail, Payment, PaymentStatus, Refund, SeenOrder, Sighting
from order_svc.domain.amounts import stated
from order_svc.domain.orders import Order

_PAYMENTS = TypeAdapter(tuple[Payment, ...])
_REFUNDS = TypeAdapter(tuple[OrderRefund, ...])


def tells_payments(sighting: Sighting) -> bool:
    """Tell whether a sighting was asked for payments, so that what it does not show of them is not there."""
    return isinstance(sighting, SeenOrder) and Detail.PAYMENT not in sighting.lacks


def refunds_of(seen: SeenOrder, known: Order | None) -> tuple[OrderRefund, ...]:
    """Give all refunds as they are told now, in the marketplace's order; those that are known where none are told.

    They have no ids: a look that asked restates all of them, so that none stands twice.
    """
    if not tells_payments(seen):
        return known.refunds if known else ()
    return tuple(_refund(payment, refund) for payment in seen.payments for refund in payment.refunds)


def refunds_read_at(seen: SeenOrder, known: Order | None) -> datetime | None:
    """Give when somebody looked at payments last; None: never."""
    if tells_payments(seen):
        return seen.seen_at
    return known.refunds_read_at if known else None


def after_late_look(known: Order, sighting: Sighting) -> Order | None:
    """Give an order with what a look told of refunds that is stored behind a newer one which did not ask for them.

    Reading payments takes a request an order, and meanwhile a sweep may show the order. None: nothing is new, or the
    refunds that are known were read later.
    """
    if not isinstance(sighting, SeenOrder) or not tells_payments(sighting):
        return None
    if known.refunds_read_at is not None and sighting.seen_at <= known.refunds_read_at:
        return None
    refunds = refunds_of(sighting, known)
    if refunds == known.refunds:
        return None
    return replace(known, version=known.version + 1, refunds=refunds, refunds_read_at=sighting.seen_at)


def with_known(seen: SeenOrder, known: Order | None) -> SeenOrder:
    """Give a sighting that was not asked for payments with what was read of them, while they are the same ways to pay.

    Of a way that it names itself its own word counts, as far as it says one.
    """
    if tells_payments(seen) or known is None or known.refunds_read_at is None:
        return seen
    own = {payment.code: payment for payment in seen.payments}
    told = json.loads(known.sheet).get("payments") or ()
    if not own.keys() <= {one["code"] for one in told}:
        return seen
    before = _PAYMENTS.validate_python([{**one, "details": {}} for one in told])
    return replace(seen, payments=tuple(_joined(payment, own.get(payment.code)) for payment in before))


def bytes_of(refunds: tuple[OrderRefund, ...]) -> bytes:
    """Give refunds as bytes that are equal where they are; none where there are none."""
    return _REFUNDS.dump_json(refunds) if refunds else b""


def _joined(told: Payment, own: Payment | None) -> Payment:
    if own is None:
        return told
    status = told.status if own.status is PaymentStatus.UNKNOWN else own.status
    return replace(own, external_id=told.external_id, amount=own.amount or told.amount, status=status)


def _refund(payment: Payment, refund: Refund) -> OrderRefund:
    return OrderRefund(
        payment_id=payment.external_id,
        method=payment.method,
        amount=stated(refund.amount) if refund.amount else None,
        status=refund.status.value,
        status_text=refund.status_text,
        requested_at=refund.requested.at if refund.requested else None,
        completed_at=refund.completed.at if refund.completed else None,
        details=dict(refund.details),
    )
