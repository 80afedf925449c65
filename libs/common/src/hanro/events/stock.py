"""Facts of catalog-svc about stock; each restates the SKU."""

from typing import ClassVar, Literal

from pydantic import Field

from hanro.events.fact import Fact


class StockFact(Fact):
    """Restate the stock of a SKU; the aggregate is its id (`stk_…`). on hand - committed = available, never below 0."""

    topic: ClassVar[str] = "hanro.stock"

    sku: str
    """The join key of catalogue, stock and lines."""
    on_hand: int = Field(ge=0)
    """Units in the house."""
    committed: int = Field(ge=0)
    """Units reserved for open orders."""
    available: int = Field(ge=0)
    """on hand - committed."""
    safety_buffer: int = Field(ge=0)
    """Units that are never offered."""
    short_count: int = Field(ge=0)
    """Units that open orders want beyond stock."""
    cause: Literal["set", "movement", "order", "mapping"]
    """What changed it."""
    order_id: str | None = None
    """The order behind it, where one is."""


class StockChanged(StockFact):
    """The units in the house or the buffer were set or moved."""

    type: ClassVar[str] = "hanro.stock.changed.v1"


class StockReserved(StockFact):
    """More units are held for orders than before."""

    type: ClassVar[str] = "hanro.stock.reserved.v1"


class StockReleased(StockFact):
    """Fewer units are held for orders than before: shipped or cancelled."""

    type: ClassVar[str] = "hanro.stock.released.v1"


class OversellRisked(StockFact):
    """Open orders want more than there is: `short_count` grew."""

    type: ClassVar[str] = "hanro.stock.oversell_risked.v1"
