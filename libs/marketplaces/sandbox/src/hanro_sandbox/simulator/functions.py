"""Lists the functions of the protocol: where each answers, the grant that it needs, the group in which it counts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """Be one function."""

    name: str
    method: str
    path: str
    grant: str
    group: str


FUNCTIONS = (
    Function("key.read", "GET", "/v1/key", "account", "account"),
    Function("key.session", "POST", "/v1/key/sessions", "account", "account"),
    Function("shop.read", "GET", "/v1/shop", "account", "account"),
    Function("orders.search", "POST", "/v1/orders/search", "orders_read", "orders"),
    Function("orders.get", "POST", "/v1/orders/get", "orders_read", "orders"),
    Function("orders.answer", "POST", "/v1/orders/answer", "orders_write", "orders"),
    Function("orders.ship", "POST", "/v1/orders/ship", "orders_write", "orders"),
    Function("orders.cancel", "POST", "/v1/orders/cancel", "orders_write", "orders"),
    Function("jobs.get", "POST", "/v1/jobs/get", "orders_write", "orders"),
    Function("messages.send", "POST", "/v1/messages/send", "messages", "messages"),
    Function("messages.search", "POST", "/v1/messages/search", "messages", "messages"),
    Function("listings.put", "POST", "/v1/listings/put", "listings", "listings"),
    Function("listings.get", "POST", "/v1/listings/get", "listings", "listings"),
    Function("listings.search", "POST", "/v1/listings/search", "listings", "listings"),
    Function("images.put", "POST", "/v1/images/put", "listings", "listings"),
    Function("categories.get", "POST", "/v1/categories/get", "listings", "listings"),
    Function("stock.put", "POST", "/v1/stock/put", "stock", "stock"),
    Function("stock.get", "POST", "/v1/stock/get", "stock", "stock"),
)
BY_PATH = {function.path: function for function in FUNCTIONS}
GRANTS = tuple(dict.fromkeys(function.grant for function in FUNCTIONS))
