"""Answers CategoryAPI 2.0 for a shop's category sets: reading them, and the refusals of writing."""

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
from hanro_rakuten_ichiba.simulator.operations import Operation
from hanro_rakuten_ichiba.simulator.shop_categories import CategorySet, show_sets, show_tree

_SETS = "categories.category-set-lists.get"
_SHOWN = frozenset({_SETS, "categories.category-trees.get"})
_SET_FIELDS = frozenset({"TITLE", "CATEGORY_SET_FEATURES", "CREATED", "UPDATED"})
_FIELDS = frozenset(
    {
        *("CATEGORY_SET_ID", "TITLE", "CATEGORY_FEATURES", "DESCRIPTION", "ADDITIONALDESCRIPTION", "IMAGES", "LAYOUT"),
        *("CREATED", "UPDATED"),
    }
)
_MANDATORY = ("categorySetId", "title")


def answer_categories(
    operation: Operation, sets: dict[str, CategorySet], query: Mapping[str, str], content: bytes
) -> Answer:
    """Answer one call. Source: rakuten-ichiba-catalog 5.1 [2+ for paths; details 1]; the order of checks 11 [?]."""
    function, arguments, method = operation.function, operation.arguments, operation.method
    if method == "GET" and function in _SHOWN:
        return _show(operation, sets, query)
    if "categorySetId" in arguments:
        return _answer_tree(sets, arguments["categorySetId"], content)
    body = read_body(content) if method in ("POST", "PUT") else {}
    if isinstance(body, Answer):
        return body
    if "manageNumber" in arguments:
        return _answer_mapping(function, arguments["manageNumber"].lower(), body)
    return _answer_category(function, arguments.get("categoryId", ""), body)


def _answer_category(function: str, category_id: str, body: Body) -> Answer:
    match function:
        case "categories.shop-categories.insert":
            return _lacking(body) or not_played()
        case "categories.shop-categories.update":
            return _lacking(body) or not_found(f"categoryId:{category_id}")
        case _:
            return not_found(f"categoryId:{category_id}")


def _fields(query: Mapping[str, str], name: str, known: frozenset[str]) -> frozenset[str] | Answer:
    """Read a comma list; what is not known is refused with the choices listed (IE0007) [1]."""
    asked = frozenset(part for part in query.get(name, "").split(",") if part)
    if asked <= known:
        return asked
    choices = ", ".join(sorted(known))
    return refuse(400, ("IE0007", f"{name} must be one of [{choices}].", name))


def _check_set(sets: dict[str, CategorySet], set_id: str) -> CategorySet | Answer:
    if not set_id.isdecimal():
        return refuse(400, ("IE0002", f'categorySetId has an invalid value : "{set_id}".', "categorySetId"))
    return sets.get(set_id) or not_found(f"categorySetId:{set_id}")


def _show(operation: Operation, sets: dict[str, CategorySet], query: Mapping[str, str]) -> Answer:
    set_fields = _fields(query, "categorysetfields", _SET_FIELDS)
    fields = _fields(query, "categoryfields", _FIELDS)
    if isinstance(set_fields, Answer):
        return set_fields
    if isinstance(fields, Answer):
        return fields
    if operation.function == _SETS:
        return Answer(200, show_sets(sets, set_fields))
    found = _check_set(sets, operation.argument)
    return found if isinstance(found, Answer) else Answer(200, show_tree(found, set_fields, fields))


def _answer_tree(sets: dict[str, CategorySet], set_id: str, content: bytes) -> Answer:
    found = _check_set(sets, set_id)
    if isinstance(found, Answer):
        return found
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
