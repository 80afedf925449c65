"""Decides by which texts an order is found: its numbers as they are, its buyer by digests alone."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

from pydantic import TypeAdapter

from hanro.marketplace.types import SeenOrder
from order_svc.domain.orders import Order

TermKind = Literal["sku", "tracking"]
BuyerKind = Literal["name", "phone"]
LONGEST = 200
JAPAN = "81"
_NO_DIGITS = re.compile(r"\D+")
# As sheets are written: without blanks.
_A_PARCEL = '"parcels":[{'
_JSON = TypeAdapter(dict[str, Any])


@lru_cache(maxsize=10_000)  # the same products are sold again and again
def term(kind: TermKind, text: str) -> str:
    """Give the form in which a number is compared: width and letter case do not count, nor hyphens of a parcel's."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    if kind == "tracking":
        folded = "".join(letter for letter in folded if letter.isalnum())
    return folded[:LONGEST]


def buyer_term(kind: BuyerKind, text: str) -> str:
    """Give the form in which a buyer's name or phone is compared: no white space; digits alone, without +81."""
    folded = unicodedata.normalize("NFKC", text)
    if kind == "name":
        return "".join(folded.split())
    digits = _NO_DIGITS.sub("", folded)
    return f"0{digits.removeprefix(JAPAN)}" if folded.lstrip().startswith(f"+{JAPAN}") else digits


def terms_of(order: Order) -> set[tuple[TermKind, str]]:
    """Give by what an order is found besides its own number: the seller's keys of its lines, its parcels' numbers."""
    keys: set[tuple[TermKind, str]] = {
        ("sku", term("sku", value)) for line in order.lines for value in line.keys.values()
    }
    numbers = {one.tracking_number for one in order.shipments if one.tracking_number} | set(_parcels(order.sheet))
    parcels: set[tuple[TermKind, str]] = {("tracking", term("tracking", number)) for number in numbers}
    found = keys | parcels
    return {one for one in found if one[1] and "\0" not in one[1]}


def buyer_terms_of(seen: SeenOrder) -> frozenset[tuple[BuyerKind, str]]:
    """Give by what a buyer is found: names and phones, also of who receives."""
    buyer = seen.buyer
    addresses = [package.address for package in seen.packages]
    if buyer is not None:
        addresses.append(buyer.address)
    people = [buyer.name if buyer else None, *(one.name for one in addresses if one)]
    # Buyer and receiver are mostly one person: the same text is folded once.
    names = {text for one in people if one for text in (one.full, one.kana) if text}
    phones = {*(buyer.phones if buyer else ()), *(phone for one in addresses if one for phone in one.phones)}
    found: set[tuple[BuyerKind, str]] = {("name", buyer_term("name", text)) for text in names}
    found |= {("phone", buyer_term("phone", phone)) for phone in phones}
    return frozenset(one for one in found if one[1])


def _parcels(sheet: str) -> Iterator[str]:
    # Most new orders have none: reading their sheets again would be a tenth of taking them in.
    if _A_PARCEL not in sheet:
        return
    stated = _JSON.validate_json(sheet)
    for package in stated.get("packages") or ():
        for parcel in package.get("parcels") or ():
            if parcel.get("number"):
                yield parcel["number"]
