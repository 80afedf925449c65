"""Answers InventoryAPI 2.0 and 2.1 for a shop without stock records: none is found, none is made."""

from collections.abc import Iterator, Mapping

from hanro_rakuten_ichiba.simulator.catalogue.refusals import (
    Body,
    check_number,
    check_variant,
    mandatory,
    missing,
    not_found,
    not_played,
    read_body,
    refuse,
)
from hanro_rakuten_ichiba.simulator.messages import Answer

_PAIR = ("manageNumber", "variantId")
_WRITTEN = ("mode", "quantity")
_MOST_READ, _MOST_WRITTEN, _MOST_QUANTITY = 1000, 400, 99_999
_NEEDED = "One or both of minQuantity and maxQuantity query parameters is/are required."


def answer_inventories(
    function: str, arguments: Mapping[str, str], query: Mapping[str, str], content: bytes, method: str
) -> Answer:
    """Answer one call. Source: rakuten-ichiba-catalog 3.1 to 3.4; the order of checks 11 [?]."""
    body = read_body(content) if method in ("POST", "PUT") else {}
    if isinstance(body, Answer):
        return body
    if "manageNumber" in arguments:
        return _answer_one(function, arguments["manageNumber"].lower(), arguments.get("variantId"), body)
    match function:
        case "inventories.bulk.get":
            return _bulk(body, _PAIR, _MOST_READ) or Answer(200, {"inventories": []})
        case "inventories.bulk.upsert":
            return _bulk(body, (*_PAIR, *_WRITTEN), _MOST_WRITTEN) or not_played()
        case _:
            return _range(query)


def _answer_one(function: str, number: str, variant: str | None, body: Body) -> Answer:
    """Answer a call whose path names an item, and a variant of it unless all are asked for."""
    if variant is None:
        return check_number(number) or not_found(f"manageNumber={number}")
    refusal = check_variant(number, variant)
    if refusal is None and function == "inventories.variants.upsert":
        return missing(name for name in _WRITTEN if body.get(name) is None) or not_played()
    return refusal or not_found(f"manageNumber={number}, variantId={variant}")


def _bulk(body: Body, needed: tuple[str, ...], most: int) -> Answer | None:
    entries = body.get("inventories")
    if not isinstance(entries, list) or not entries:
        return mandatory("inventories")
    if len(entries) > most:
        return refuse(400, ("IE1101", "inventories exceeds the maximum number of entries allowed.", "inventories"))
    return missing(_lacking(entries, needed)) or _twice(entries)


def _lacking(entries: list[object], needed: tuple[str, ...]) -> Iterator[str]:
    for place, entry in enumerate(entries):
        known = entry if isinstance(entry, dict) else {}
        yield from (f"inventories[{place}].{name}" for name in needed if known.get(name) in (None, ""))


def _twice(entries: list[object]) -> Answer | None:
    seen = set()
    for entry in entries:
        pair = tuple(str(entry.get(name)) for name in _PAIR) if isinstance(entry, dict) else ()
        if pair in seen:
            text = f"There are multiple occurrences of the same manageNumber and variantId : {', '.join(pair)}"
            return refuse(400, ("IE1102", text, None))
        seen.add(pair)
    return None


def _range(query: Mapping[str, str]) -> Answer:
    asked = {name: query[name] for name in ("minQuantity", "maxQuantity") if name in query}
    if not asked:
        return refuse(400, ("IE0105", _NEEDED, None))
    for name, text in asked.items():
        if not text.removeprefix("-").isdecimal():
            return refuse(400, ("IE0002", f"{name} has an invalid value : {text}.", name))
        if not 0 <= int(text[:12]) <= _MOST_QUANTITY:
            return refuse(400, ("IE0003", f"{name} must be between 0 and {_MOST_QUANTITY}.", name))
    if int(asked.get("minQuantity", "0")) > int(asked.get("maxQuantity", str(_MOST_QUANTITY))):
        return refuse(400, ("IE0113", "minQuantity value, must be smaller than maxQuantity.", None))
    return Answer(200, {"inventories": []})
