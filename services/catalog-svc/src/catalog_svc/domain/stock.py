"""Says what the stock of a SKU is, and how a fact restates it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hanro.errors import Rejected
from hanro.events.stock import OversellRisked, StockChanged, StockFact, StockReleased, StockReserved

# What a column of four bytes holds, with room for what orders want beyond it.
MOST_UNITS = 2_000_000_000

Cause = Literal["set", "movement", "order", "mapping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Be the stock of one SKU: on hand - committed = available >= 0; `short_count` is wanted beyond it."""

    id: str
    sku: str
    version: int
    on_hand: int
    committed: int
    safety_buffer: int
    short_count: int

    @property
    def available(self) -> int:
        """Give the units that nobody holds."""
        return self.on_hand - self.committed


def counted(stock: Stock, *, on_hand: int, safety_buffer: int) -> Stock:
    """Give the stock after a count; unchanged figures give an equal stock.

    Raises:
        Rejected: fewer units than open orders hold; code "refused".
    """
    if on_hand < stock.committed:
        raise Rejected(
            f"open orders hold {stock.committed} units of this SKU: on hand cannot be {on_hand}",
            code="refused",
            field="on_hand",
        )
    return replace(stock, on_hand=on_hand, safety_buffer=safety_buffer)


def moved(stock: Stock, delta: int) -> Stock:
    """Give the stock after units came (positive) or left (negative) the house.

    Raises:
        Rejected: fewer units than open orders hold, or more than 2,000,000,000; code "refused".
    """
    if stock.on_hand + delta > MOST_UNITS:
        raise Rejected(f"a SKU holds {MOST_UNITS} units at most", code="refused", field="delta")
    if stock.on_hand + delta < stock.committed:
        raise Rejected(
            f"{stock.on_hand} units are in the house, {stock.committed} of them held for orders: {-delta} cannot leave",
            code="refused",
            field="delta",
        )
    return replace(stock, on_hand=stock.on_hand + delta)


def restated(
    before: Stock, after: Stock, *, at: datetime, cause: Cause, order_id: str | None
) -> tuple[Stock, list[StockFact]]:
    """Give the stock with its new version, and the facts that tell the change; none where nothing changed.

    One fact raises the version by one. Units held tell more than units in the house; a shortage that grew is told too.
    """
    kinds: list[type[StockFact]] = []
    if after.committed > before.committed:
        kinds.append(StockReserved)
    elif after.committed < before.committed:
        kinds.append(StockReleased)
    elif after != before:
        kinds.append(StockChanged)
    if after.short_count > before.short_count:
        # Nothing else changed: the shortage is all there is to tell.
        kinds = [kind for kind in kinds if kind is not StockChanged] + [OversellRisked]
    facts: list[StockFact] = []
    stock = after
    for kind in kinds:
        stock = replace(stock, version=stock.version + 1)
        facts.append(
            kind(
                id=stock.id,
                version=stock.version,
                at=at,
                sku=stock.sku,
                on_hand=stock.on_hand,
                committed=stock.committed,
                available=stock.available,
                safety_buffer=stock.safety_buffer,
                short_count=stock.short_count,
                cause=cause,
                order_id=order_id,
            )
        )
    return stock, facts
