"""Gives cancellations the form that callers send and see."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from hanro.marketplace.types import CancelReason
from hanro.money import Money
from hanro.web import Body, Shown
from order_svc.domain.cancellations import Cancellation, CancellationState, Units

MOST_LINES = 500
IdText = Annotated[str, Field(min_length=1, max_length=200)]


class RefundBody(Body):
    """An amount to cut."""

    amount: Annotated[Decimal, Field(gt=0, lt=Decimal(10) ** 12, max_digits=15, decimal_places=2)] = Field(
        examples=["500"]
    )
    """Decimal text, tax as the line's price."""
    currency: Literal["JPY", "EUR"] = Field(examples=["JPY"])
    """ISO 4217."""

    @model_validator(mode="after")
    def _has_its_places(self) -> "RefundBody":
        Money(self.amount, self.currency)
        return self


class CancelledUnits(Body):
    """Units of a line to cancel."""

    line_id: IdText = Field(examples=["lin_01M8K0000000000000000000000"])
    """`lin_…`, or the marketplace's id of the line."""
    quantity: Annotated[int, Field(ge=0, le=999_999_999)] = Field(examples=[1])
    """How many of it; 0 with a refund: the price alone is cut."""
    refund: RefundBody | None = None
    """An amount to cut besides, where the marketplace takes that."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> "CancelledUnits":
        if not self.quantity and self.refund is None:
            raise ValueError("units or a refund are needed")
        return self

    def units(self) -> Units:
        """Give it as a value."""
        refund = None if self.refund is None else Money(self.refund.amount, self.refund.currency)
        return Units(line_id=self.line_id, count=self.quantity, refund=refund)


class CancelBody(Body):
    """What is to be cancelled, and why. It cannot be undone at the marketplace."""

    lines: Annotated[list[CancelledUnits], Field(min_length=1, max_length=MOST_LINES)] | None = None
    """Lines and units; left out: all that is left of the order."""
    reason: CancelReason = Field(examples=["out_of_stock"])
    """Why, as marketplaces tell it apart."""
    comment: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    """A word to the buyer where the marketplace takes one; it is forgotten once the cancellation is over."""
    restock: bool | None = None
    """Whether the marketplace gives the units back to what it sells; left out: as the listing is set there."""


class CancelledShown(Shown):
    """Units of a line."""

    line_id: str
    """The marketplace's."""
    quantity: int
    """How many of it."""
    refund: str | None
    """An amount to cut, with its currency; null: none."""


class CancellationShown(Shown):
    """A cancellation that was asked for, and how far it is."""

    id: str
    """can_…"""
    order_id: str
    """ord_…"""
    operation_id: str
    """opr_…: how far it is, in detail."""
    state: CancellationState
    """`waiting` to be sent, `sent`, `applied` (a read showed it), `rejected`, `in_doubt`, `observed` (the account only
    observes).
    """
    failure: dict[str, Any] | None
    """Why it is not applied: `code` is stable, `why` a sentence, `remedy` what to do, and what the marketplace said."""
    lines: list[CancelledShown]
    """What is cancelled."""
    is_whole: bool
    """All that was left of the order."""
    reason: CancelReason
    """Why."""
    created_by: str
    """Who asked for it."""
    created_at: datetime
    """When."""


class CancellationsShown(Shown):
    """The cancellations of an order."""

    items: list[CancellationShown]
    """The first asked for first."""


def show_cancellation(cancellation: Cancellation) -> CancellationShown:
    """Show a cancellation."""
    lines = [
        {
            "line_id": one.line_id,
            "quantity": one.count,
            "refund": None if one.refund is None else f"{one.refund.amount:f} {one.refund.currency}",
        }
        for one in cancellation.units
    ]
    return CancellationShown.model_validate({**asdict(cancellation), "lines": lines})
