"""States what can be done at the sandbox: everything, each by its grants."""

from collections.abc import Mapping
from types import MappingProxyType

from hanro.marketplace.types import Absent, Capability, Channel, Support, Supported, Trigger


def _by(*grant_ids: str) -> Supported:
    return Supported(grant_ids=frozenset(grant_ids))


# Every write reads first how its orders stand.
_WRITES_ORDERS = _by("orders_read", "orders_write")

CAPABILITIES: Mapping[Capability, Support] = MappingProxyType(
    {
        Capability.KEY_EXPIRY: _by("account"),
        Capability.RENEW_KEY: _by("account"),
        Capability.MARKET_INFORMATION: _by("account"),
        Capability.FIND_ORDERS: _by("orders_read"),
        Capability.FETCH_ORDER: _by("orders_read"),
        Capability.READ_PAYMENTS: _by("orders_read"),
        Capability.NOTICES: _by(),
        Capability.IMPORT_ORDERS: _by(),
        Capability.ACCEPT: _WRITES_ORDERS,
        Capability.ACCEPT_LINE: _WRITES_ORDERS,
        Capability.REFUSE_LINE: _WRITES_ORDERS,
        Capability.ANNOUNCE_DELAY: _WRITES_ORDERS,
        Capability.SHIP: _WRITES_ORDERS,
        Capability.SHIP_LINE: _WRITES_ORDERS,
        Capability.CORRECT_SHIPMENT: _WRITES_ORDERS,
        Capability.CANCEL_ORDER: _WRITES_ORDERS,
        Capability.CANCEL_LINE: _WRITES_ORDERS,
        Capability.CANCEL_QUANTITY: _WRITES_ORDERS,
        Capability.CANCEL_SHIPPED: _WRITES_ORDERS,
        Capability.REFUND_AMOUNT: _WRITES_ORDERS,
        Capability.ANSWER_CANCELLATION: _WRITES_ORDERS,
        Capability.ANSWER_RETURN: _WRITES_ORDERS,
        Capability.ANSWER_EXCHANGE: _WRITES_ORDERS,
        Capability.PUBLISH: _by("listings"),
        Capability.PAUSE: _by("listings"),
        Capability.DELETE: _by("listings"),
        Capability.UPLOAD_IMAGES: _by("listings"),
        Capability.READ_LISTINGS: _by("listings"),
        Capability.READ_ATTRIBUTES: _by("listings"),
        Capability.EXPORT_LISTINGS: _by(),
        Capability.SET_STOCK: _by("stock"),
        Capability.READ_STOCK: _by("stock"),
        Capability.MESSAGE_BUYER: _by("messages"),
        Capability.READ_INQUIRIES: _by("messages"),
        Capability.ANSWER_INQUIRY: _by("messages"),
    }
)
CHANNELS: Mapping[Trigger, Channel | Absent] = MappingProxyType(dict.fromkeys(Trigger, Channel.API))
