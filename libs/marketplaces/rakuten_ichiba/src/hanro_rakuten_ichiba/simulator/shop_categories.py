"""Holds a shop's own categories: sets, each with one tree."""

from collections.abc import Iterator
from dataclasses import dataclass, field

DEFAULT_SET = "0"
MOST_CHILDREN = 30
LONGEST_TITLE_BYTES = 60


@dataclass
class Node:
    """State one category and what is below it."""

    category_id: str
    title: str
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """Give it and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def to_json(self) -> dict[str, object]:
        """Give it as a control writes it."""
        return {
            "category_id": self.category_id,
            "title": self.title,
            "children": [child.to_json() for child in self.children],
        }


@dataclass
class CategorySet:
    """State one set; "0" is the default one. Source: rakuten-ichiba-catalog 5.1."""

    set_id: str
    title: str
    nodes: list[Node] = field(default_factory=list)
    created: str = "2026-01-10T09:00:00+09:00"
    updated: str = "2026-03-01T09:00:00+09:00"

    def find(self, category_id: str) -> Node | None:
        """Give the category of that id, None when there is none."""
        return next((one for node in self.nodes for one in node.walk() if one.category_id == category_id), None)

    def to_json(self) -> dict[str, object]:
        """Give it as a control writes it."""
        return {"set_id": self.set_id, "title": self.title, "children": [node.to_json() for node in self.nodes]}


def default_categories() -> dict[str, CategorySet]:
    """Give what a new shop has; the values are invented."""
    shirts = Node("1234567892", "Tシャツ")
    return {DEFAULT_SET: CategorySet(DEFAULT_SET, "通常", [Node("1234567891", "トップス", [shirts])])}


def show_sets(sets: dict[str, CategorySet], fields: frozenset[str]) -> dict[str, object]:
    """Answer category-set-lists.get: ids alone, or the fields asked for. Source: rakuten-ichiba-catalog 5.1 [1]."""
    if not fields:
        return {"categorySetKeyList": list(sets)}
    return {"categorySetList": [{"categorySetId": one.set_id, **_of_set(one, fields)} for one in sets.values()]}


def show_tree(one: CategorySet, set_fields: frozenset[str], fields: frozenset[str]) -> dict[str, object]:
    """Answer category-trees.get: bare ids, or a category object with the fields asked for. Source: as above [1]."""
    return {
        "categorySetId": one.set_id,
        **{name: value for name, value in _of_set(one, set_fields).items() if name == "title"},
        "rootNode": {"children": [_show_node(node, one, fields) for node in one.nodes]},
        "created": one.created,
        "updated": one.updated,
    }


def _of_set(one: CategorySet, fields: frozenset[str]) -> dict[str, object]:
    found = {"TITLE": ("title", one.title), "CREATED": ("created", one.created), "UPDATED": ("updated", one.updated)}
    return {name: value for asked, (name, value) in found.items() if asked in fields}


def _show_node(node: Node, one: CategorySet, fields: frozenset[str]) -> dict[str, object]:
    members: dict[str, object] = {"categoryId": node.category_id}
    found = {
        "CATEGORY_SET_ID": ("categorySetId", one.set_id),
        "TITLE": ("title", node.title),
        "CATEGORY_FEATURES": ("categoryFeatures", {"display": True, "categoryPageViewMode": "GALLERY"}),
        "CREATED": ("created", one.created),
        "UPDATED": ("updated", one.updated),
    }
    members |= {name: value for asked, (name, value) in found.items() if asked in fields}
    shown: dict[str, object] = {"category": members} if fields else members
    if node.children:
        shown["children"] = [_show_node(child, one, fields) for child in node.children]
    return shown
