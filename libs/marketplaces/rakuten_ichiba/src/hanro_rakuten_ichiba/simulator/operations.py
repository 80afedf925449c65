"""Lists the functions that the simulator plays: path, method, grant and rate group of each."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import unquote

from hanro_rakuten_ichiba.simulator.shop_set_up import RESOURCES

Family = Literal["order", "license", "shop", "items", "inventories", "navigation", "categories", "cabinet"]
_ORDER = "/es/2.0/order/"
_PURCHASE = "/es/2.0/purchaseItem/"
_SHOP = "/es/1.0/shop/"
_LICENSE = "/es/1.0/license-management/license-key/expiry-date"
_CABINET = "/es/1.0/cabinet/"
_FAMILIES: Mapping[str, Family] = {
    _SHOP: "shop",
    _CABINET: "cabinet",
    "/es/2.0/items/": "items",
    "/es/2.0/inventories/": "inventories",
    "/es/2.1/inventories/": "inventories",
    "/es/2.0/navigation/": "navigation",
    "/es/2.0/categories/": "categories",
}
# Calls a second of the groups that bear more than one. Source: rakuten-ichiba-catalog 10 [1].
FACTORS = {"items_read": 5.0, "inventory_read": 5.0, "navigation": 5.0}


@dataclass(frozen=True)
class Operation:
    """State one function; `group` shares one rate limit, `arguments` are what stood in the path's braces."""

    family: Family
    function: str
    method: str
    path: str
    grant: str
    group: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def argument(self) -> str:
        """Give the path's only argument, nothing where it has none."""
        return next(iter(self.arguments.values()), "")


# Grant names of the order family: rakuten-ichiba-orders 1.1 [1]; those of the other families are made alike, from the
# names that the dossiers give to the functions [?]. Everything here: rakuten-ichiba-orders 3 [2+], 4.19 [1].
ORDER_FUNCTIONS = (
    "searchOrder", "getOrder", "confirmOrder", "updateOrderShipping", "updateOrderShippingAsync",
    "getResultUpdateOrderShippingAsync", "getSubStatusList", "updateOrderSubStatus", "updateOrderMemo",
    "updateOrderRemarks", "updateOrderSender", "updateOrderSenderAfterShipping", "cancelOrder",
    "cancelOrderAfterShipping", "updateOrderOrderer", "updateOrderDelivery", "simulateCouponAmount", "getPayment",
)  # fmt: skip
PURCHASE_FUNCTIONS = ("searchOrderItem", "getOrderItem")
_ITEM = "/es/2.0/items/manage-numbers/{manageNumber}"
_SETTINGS = "/es/2.0/items/inventory-related-settings/manage-numbers/{manageNumber}"
_VARIANT = "/manage-numbers/{manageNumber}/variants/{variantId}"
_GENRE = "/es/2.0/navigation/genres/{genreId}"
_CATEGORIES = "/es/2.0/categories/"
_CATEGORY = f"{_CATEGORIES}shop-categories/category-ids/{{categoryId}}"
_TREE = f"{_CATEGORIES}shop-category-trees/category-set-ids/{{categorySetId}}"
_MAPPING = f"{_CATEGORIES}item-mappings/manage-numbers/{{manageNumber}}"
# Function, method, path, group. Source: rakuten-ichiba-catalog 2.1, 3.1, 4.1, 5.1, 6.1, rates 10.
_CATALOGUE: tuple[tuple[str, str, str, str], ...] = (
    ("items.get", "GET", _ITEM, "items_read"),
    ("items.upsert", "PUT", _ITEM, "items_write"),
    ("items.patch", "PATCH", _ITEM, "items_write"),
    ("items.delete", "DELETE", _ITEM, "items_write"),
    ("items.search", "GET", "/es/2.0/items/search", "items_write"),
    ("items.bulk.get", "POST", "/es/2.0/items/bulk-get", "items_write"),
    ("items.inventory-related-settings.get", "GET", _SETTINGS, "items_write"),
    ("items.inventory-related-settings.update", "PUT", _SETTINGS, "items_write"),
    *(
        (f"inventories.{name}", method, f"/es/{version}/inventories{path}", group)
        for version in ("2.0", "2.1")
        for name, method, path, group in (
            ("variants.get", "GET", _VARIANT, "inventory_write"),
            ("variants.upsert", "PUT", _VARIANT, "inventory_write"),
            ("variants.delete", "DELETE", _VARIANT, "inventory_write"),
            ("bulk.get", "POST", "/bulk-get", "inventory_read"),
            ("bulk.get.range", "GET", "/bulk-get/range", "inventory_read"),
            ("bulk.upsert", "POST", "/bulk-upsert", "inventory_write"),
        )
    ),
    (
        "inventories.variant-lists.get",
        "GET",
        "/es/2.1/inventories/variant-lists/manage-numbers/{manageNumber}",
        "inventory_write",
    ),
    ("navigation.version.get", "GET", "/es/2.0/navigation/version", "navigation"),
    ("navigation.genres.get", "GET", _GENRE, "navigation"),
    ("navigation.genres.attributes.get", "GET", f"{_GENRE}/attributes", "navigation"),
    ("navigation.genres.attributes.get", "GET", f"{_GENRE}/attributes/{{attributeId}}", "navigation"),
    (
        "navigation.genres.attributes.dictionaryValues.get",
        "GET",
        f"{_GENRE}/attributes/{{attributeId}}/dictionaryValues",
        "navigation",
    ),
    ("categories.shop-categories.get", "GET", _CATEGORY, "category"),
    ("categories.shop-categories.insert", "POST", f"{_CATEGORIES}shop-categories", "category"),
    ("categories.shop-categories.update", "PUT", _CATEGORY, "category"),
    ("categories.category-trees.get", "GET", _TREE, "category"),
    ("categories.category-trees.upsert", "PUT", _TREE, "category"),
    ("categories.category-set-lists.get", "GET", f"{_CATEGORIES}shop-category-set-lists", "category"),
    ("categories.item-mappings.get", "GET", _MAPPING, "category"),
    ("categories.item-mappings.upsert", "PUT", _MAPPING, "category"),
    ("categories.item-mappings.delete", "DELETE", _MAPPING, "category"),
    *(
        (f"cabinet.{name}", method, f"{_CABINET}{name.replace('.', '/')}", "cabinet")
        for name, method in (
            ("usage.get", "GET"),
            ("folders.get", "GET"),
            ("folder.files.get", "GET"),
            ("files.search", "GET"),
            ("file.insert", "POST"),
            ("file.update", "POST"),
            ("file.delete", "POST"),
            ("trashbox.files.get", "GET"),
            ("trashbox.file.revert", "POST"),
            ("folder.insert", "POST"),
        )
    ),
)


