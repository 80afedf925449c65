"""Holds what every other value is made of: ids, amounts, moments, windows and the limits of texts."""

from datetime import datetime
from typing import NewType, TypeVar

from hanro.marketplace.types.enums.linking import LengthUnit, Markup
from hanro.money import Money
from hanro.value import value

MarketplaceId = NewType("MarketplaceId", str)
"""A plug-in's id: its folder, entry point and package suffix."""

Cursor = NewType("Cursor", str)
"""The plug-in's own, at most 2 kB; one that it cannot read starts the window anew."""

K = TypeVar("K")


@value
class Amount:
    """Hold what they said: `text` verbatim ("1980.0000", "-9999").

    `money` is None where it is not decided (a sentinel); 0 is a decided zero.
    """

    text: str
    money: Money | None


@value
class Moment:
    """Hold an instant (`at`, aware, UTC) and its characters there (`local`).

    A text without offset is read in the plug-in's zone; of an ambiguous hour the earlier one is meant.
    """

    at: datetime
    local: str


@value
class Window:
    """Hold a stretch of time: `start` belongs to it, `end` does not. Both are aware, UTC."""

    start: datetime
    end: datetime


@value
class TextRule:
    """Limit an outward text; used at the outward edge only, never on what is stored.

    `max_length` counts in `unit`, None is no limit. `charset` is the codec that every character must fit (cp932,
    iso-8859-1). `pattern` must match whole; `refused` is a character class that is never sent. `folds` are replaced
    before sending and shown in previews: ("①", "(1)").
    """

    max_length: int | None
    unit: LengthUnit
    charset: str
    pattern: str | None = None
    refused: str | None = None
    folds: tuple[tuple[str, str], ...] = ()
    markup: Markup = Markup.NONE
