"""Reads what an order costs and how it is paid."""

from decimal import Decimal

from hanro.marketplace.types import (
    Discount,
    DiscountKind,
    Party,
    Payment,
    PaymentStatus,
    TaxRow,
    Totals,
    Wrapping,
)
from hanro_rakuten_ichiba.mapping.fields import (
    Misread,
    Tree,
    amount,
    each,
    flag,
    optional_amount,
    optional_day,
    optional_decimal,
    optional_text,
    stated,
    text,
    whole,
    within,
)

_NOT_BOUND = "0"
_PAYMENT_DUE = "0"
# couponCapitalCode: rakuten-ichiba-orders 5.11.
_COUPON_PAYERS = {"1": Party.SELLER, "2": Party.MANUFACTURER, "3": Party.MARKETPLACE}
_WRAPPING_KINDS = {"1": "包装紙", "2": "リボン"}


def read_totals(order: Tree, *, is_goods_tax_included: bool | None) -> Totals:
    """Read the order's sums; goodsPrice holds tax only where its items do (8.4)."""
    return Totals(
        goods=amount(order, "goodsPrice"),
        postage=amount(order, "postagePrice"),
        cash_on_delivery_fee=amount(order, "deliveryPrice"),
        payment_fee=optional_amount(order, "paymentCharge"),
        buyer_fee=optional_amount(order, "additionalFeeOccurAmountToUser"),
        seller_fee=optional_amount(order, "additionalFeeOccurAmountToShop"),
        total=amount(order, "totalPrice"),
        payable=amount(order, "requestPrice"),
        payout=None,
        is_goods_tax_included=is_goods_tax_included,
    )


def read_taxes(order: Tree) -> tuple[TaxRow, ...]:
    """Read TaxSummaryModelList; nothing for orders before 2019-07-30 (5.2)."""
    return each(order, "TaxSummaryModelList", _read_tax)


def read_discounts(order: Tree) -> tuple[Discount, ...]:
    """Read coupons, and points where any were used; the marketplace pays for points."""
    coupons = each(order, "CouponModelList", _read_coupon)
    points = within(order, "PointModel", _read_points)
    return coupons if points is None else (*coupons, points)


def read_wrappings(order: Tree) -> tuple[Wrapping, ...]:
    """Read paper and ribbon that were not taken back."""
    found = (within(order, key, _read_wrapping) for key in ("WrappingModel1", "WrappingModel2"))
    return tuple(wrapping for wrapping in found if wrapping is not None)


def read_payments(order: Tree) -> tuple[Payment, ...]:
    """Read SettlementModel; what was paid when stands in getPayment. Holder and number of a card stay in `raw`."""
    due = each(order, "DueDateModelList", lambda entry: entry)
    # Entries are appended, never overwritten (5.14): the last one counts.
    of_payment = [entry for entry in due if optional_text(entry, "dueDateType") == _PAYMENT_DUE]
    due_on = optional_day(of_payment[-1], "dueDate") if of_payment else None

    def read(model: Tree) -> Payment:
        return Payment(
            method=text(model, "settlementMethod"),
            code=optional_text(model, "settlementMethodCode"),
            status=PaymentStatus.UNKNOWN,
            is_run_by_marketplace=flag(model, "rpaySettlementFlag"),
            due_on=due_on,
            details=stated(model, "cardName", "cardPayType", "cardInstallmentDesc"),
        )

    payment = within(order, "SettlementModel", read)
    return () if payment is None else (payment,)


def _read_tax(row: Tree) -> TaxRow:
    details = {"total": "totalPrice", "payment_fee": "paymentCharge", "coupons": "couponPrice", "points": "point"}
    found = {name: optional_amount(row, key) for name, key in details.items()}
    return TaxRow(
        rate=_rate(row),
        gross=amount(row, "reqPrice"),
        tax=amount(row, "reqPriceTax"),
        details={name: part for name, part in found.items() if part is not None},
    )


def _rate(row: Tree) -> Decimal:
    rate = optional_decimal(row, "taxRate")
    if rate is None:
        raise Misread("/taxRate", "is missing")
    return rate


def _read_coupon(coupon: Tree) -> Discount:
    payer = _COUPON_PAYERS.get(text(coupon, "couponCapitalCode"))
    if payer is None:
        raise Misread("/couponCapitalCode", "is none of the documented codes")
    line_id = optional_text(coupon, "itemDetailId")
    return Discount(
        kind=DiscountKind.COUPON,
        paid_by=payer,
        amount=amount(coupon, "couponTotalPrice"),
        name=optional_text(coupon, "couponName") or "",
        code=optional_text(coupon, "couponCode"),
        line_id=None if line_id in (None, _NOT_BOUND) else line_id,
        unit_count=whole(coupon, "couponUnit") if coupon.get("couponUnit") is not None else None,
    )


def _read_points(model: Tree) -> Discount | None:
    used = amount(model, "usedPoint")
    if used.money is not None and not used.money.amount:
        return None
    return Discount(kind=DiscountKind.POINTS, paid_by=Party.MARKETPLACE, amount=used)


def _read_wrapping(model: Tree) -> Wrapping | None:
    if flag(model, "deleteWrappingFlag"):
        return None
    title = optional_text(model, "title") or ""
    return Wrapping(
        name=optional_text(model, "name") or "",
        kind=_WRAPPING_KINDS.get(title, title),
        price=optional_amount(model, "price"),
        tax_rate=optional_decimal(model, "taxRate"),
        tax=optional_amount(model, "taxPrice"),
        is_tax_included=flag(model, "includeTaxFlag"),
    )