def _operations() -> Iterator[Operation]:
    for name in ORDER_FUNCTIONS:
        yield Operation("order", name, "POST", _ORDER + name, f"rpay.order.{name}", "order")
    for name in PURCHASE_FUNCTIONS:
        yield Operation("order", name, "POST", _PURCHASE + name, f"rpay.purchaseItem.{name}", "order")
    yield Operation("license", "expiry-date", "GET", _LICENSE, "license.expiryDate", "license")
    for name, resource in RESOURCES.items():
        for method in ("GET", "POST") if resource.is_written else ("GET",):
            yield Operation("shop", name, method, _SHOP + name, f"shop.{name}", "shop")
    yield Operation("shop", "shopStatus", "GET", f"{_SHOP}shopStatus/{{statusKey}}", "shop.shopStatus", "shop")
    for name, method, path, group in _CATALOGUE:
        family = next(family for prefix, family in _FAMILIES.items() if path.startswith(prefix))
        yield Operation(family, name, method, path, name, group)


def normalise(path: str) -> str:
    """Decode a raw path's percent signs, and take several slashes for one."""
    return re.sub("/+", "/", unquote(path, errors="replace"))


def find_operations(path: str) -> list[Operation]:
    """Find the functions of a path, one for each method, with or without one trailing slash; none when unknown.

    Source: rakuten-ichiba-orders 1 [wire], 10.
    """
    path = path.removesuffix("/")
    found = _PLAIN.get(path)
    if found is not None:
        return found
    matches = ((operation, pattern.fullmatch(path)) for operation, pattern in _PATTERNS)
    return [replace(operation, arguments=match.groupdict()) for operation, match in matches if match]


def find_operation(method: str, path: str) -> Operation | None:
    """Find the function of a call; with a method that it does not take, the function of the path all the same."""
    found = find_operations(path)
    return next((one for one in found if one.method == method), found[0] if found else None)


def family_of(path: str) -> Family | None:
    """Tell which service words an unknown path itself; None: the gateway does."""
    return next((family for prefix, family in _FAMILIES.items() if path.startswith(prefix)), None)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


OPERATIONS = tuple(_operations())
GRANTS = tuple(dict.fromkeys(operation.grant for operation in OPERATIONS))
_PLAIN: dict[str, list[Operation]] = {}
for _one in OPERATIONS:
    if "{" not in _one.path:
        _PLAIN.setdefault(_one.path, []).append(_one)
_PATTERNS = tuple((operation, _pattern(operation.path)) for operation in OPERATIONS if "{" in operation.path)
