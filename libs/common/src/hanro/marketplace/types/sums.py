"""Holds what an order costs and how it is paid, as the marketplace states it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from hanro.marketplace.types.enums.orders import DiscountKind, Party, PaymentStatus, RefundStatus
from hanro.marketplace.types.plain import Amount, Moment
from hanro.money import Money
from hanro.value import hidden, value


@value
class Discount:
    """Hold what lowers the price, and who pays for it; `line_id` None: of the whole order."""

    kind: DiscountKind
    paid_by: Party
    amount: Amount
    name: str = ""
    code: str | None = None
    line_id: str | None = None
    unit_count: int | None = None


@value
class Refund:
    """Hold money that goes back to the buyer, as the record of its payment states it; it cancels no unit.

    `amount` is what goes back, in their own sign; `completed` when it was done. `details` by their own names, nothing
    personal. It has no id: a later look restates all refunds of the payment.

    Source: rakuten-ichiba-orders 4.18 [1].
    """

    amount: Amount | None
    status: RefundStatus
    status_text: str
    requested: Moment | None = None
    completed: Moment | None = None
    details: Mapping[str, str]


@value
class Payment:
    """Hold one way of payment; `is_run_by_marketplace`: the seller need not collect anything.

    `external_id` and `refunds` stand in payment records (READ_PAYMENTS), never in an order that lacks PAYMENT.
    """

    method: str
    code: str | None
    status: PaymentStatus
    is_run_by_marketplace: bool
    amount: Amount | None = None
    due_on: date | None = None
    external_id: str | None = None
    refunds: tuple[Refund, ...] = ()
    details: Mapping[str, str]

    __repr__ = hidden


@value
class TaxRow:
    """Hold the sums of one tax rate; `details`: total, payment_fee, coupons, points of that rate."""

    rate: Decimal
    gross: Amount
    tax: Amount
    details: Mapping[str, Amount]


@value
class Totals:
    """Hold their totals; None where they state none, order-svc then sums lines and says so.

    `payable` is by the buyer, `payout` to the seller.
    """

    goods: Amount | None
    postage: Amount | None
    cash_on_delivery_fee: Amount | None
    payment_fee: Amount | None
    buyer_fee: Amount | None
    seller_fee: Amount | None
    total: Amount | None
    payable: Amount | None
    payout: Amount | None
    is_goods_tax_included: bool | None


@value
class Difference:
    """Report a sum that does not add up; never repaired. `rule` names the sum."""

    rule: str
    stated: Money
    computed: Money


@value
class Wrapping:
    """Hold a wrapping that the buyer chose."""

    name: str
    kind: str
    price: Amount | None
    tax_rate: Decimal | None
    tax: Amount | None
    is_tax_included: bool
