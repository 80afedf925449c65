"""Answers CategoryAPI 2.0 for a shop whose only category set is the default one, without categories."""

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

DEFAULT_SET = "0"
_MANDATORY = ("categorySetId", "title")


def answer_categories(
    function: str, arguments: Mapping[str, str], query: Mapping[str, str], content: bytes, method: str
) -> Answer:
    """Answer one call. Source: rakuten-ichiba-catalog 5.1 [2+ for paths; details 1]; the order of checks 11 [?]."""
    del query
    if "categorySetId" in arguments:
        return _answer_tree(function, arguments["categorySetId"], content)
    body = read_body(content) if method in ("POST", "PUT") else {}
    if isinstance(body, Answer):
        return body
    if "manageNumber" in arguments:
        return _answer_mapping(function, arguments["manageNumber"].lower(), body)
    if function == "categories.category-set-lists.get":
        return Answer(200, {"categorySetKeyList": [DEFAULT_SET]})
    return _answer_category(function, arguments.get("categoryId", ""), body)


def _answer_category(function: str, category_id: str, body: Body) -> Answer:
    match function:
        case "categories.shop-categories.insert":
            return _lacking(body) or not_played()
        case "categories.shop-categories.update":
            return _lacking(body) or not_found(f"categoryId:{category_id}")
        case _:
            return not_found(f"categoryId:{category_id}")


def _answer_tree(function: str, set_id: str, content: bytes) -> Answer:
    if not set_id.isdecimal():
        return refuse(400, ("IE0002", f'categorySetId has an invalid value : "{set_id}".', "categorySetId"))
    if set_id != DEFAULT_SET:
        return not_found(f"categorySetId:{set_id}")
    if function == "categories.category-trees.get":
        return Answer(200, {"categorySetId": set_id, "rootNode": {"children": []}})
    # An empty body would delete the whole tree: that is no refusal.
    body = read_body(content) if content.strip() else {}
    return body if isinstance(body, Answer) else not_played()


def _answer_mapping(function: str, number: str, body: Body) -> Answer:
    refusal = check_number(number)
    if refusal is None and function == "categories.item-mappings.upsert":
        return mandatory("categoryIds") if body.get("categoryIds") is None else not_played()
    return refusal or not_found(f"manageNumber={number}")


def _lacking(body: Body) -> Answer | None:
    return missing(name for name in _MANDATORY if body.get(name) in (None, ""))
