"""Serves the controls of what a shop has set up in RMS: masters, sub-statuses, categories."""

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hanro_rakuten_ichiba.simulator.controls import find_shop
from hanro_rakuten_ichiba.simulator.market import Market
from hanro_rakuten_ichiba.simulator.shop_categories import LONGEST_TITLE_BYTES, MOST_CHILDREN, CategorySet, Node
from hanro_rakuten_ichiba.simulator.shop_set_up import RESOURCES, Entry

MemberName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]


def _check_title(title: str) -> str:
    if sum(1 if letter.isascii() else 2 for letter in title) > LONGEST_TITLE_BYTES:
        raise ValueError(f"a title has at most {LONGEST_TITLE_BYTES} bytes")
    return title


Title = Annotated[str, Field(min_length=1), AfterValidator(_check_title)]


class SubStatusSetting(BaseModel):
    """Hold the shop's sub-statuses as getSubStatusList shows them."""

    model_config = ConfigDict(extra="forbid")

    status_models: list[dict[str, object]]


class ResourceSetting(BaseModel):
    """Hold the entries of one resource of the shop family."""

    model_config = ConfigDict(extra="forbid")

    entries: list[dict[MemberName, object]]


class EntryChange(BaseModel):
    """Say which entries of a resource change, and to what."""

    model_config = ConfigDict(extra="forbid")

    match: dict[MemberName, object] = Field(default_factory=dict, description="Members and their values; none: all.")
    set: dict[MemberName, object] = Field(description="Members that are replaced or added.")


class NodeSetting(BaseModel):
    """Describe a category with what is below it."""

    model_config = ConfigDict(extra="forbid")

    category_id: str = Field(pattern=r"^\d{1,20}$")
    title: Title
    children: list["NodeSetting"] = Field(default_factory=list, max_length=MOST_CHILDREN)

    def to_node(self) -> Node:
        """Give the value that the shop keeps."""
        return Node(self.category_id, self.title, [child.to_node() for child in self.children])


class SetSetting(BaseModel):
    """Describe a category set."""

    model_config = ConfigDict(extra="forbid")

    set_id: str = Field(pattern=r"^\d{1,20}$")
    title: Title
    children: list[NodeSetting] = Field(default_factory=list, max_length=MOST_CHILDREN)

    def to_set(self) -> CategorySet:
        """Give the value that the shop keeps."""
        return CategorySet(self.set_id, self.title, [child.to_node() for child in self.children])


class CategorySetting(BaseModel):
    """Hold all category sets of a shop."""

    model_config = ConfigDict(extra="forbid")

    sets: list[SetSetting]


class CategoryChange(BaseModel):
    """Say a category's new title."""

    model_config = ConfigDict(extra="forbid")

    title: Title


def set_up_routes(market: Market) -> APIRouter:
    """Make the routes of what a shop has set up in RMS."""
    router = APIRouter()
    router.include_router(_master_routes(market))
    router.include_router(_category_routes(market))
    return router


def _master_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["set-up"])

    @router.put("/_sim/shops/{number}/sub-statuses", status_code=204)
    async def set_sub_statuses(number: str, setting: SubStatusSetting) -> None:
        """Replace the sub-statuses."""
        find_shop(market, number).sub_statuses = setting.status_models

    @router.put("/_sim/shops/{number}/resources/{resource}", status_code=204)
    async def set_resource(number: str, resource: str, setting: ResourceSetting) -> None:
        """Replace the entries of a resource of the shop family, members in the order given."""
        if resource not in RESOURCES:
            raise HTTPException(404, f"there is no resource {resource}")
        find_shop(market, number).resources[resource] = setting.entries

    @router.patch("/_sim/shops/{number}/resources/{resource}")
    async def change_entry(number: str, resource: str, change: EntryChange) -> dict[str, list[Entry]]:
        """Change members of the entries that match, for example the name of a delivery set or the shop's address."""
        shop = find_shop(market, number)
        if resource not in RESOURCES:
            raise HTTPException(404, f"there is no resource {resource}")
        found = [
            entry
            for entry in shop.resources[resource]
            if all(entry.get(name) == value for name, value in change.match.items())
        ]
        if not found:
            raise HTTPException(404, f"no entry of {resource} matches")
        for entry in found:
            entry.update(change.set)
        return {"entries": found}

    return router


def _category_routes(market: Market) -> APIRouter:
    router = APIRouter(tags=["set-up"])

    @router.get("/_sim/shops/{number}/categories")
    async def list_categories(number: str) -> dict[str, object]:
        """Show the category sets with their trees."""
        return {"sets": [one.to_json() for one in find_shop(market, number).category_sets.values()]}

    @router.put("/_sim/shops/{number}/categories")
    async def set_categories(number: str, setting: CategorySetting) -> dict[str, object]:
        """Replace the category sets and their trees."""
        shop = find_shop(market, number)
        shop.category_sets = {one.set_id: one.to_set() for one in setting.sets}
        return {"sets": [one.to_json() for one in shop.category_sets.values()]}

    @router.patch("/_sim/shops/{number}/categories/{category_id}")
    async def change_category(number: str, category_id: str, change: CategoryChange) -> dict[str, object]:
        """Rename one category."""
        for one in find_shop(market, number).category_sets.values():
            node = one.find(category_id)
            if node is not None:
                node.title = change.title
                return node.to_json()
        raise HTTPException(404, f"there is no category {category_id}")

    return router
