"""Lists the functions that the plug-in calls: where each answers, the grant that it needs, the group of its turns."""

from hanro.value import value


@value
class Function:
    """Be one function; `is_write`: it changes something, so a probe of it leaves out what it requires."""

    name: str
    path: str
    grant_id: str
    group: str
    method: str = "POST"
    is_write: bool = False


READ_KEY = Function(name="key.read", method="GET", path="/v1/key", grant_id="account", group="account")
OPEN_SESSION = Function(name="key.session", path="/v1/key/sessions", grant_id="account", group="account")
READ_SHOP = Function(name="shop.read", method="GET", path="/v1/shop", grant_id="account", group="account")
SEARCH_ORDERS = Function(name="orders.search", path="/v1/orders/search", grant_id="orders_read", group="orders")
GET_ORDERS = Function(name="orders.get", path="/v1/orders/get", grant_id="orders_read", group="orders")
ANSWER_LINES = Function(
    name="orders.answer", path="/v1/orders/answer", grant_id="orders_write", group="orders", is_write=True
)
SHIP = Function(name="orders.ship", path="/v1/orders/ship", grant_id="orders_write", group="orders", is_write=True)
CANCEL = Function(
    name="orders.cancel", path="/v1/orders/cancel", grant_id="orders_write", group="orders", is_write=True
)
GET_JOBS = Function(name="jobs.get", path="/v1/jobs/get", grant_id="orders_write", group="orders")
SEND_MESSAGE = Function(
    name="messages.send", path="/v1/messages/send", grant_id="messages", group="messages", is_write=True
)
SEARCH_MESSAGES = Function(name="messages.search", path="/v1/messages/search", grant_id="messages", group="messages")
PUT_LISTINGS = Function(
    name="listings.put", path="/v1/listings/put", grant_id="listings", group="listings", is_write=True
)
GET_LISTINGS = Function(name="listings.get", path="/v1/listings/get", grant_id="listings", group="listings")
SEARCH_LISTINGS = Function(name="listings.search", path="/v1/listings/search", grant_id="listings", group="listings")
PUT_IMAGES = Function(name="images.put", path="/v1/images/put", grant_id="listings", group="listings", is_write=True)
GET_CATEGORIES = Function(name="categories.get", path="/v1/categories/get", grant_id="listings", group="listings")
PUT_STOCK = Function(name="stock.put", path="/v1/stock/put", grant_id="stock", group="stock", is_write=True)
GET_STOCK = Function(name="stock.get", path="/v1/stock/get", grant_id="stock", group="stock")
