"""Gives what an order costs and how it is paid the form that callers see."""

from datetime import date
from typing import Literal

from hanro.marketplace.types import DiscountKind, Party, PaymentStatus
from hanro.web.shapes import Shown


class MoneyShown(Shown):
    """A decided amount."""

    amount: str
    """Decimal string; JPY whole, EUR with two places."""
    currency: str
    """ISO 4217."""


class AmountShown(Shown):
    """An amount as the marketplace states it."""

    text: str
    """Its characters, verbatim: "1980.0000", "-9999"."""
    money: MoneyShown | None
    """What they mean; null: not decided (a sentinel stands there), which is not zero."""


class SummedTotal(Shown):
    """A total that the marketplace does not state, summed here from what it states of the parts."""

    amount: str
    """Decimal string."""
    currency: str
    """ISO 4217."""
    is_tax_included: bool | None
    """Whether the tax is in it; null: the marketplace does not say."""
    is_summed: Literal[True] = True
    """Always true: no marketplace said this amount."""


class TotalsStated(Shown):
    """The totals as the marketplace states them; null: it states none."""

    goods: AmountShown | None = None
    """Lines and wrappings; tax as `is_goods_tax_included` says."""
    postage: AmountShown | None = None
    """Postage of all destinations."""
    cash_on_delivery_fee: AmountShown | None = None
    """What the carrier takes for collecting the money."""
    payment_fee: AmountShown | None = None
    """What the way of payment costs the buyer."""
    buyer_fee: AmountShown | None = None
    """What the buyer pays on top besides."""
    seller_fee: AmountShown | None = None
    """What the seller pays besides."""
    total: AmountShown | None = None
    """Goods and postage, before discounts."""
    payable: AmountShown | None = None
    """What the buyer pays."""
    payout: AmountShown | None = None
    """What the seller gets."""
    is_goods_tax_included: bool | None = None
    """Whether `goods` hold their tax; null: not stated, or some lines do and some do not."""


class TaxStated(Shown):
    """The sums of one tax rate, as stated."""

    rate: str
    """Decimal string: "0.1" is ten per cent; their characters."""
    gross: AmountShown
    """What is due at that rate, tax included."""
    tax: AmountShown
    """The tax in it; shops choose how it is rounded."""
    details: dict[str, AmountShown]
    """What makes it up, by name: `total`, `payment_fee`, `coupons`, `points`."""


class DiscountStated(Shown):
    """What lowers the price."""

    kind: DiscountKind
    """`coupon`, `points` or `promotion`."""
    paid_by: Party
    """Who bears it."""
    amount: AmountShown
    """By how much, as a positive amount."""
    name: str
    """Its name there; may be empty."""
    code: str | None
    """Its code there."""
    line_id: str | None
    """The marketplace's id of the line it is for; null: the whole order."""
    unit_count: int | None
    """How often it was used; null: not stated."""


class DifferenceShown(Shown):
    """A stated sum that its parts do not add up to: reported, never repaired."""

    rule: str
    """The marketplace's name of the sum."""
    stated: MoneyShown
    """What it says."""
    computed: MoneyShown
    """What its parts add up to."""


class WrappingStated(Shown):
    """A wrapping that the buyer chose."""

    name: str
    """Its name there."""
    kind: str
    """What it is there: paper, ribbon …"""
    price: AmountShown | None
    """Tax in or out as `is_tax_included` says; null: not stated."""
    tax_rate: str | None
    """Decimal string; null: not stated."""
    tax: AmountShown | None
    """Its tax; null: not stated."""
    is_tax_included: bool
    """Whether `price` holds the tax."""


class PaymentStated(Shown):
    """One way of payment, without what is personal about it."""

    method: str
    """Its name there."""
    code: str | None
    """Its code there."""
    status: PaymentStatus
    """How far it is; `unknown` where the marketplace states nothing."""
    is_run_by_marketplace: bool
    """True: the seller need not collect anything."""
    amount: AmountShown | None
    """What is paid this way; null: not stated."""
    due_on: date | None
    """The last day to pay; null: not stated."""
    external_id: str | None = None
    """Its id there, which `refunds` name; null: not told."""


class PaymentShown(PaymentStated):
    """One way of payment, whole."""

    details: dict[str, str]
    """What the marketplace says besides, by its own names: brand of a card, number of instalments."""
