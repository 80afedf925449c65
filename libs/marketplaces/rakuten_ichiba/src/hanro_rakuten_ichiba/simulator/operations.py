"""Lists the functions that the simulator plays: path, method, grant and rate group of each."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from hanro_rakuten_ichiba.simulator.shop_set_up import RESOURCES

Family = Literal["order", "license", "shop"]
_ORDER = "/es/2.0/order/"
_SHOP = "/es/1.0/shop/"
_LICENSE = "/es/1.0/license-management/license-key/expiry-date"


@dataclass(frozen=True)
class Operation:
    """State one function; `group` shares one rate limit, `argument` is what stands behind the name in the path."""

    family: Family
    function: str
    method: str
    grant: str
    argument: str = ""

    @property
    def group(self) -> str:
        """Give the name of the rate group."""
        return self.family


# Grant names of the order family: rakuten-ichiba-orders 1.1 [1]; those of the other two are made alike [?].
ORDER_FUNCTIONS = ("searchOrder", "getOrder", "confirmOrder", "getSubStatusList")
_OPERATIONS = {
    **{_ORDER + name: Operation("order", name, "POST", f"rpay.order.{name}") for name in ORDER_FUNCTIONS},
    **{_SHOP + name: Operation("shop", name, "GET", f"shop.{name}") for name in RESOURCES},
    _LICENSE: Operation("license", "expiry-date", "GET", "license.expiryDate"),
}
GRANTS = tuple(operation.grant for operation in _OPERATIONS.values())


def normalise(path: str) -> str:
    """Decode a raw path's percent signs, and take several slashes for one."""
    return re.sub("/+", "/", unquote(path, errors="replace"))


def find_operation(path: str) -> Operation | None:
    """Find the function of a path, with or without one trailing slash; None when there is none.

    Source: rakuten-ichiba-orders 1 [wire], 10.
    """
    path = path.removesuffix("/")
    found = _OPERATIONS.get(path)
    holder, _, argument = path.rpartition("/")
    if found is None and holder == f"{_SHOP}shopStatus":
        status = _OPERATIONS[holder]
        return Operation(status.family, status.function, status.method, status.grant, argument)
    return found


def is_shop_path(path: str) -> bool:
    """Tell whether a path lies in the shop family, which words an unknown resource itself (C003)."""
    return path.startswith(_SHOP)
