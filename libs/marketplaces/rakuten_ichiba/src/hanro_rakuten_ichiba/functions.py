"""Lists the functions of RMS WEB API that are called: path, grant, and the group whose rate they share."""

from hanro.value import value

PREFIX = "ORDER_EXT_API_"
CONFIRM_PREFIX = f"{PREFIX}CONFIRM_ORDER_"
OLDEST_DAYS = 730
"""How far back searchOrder and getOrder look. Source: rakuten-ichiba-orders 4.1, 4.2 [2+]."""


@value
class Function:
    """Describe one function; the grant is its name in 利用機能編集. Source: rakuten-ichiba-orders 1.1 [1], 3 [2+]."""

    name: str
    method: str
    path: str
    grant_id: str
    group: str


def _order(name: str) -> Function:
    # With the slash, as the manual writes it; both forms work (rakuten-ichiba-orders 1 [wire]).
    path = f"/es/2.0/order/{name}/"
    return Function(name=name, method="POST", path=path, grant_id=f"rpay.order.{name}", group="order")


SEARCH_ORDER = _order("searchOrder")
GET_ORDER = _order("getOrder")
CONFIRM_ORDER = _order("confirmOrder")
GET_SUB_STATUS_LIST = _order("getSubStatusList")
LICENSE_EXPIRY = Function(
    name="expiry-date",
    method="GET",
    path="/es/1.0/license-management/license-key/expiry-date",
    grant_id="license.expiryDate",
    group="license",
)
SHOP_MASTER = Function(
    name="shopMaster", method="GET", path="/es/1.0/shop/shopMaster", grant_id="shop.shopMaster", group="shop"
)
