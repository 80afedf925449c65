"""Maps the dossier's full order, or one that a test changed, without any process."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

from ichiba_full_order import FULL_ANSWER
from ichiba_samples import DELIVERY_STORE, DUE_DATES, SOCIAL_GIFT

from hanro.marketplace.types import SeenOrder, Sighting, UnreadableOrder
from hanro_rakuten_ichiba.decoding import decode
from hanro_rakuten_ichiba.mapping.order import map_order

SEEN_AT = datetime(2026, 5, 31, 3, tzinfo=UTC)
_TREE = json.loads(FULL_ANSWER)["OrderModelList"][0]


def full_tree() -> dict[str, Any]:
    """Give a copy of the full order to change."""
    return dict(copy.deepcopy(_TREE))


def every_model() -> dict[str, Any]:
    """Give the full order with the dossier's other models in it: pick-up, social gift, due date, cancellation."""
    tree = full_tree() | {"DueDateModelList": json.loads(DUE_DATES)}
    tree["PackageModelList"][0] |= {
        "DeliveryCvsModel": json.loads(DELIVERY_STORE),
        "SocialGiftModel": json.loads(SOCIAL_GIFT),
    }
    cancelled = {"changeType": 0, "changeReason": 1, "changeReasonDetail": 1}
    tree["ChangeReasonModelList"].append(tree["ChangeReasonModelList"][0] | cancelled)
    return tree


def sight(tree: object) -> Sighting:
    """Map one OrderModel as getOrder would send it."""
    (fragment,) = decode(json.dumps({"OrderModelList": [tree]}, ensure_ascii=False).encode()).orders
    return map_order(fragment, SEEN_AT)


def seen(tree: object) -> SeenOrder:
    """Map an order that must be readable."""
    sighting = sight(tree)
    assert isinstance(sighting, SeenOrder), sighting
    return sighting


def unreadable(tree: object) -> UnreadableOrder:
    """Map an order that must not be readable."""
    sighting = sight(tree)
    assert isinstance(sighting, UnreadableOrder), sighting
    return sighting
