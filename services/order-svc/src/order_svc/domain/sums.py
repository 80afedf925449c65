"""Sums the totals that a marketplace does not state; what it does state is never touched, nor summed with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hanro.events.orders import OrderLine
from hanro.money import Money
from order_svc.domain.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """Be a total that was summed here; `is_tax_included` None: the marketplace does not say."""

    money: Money
    is_tax_included: bool | None


def sum_totals(order: Order, stated: Mapping[str, Any]) -> dict[str, Summed]:
    """Sum `goods`, `postage` and `total` where none is stated; `stated` is the order's sheet.

    Goods are lines and wrappings without cancelled units, postage that of all destinations, the total both, tax
    included. A sum is not made where any part is not stated, not decided or in another currency, and goods not where
    tax is in some prices alone.
    """
    if not order.is_readable:
        return {}
    lines = [line for line in order.lines if line.status != "cancelled" and line.quantity]
    wrappings = stated.get("wrappings") or ()
    details = {one["external_id"]: one for one in stated.get("lines") or ()}
    postages = [_money(one.get("postage")) for one in stated.get("packages") or ()]
    found = {
        "goods": _goods(lines, wrappings),
        "postage": _summed(postages, is_tax_included=None),
        "total": _summed([*_with_tax(lines, details, wrappings), *(postages or [None])], is_tax_included=True),
    }
    return {name: one for name, one in found.items() if one is not None and name not in order.totals}


def _goods(lines: Sequence[OrderLine], wrappings: Sequence[Mapping[str, Any]]) -> Summed | None:
    said = {line.is_tax_included for line in lines} | {one["is_tax_included"] for one in wrappings}
    if len(said) != 1:
        return None
    parts = [_times(_unit(line), line) for line in lines]
    return _summed([*parts, *(_money(one["price"]) for one in wrappings)], is_tax_included=said.pop())


def _with_tax(
    lines: Sequence[OrderLine], details: Mapping[str, Mapping[str, Any]], wrappings: Sequence[Mapping[str, Any]]
) -> Iterable[Money | None]:
    for line in lines:
        with_tax = details.get(line.external_id, {}).get("unit_price_with_tax")
        yield _times(_unit(line) if line.is_tax_included else _money(with_tax), line)
    for one in wrappings:
        yield _money(one["price"])
        if not one["is_tax_included"]:
            yield _money(one["tax"])


def _summed(parts: Iterable[Money | None], *, is_tax_included: bool | None) -> Summed | None:
    decided: list[Money] = []
    for part in parts:
        if part is None:
            return None
        decided.append(part)
    if len({part.currency for part in decided}) != 1:
        return None
    total = sum(decided[1:], start=decided[0])
    return Summed(money=total, is_tax_included=is_tax_included)


def _unit(line: OrderLine) -> Money | None:
    price = line.unit_price
    if price is None or price.amount is None or price.currency is None:
        return None
    return Money(Decimal(price.amount), price.currency)


def _times(unit: Money | None, line: OrderLine) -> Money | None:
    return None if unit is None else unit * line.quantity


def _money(amount: Mapping[str, Any] | None) -> Money | None:
    if amount is None or amount["money"] is None:
        return None
    return Money(Decimal(amount["money"]["amount"]), amount["money"]["currency"])
