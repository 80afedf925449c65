"""Checks the sums of an order; what does not add up is reported and stays as it was stated."""

from collections.abc import Iterable
from decimal import Decimal

from hanro.marketplace.types import (
    Amount,
    Difference,
    Discount,
    DiscountKind,
    Line,
    Package,
    Party,
    TaxRow,
    Totals,
    Wrapping,
)
from hanro.money import Money
from hanro_rakuten_ichiba.mapping.fields import CURRENCY, Tree, optional_amount

Sum = tuple[str, Decimal | None, Decimal | None]
_ZERO, _ONE = Decimal(), Decimal(1)


def find_differences(
    order: Tree,
    totals: Totals,
    *,
    lines: tuple[Line, ...],
    packages: tuple[Package, ...],
    wrappings: tuple[Wrapping, ...],
    discounts: tuple[Discount, ...],
    taxes: tuple[TaxRow, ...],
) -> tuple[Difference, ...]:
    """Compare each stated sum with its parts; a sum of which anything is undecided or not stated is left out.

    Source: rakuten-ichiba-orders 8.4 [wire].
    """
    coupons = [one for one in discounts if one.kind is DiscountKind.COUPON]
    points = [one.amount for one in discounts if one.kind is DiscountKind.POINTS]
    by_shop = [one.amount for one in coupons if one.paid_by is Party.SELLER]
    by_others = [one.amount for one in coupons if one.paid_by is not Party.SELLER]
    all_coupons = optional_amount(order, "couponAllTotalPrice")
    sums: list[Sum] = [
        ("goodsPrice", _of(totals.goods), _goods(lines, wrappings)),
        ("postagePrice", _of(totals.postage), _sum([package.postage for package in packages])),
        (
            "deliveryPrice",
            _of(totals.cash_on_delivery_fee),
            _sum([package.cash_on_delivery_fee for package in packages]),
        ),
        ("totalPrice", _of(totals.total), _add(_goods_with_tax(lines, wrappings), _of(totals.postage))),
        (
            "requestPrice",
            _of(totals.payable),
            _subtract(
                _sum((totals.total, totals.cash_on_delivery_fee, totals.payment_fee, totals.buyer_fee)),
                _sum((all_coupons, *points)),
            ),
        ),
        ("couponShopPrice", _of(optional_amount(order, "couponShopPrice")), _sum(by_shop)),
        ("couponOtherPrice", _of(optional_amount(order, "couponOtherPrice")), _sum(by_others)),
        ("couponAllTotalPrice", _of(all_coupons), _sum((*by_shop, *by_others))),
    ]
    if taxes:
        # Points are not deducted by rate (8.4), since 2022-04-01.
        payable_before_points = _add(_of(totals.payable), _sum(points))
        sums.append(("TaxSummaryModelList.reqPrice", payable_before_points, _sum([t.gross for t in taxes])))
    found = [_compare(*one) for one in sums] + [_compare_tax(row) for row in taxes]
    return tuple(difference for difference in found if difference is not None)


def _goods(lines: Iterable[Line], wrappings: Iterable[Wrapping]) -> Decimal | None:
    parts = [_times(line.unit_price, line) for line in lines]
    parts += [_of(wrapping.price) for wrapping in wrappings]
    return _total(parts)


def _goods_with_tax(lines: Iterable[Line], wrappings: Iterable[Wrapping]) -> Decimal | None:
    parts = [_times(line.unit_price_with_tax, line) for line in lines]
    for wrapping in wrappings:
        price = _of(wrapping.price)
        parts.append(price if wrapping.is_tax_included else _add(price, _of(wrapping.tax)))
    return _total(parts)


def _compare(rule: str, stated: Decimal | None, computed: Decimal | None) -> Difference | None:
    if stated is None or computed is None or stated == computed:
        return None
    return Difference(rule=rule, stated=Money(stated, CURRENCY), computed=Money(computed, CURRENCY))


def _compare_tax(row: TaxRow) -> Difference | None:
    """Compare the tax inside a gross sum; shops choose how to round, so less than one yen is no difference."""
    gross, tax = _of(row.gross), row.tax.money
    if gross is None or tax is None:
        return None
    exact = gross * row.rate / (1 + row.rate)
    if abs(tax.amount - exact) < _ONE:
        return None
    computed = Money(Decimal(int(exact)), CURRENCY)
    return Difference(rule=f"TaxSummaryModelList.reqPriceTax {row.rate}", stated=tax, computed=computed)


def _times(price: Amount | None, line: Line) -> Decimal | None:
    amount = _of(price)
    return None if amount is None else amount * line.quantity


def _of(amount: Amount | None) -> Decimal | None:
    return None if amount is None or amount.money is None else amount.money.amount


def _sum(amounts: Iterable[Amount | None]) -> Decimal | None:
    total = _ZERO
    for amount in amounts:
        if amount is None or amount.money is None:
            return None
        total += amount.money.amount
    return total


def _total(parts: Iterable[Decimal | None]) -> Decimal | None:
    total = _ZERO
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def _add(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else first + second


def _subtract(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else first - second
