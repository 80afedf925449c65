"""Writes the two kinds of notice: about orders, and from the system. Source: rakuten-ichiba-orders 11 [1]."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from hanro_rakuten_ichiba.simulator.japan_time import JST, read_moment
from hanro_rakuten_ichiba.simulator.orders import StoredOrder, Tree, members

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FUNCTION = "1100"
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MOST_VALUES = 10


@dataclass(frozen=True)
class Subscription:
    """State where notices go and how they are signed; `auth_key` is secret."""

    url: str
    contract_id: str
    shop_url: str
    auth_key: str = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """Give it with its key: tests need it, nobody else reaches the controls."""
        return {
            "url": self.url,
            "contract_id": self.contract_id,
            "shop_url": self.shop_url,
            "auth_key": self.auth_key,
        }

    def _sign(self) -> str:
        return (
            f"<authModel>{_element('contractId', self.contract_id)}{_element('shopUrl', self.shop_url)}"
            f"{_element('authKey', self.auth_key)}</authModel>"
        )

    def write_order(self, order: StoredOrder, sequence: int) -> str:
        """Write the notice of a new order, one basketModel for each line."""
        tree = order.tree
        items = [item for package in order.packages() for item in members(package, "ItemModelList")]
        baskets = "".join(map(_basket, items))
        placed_at = order.placed_at.astimezone(JST).strftime("%Y/%m/%d %H:%M:%S")
        return (
            f"{_DECLARATION}<orderNotifyModel>{self._sign()}<orderInfoNotifyModel>"
            f"{_element('orderNumber', order.number)}{_element('seqId', sequence)}{_element('orderDate', placed_at)}"
            f"{_element('orderType', tree.get('orderType'))}{baskets}</orderInfoNotifyModel></orderNotifyModel>"
        )

    def write_system(self, service_id: int, request_id: str, values: Mapping[str, object]) -> str:
        """Write a notice of the system: up to ten named values, in their order; the names are not recorded [?]."""
        written = "".join(
            f"<value{place} name={quoteattr(name)}>{escape(_text(value))}</value{place}>"
            for place, (name, value) in enumerate(values.items(), start=1)
        )
        return (
            f"{_DECLARATION}<notifyModel>{self._sign()}<notifyInfoModel>{_element('requestId', request_id)}"
            f"{_element('serviceId', service_id)}{_element('functionId', _FUNCTION)}{written}"
            "</notifyInfoModel></notifyModel>"
        )


def slashed(moment: object) -> str:
    """Write a time of the tree as `2026/05/11 11:02:08`; empty when it is none."""
    at = read_moment(moment)
    return "" if at is None else at.astimezone(JST).strftime("%Y/%m/%d %H:%M:%S")


def _basket(item: Tree) -> str:
    """Write a line; that pageURL is the manageNumber and orgItemNumber the number without the choice's ids, [?]."""
    values = {
        "itemId": item.get("itemId"),
        "pageURL": item.get("manageNumber"),
        "inventoryType": item.get("inventoryType"),
        "units": item.get("units"),
        "orgItemNumber": item.get("itemNumber"),
        "itemNumber": item.get("itemNumber"),
        "selectedChoice": item.get("selectedChoice"),
        "h_choice_c_name": None,
        "v_choice_c_name": None,
    }
    return f"<basketModel>{''.join(_element(name, value) for name, value in values.items())}</basketModel>"


def _element(name: str, value: object) -> str:
    return f"<{name}>{escape(_text(value))}</{name}>"


def _text(value: object) -> str:
    """Write a value; what XML 1.0 cannot hold is left out."""
    text = "" if value is None else str(value)
    return _NO_XML.sub("", text)
