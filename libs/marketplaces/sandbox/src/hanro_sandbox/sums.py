"""Checks an order's sums: what does not add up is told, never repaired."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

from hanro.marketplace.types import Amount, Difference, SeenOrder
from hanro.money import Money
from hanro_sandbox.fields import CURRENCY


def differences(order: SeenOrder) -> SeenOrder:
    """Give the order with the sums that do not add up; an amount that is not decided leaves its sum unchecked."""
    totals = order.totals
    checks = [("line total", line.total, _times(line.unit_price, line.quantity)) for line in order.lines]
    checks += [
        ("goods", totals.goods, _sum(line.total for line in order.lines)),
        ("postage", totals.postage, _sum(package.postage for package in order.packages)),
        ("total", totals.total, _sum((totals.goods, totals.postage, totals.payment_fee))),
        ("taxes", totals.total, _sum(row.gross for row in order.taxes)),
        ("payout", totals.payable, _sum((totals.payout, totals.seller_fee))),
    ]
    found = [
        Difference(rule=rule, stated=stated.money, computed=computed)
        for rule, stated, computed in checks
        if stated is not None and stated.money is not None and computed is not None and stated.money != computed
    ]
    return replace(order, differences=tuple(found))


def _times(price: Amount, count: int) -> Money | None:
    return None if price.money is None else price.money * count


def _sum(amounts: Iterable[Amount | None]) -> Money | None:
    """Add up; None where one is not decided or not stated."""
    found = [None if one is None else one.money for one in amounts]
    moneys = [one for one in found if one is not None]
    if len(moneys) < len(found) or not moneys:
        return None
    return reduce(lambda one, other: one + other, moneys, Money(moneys[0].amount * 0, CURRENCY))
