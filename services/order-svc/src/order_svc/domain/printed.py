"""Turns texts and amounts into what can be printed: no character that hides or reorders others."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

MISSING = "〓"
"""What Japanese printers set where they have no type."""

UNDECIDED = "未確定"
_SIGNS = {"JPY": "¥"}
# What turns the direction of writing: a number behind it would be read backwards.
_TURNS = re.compile("[\N{ARABIC LETTER MARK}\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(found: Any) -> Any:
    """Give the same lists and maps with every text printable: what cannot be seen reads 〓."""
    match found:
        case str():
            return _printable(found)
        case Mapping():
            return {key: printable(inner) for key, inner in found.items()}
        case list() | tuple():
            return [printable(inner) for inner in found]
    return found


def price(amount: Mapping[str, Any] | None, *, times: int = 1, is_negative: bool = False) -> str:
    """Give an amount as people read it: ¥1,980, 12.50 EUR, -¥300; 未確定 where it is not decided."""
    money = amount["money"] if amount else None
    if money is None or money["amount"] is None:
        return UNDECIDED
    found = Decimal(money["amount"]) * times
    if is_negative:
        found = -abs(found)
    digits = f"{abs(found):,f}"
    sign = "-" if found < 0 else ""
    currency = money["currency"]
    return f"{sign}{_SIGNS[currency]}{digits}" if currency in _SIGNS else f"{sign}{digits} {currency}"


def percent(rate: object) -> str:
    """Give a rate such as 0.08 as 8%."""
    return f"{(Decimal(str(rate)) * 100).normalize():f}%"


def _printable(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(one if one == "\n" or not _is_hidden(one) else MISSING for one in lines)


def _is_hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} or _TURNS.match(character) is not None
    )
