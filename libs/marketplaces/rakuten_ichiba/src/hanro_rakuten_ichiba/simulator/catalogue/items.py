"""Answers ItemAPI 2.0 for a shop that has no items: nothing is found, and what lacks a mandatory field is refused."""

from collections.abc import Mapping

from hanro_rakuten_ichiba.simulator.catalogue.refusals import (
    Body,
    check_number,
    mandatory,
    missing,
    not_found,
    not_played,
    read_body,
    refuse,
)
from hanro_rakuten_ichiba.simulator.messages import Answer

_MANDATORY = ("title", "itemType", "genreId", "variants")
_MOST_HITS, _MOST_OFFSET, _MOST_NUMBERS = 100, 10_000, 50


def answer_items(
    function: str, arguments: Mapping[str, str], query: Mapping[str, str], content: bytes, method: str
) -> Answer:
    """Answer one call. Source: rakuten-ichiba-catalog 2.1, 2.8 to 2.12; the order of checks 11 [?]."""
    body = read_body(content) if method in ("POST", "PUT", "PATCH") else {}
    if isinstance(body, Answer):
        return body
    number = arguments.get("manageNumber", "").lower()
    refusal = check_number(number) if "manageNumber" in arguments else None
    if refusal is not None:
        return refusal
    match function:
        case "items.search":
            return _search(query)
        case "items.bulk.get":
            return _bulk_get(body)
        case "items.upsert":
            return missing(name for name in _MANDATORY if body.get(name) in (None, "", {})) or not_played()
        case _:
            # get, patch, delete and the settings of an item: there is none.
            return not_found(f"manageNumber={number}")


def _search(query: Mapping[str, str]) -> Answer:
    if "cursorMark" in query and "offset" in query:
        return refuse(400, ("IE1003", "Only one of offset and cursorMark can be registered.", None))
    sorted_by = next((key for key in ("sortKey", "sortOrder") if key in query), None)
    if "cursorMark" in query and sorted_by is not None:
        return refuse(400, ("IE1004", f"When cursorMark is set, {sorted_by} cannot be registered.", None))
    hits, offset = query.get("hits", "10"), query.get("offset", "0")
    if not _is_within(hits, 1, _MOST_HITS) or not _is_within(offset, 0, _MOST_OFFSET):
        return refuse(400, ("IE1005", "Invalid request parameter.", None))
    found: dict[str, object] = {"numFound": 0, "offset": int(offset)}
    if "cursorMark" in query:
        found["nextCursorMark"] = query["cursorMark"]
    return Answer(200, {**found, "results": []})


def _bulk_get(body: Body) -> Answer:
    numbers = body.get("manageNumbers")
    if not isinstance(numbers, list) or not numbers:
        return mandatory("manageNumbers")
    if len(numbers) > _MOST_NUMBERS:
        return refuse(400, ("IE1101", "manageNumbers exceeds the maximum number of entries allowed.", "manageNumbers"))
    twice = next((one for place, one in enumerate(numbers) if one in numbers[:place]), None)
    if twice is not None:
        text = f"There are multiple occurrences of the same manageNumber : {twice}"
        return refuse(400, ("IE1106", text, "manageNumbers"))
    return Answer(200, {"results": []})


def _is_within(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_OFFSET)) and least <= int(text) <= most
