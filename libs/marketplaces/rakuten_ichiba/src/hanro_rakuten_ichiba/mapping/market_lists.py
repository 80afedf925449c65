"""Turns category sets, their trees and sub-statuses into market entries; values in, values out."""

from collections.abc import Mapping
from typing import NoReturn

from hanro.errors import ContractBroken
from hanro.marketplace.types import MarketEntry, MarketKind

Mapped = tuple[MarketEntry, ...]


def map_sets(members: Mapping[str, object]) -> Mapped:
    """Map the category sets, "set/0" being the default one; with no titles the id stands for the name.

    Raises:
        ContractBroken: neither list is there, or a set has no id.

    Source: rakuten-ichiba-catalog 5.1 [1].
    """
    sets = members.get("categorySetList")
    found = members.get("categorySetKeyList") if sets is None else sets
    if not isinstance(found, list):
        _refuse("categorySetList")
    entries = []
    for place, one in enumerate(found):
        known = one if isinstance(one, dict) else {"categorySetId": one}
        set_id = _text(known.get("categorySetId")) or _refuse(f"categorySetList/{place}/categorySetId")
        name = _text(known.get("title")) or set_id
        entries.append(
            MarketEntry(
                kind=MarketKind.CATEGORY,
                external_id=set_entry_id(set_id),
                name=name,
                is_default=set_id == "0",
                details={},
            )
        )
    return tuple(entries)


def map_tree(set_id: str, members: Mapping[str, object]) -> Mapped:
    """Map the categories of one set, parents before their children, each naming its parent.

    Raises:
        ContractBroken: there is no tree, or a category has no id.

    Source: rakuten-ichiba-catalog 5.1 [1].
    """
    root = members.get("rootNode")
    if not isinstance(root, dict):
        _refuse("rootNode")
    entries: list[MarketEntry] = []
    waiting = [(child, set_entry_id(set_id)) for child in _children(root)]
    while waiting:
        node, parent_id = waiting.pop(0)
        category = node.get("category")
        known = category if isinstance(category, dict) else node
        category_id = _text(known.get("categoryId")) or _refuse("rootNode/children/category/categoryId")
        name = _text(known.get("title")) or category_id
        entries.append(
            MarketEntry(kind=MarketKind.CATEGORY, external_id=category_id, name=name, parent_id=parent_id, details={})
        )
        waiting += [(child, category_id) for child in _children(node)]
    return tuple(entries)


def map_sub_statuses(members: Mapping[str, object]) -> Mapped:
    """Map the sub-statuses of all states of an order; null is none.

    Raises:
        ContractBroken: the list is missing, or a sub-status has no id or no name.

    Source: rakuten-ichiba-orders 4.7 [2+].
    """
    if "StatusModelList" not in members:
        _refuse("StatusModelList")
    entries = []
    for status in _list(members.get("StatusModelList"), "StatusModelList"):
        progress = _text(status.get("orderProgress")) or _refuse("StatusModelList/orderProgress")
        for one in _list(status.get("SubStatusModelList"), "StatusModelList/SubStatusModelList"):
            status_id = _text(one.get("subStatusId")) or _refuse("SubStatusModelList/subStatusId")
            name = _text(one.get("subStatusName")) or _refuse("SubStatusModelList/subStatusName")
            details = {"orderProgress": progress, "orderby": _text(one.get("orderby"))}
            entries.append(MarketEntry(kind=MarketKind.SUB_STATUS, external_id=status_id, name=name, details=details))
    return tuple(entries)


def set_entry_id(set_id: str) -> str:
    """Give the id of a set's own entry: its number alone could be a category's."""
    return f"set/{set_id}"


def _children(node: Mapping[str, object]) -> list[Mapping[str, object]]:
    return _list(node.get("children"), "rootNode/children")


def _list(found: object, where: str) -> list[Mapping[str, object]]:
    if found is None:
        return []
    if not isinstance(found, list):
        _refuse(where)
    return [one if isinstance(one, dict) else _refuse(where) for one in found]


def _text(found: object) -> str:
    return found.strip() if isinstance(found, str) else ""


def _refuse(field: str) -> NoReturn:
    raise ContractBroken("what the shop has set up cannot be read", code="unreadable", field=f"/{field}")
