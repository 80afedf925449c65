"""Says which requests a write would send, without sending any."""

import json
from collections.abc import Sequence

from hanro.marketplace.types import (
    Asked,
    Cancellation,
    Capability,
    Decision,
    ImageFile,
    ListingChange,
    MessageRequest,
    Plan,
    PlannedCall,
    Problem,
    Shipment,
    StockTarget,
)
from hanro_rakuten_ichiba.client import JSON_TYPE
from hanro_rakuten_ichiba.declared.capabilities import CAPABILITIES, unsupported
from hanro_rakuten_ichiba.declared.limits import ORDERS_PER_CALL
from hanro_rakuten_ichiba.declared.words import both
from hanro_rakuten_ichiba.functions import CONFIRM_ORDER, GET_ORDER, Function
from hanro_rakuten_ichiba.reading import VERSION
from hanro_rakuten_ichiba.verdicts import capability_of

HOST = "https://api.rms.rakuten.co.jp"
_LEFT_OUT = both("楽天にはこの項目を送る欄がないため、送りません。", "they have no place for this; it is not sent")
# Fields of a decision that confirmOrder has no place for (rakuten-ichiba-orders 4.3).
_WITHOUT_PLACE = ("ships_on", "note", "ships_from", "return_to")


def plan_calls(asked: Sequence[Asked]) -> Plan:
    """Plan the confirmations among what is asked; everything else is a blocking problem with its reason.

    An order that stands confirmed already, or lacks a line in the decision, is found out by the first call.
    """
    problems: list[Problem] = []
    numbers: dict[str, None] = {}
    for one in asked:
        found = _blocking(one)
        problems += [found] if found is not None else _left_out(one)
        if found is None and isinstance(one, Decision):
            numbers[one.order.external_id] = None
    calls = []
    for first in range(0, len(numbers), ORDERS_PER_CALL):
        batch = list(numbers)[first : first + ORDERS_PER_CALL]
        calls += [
            _call(GET_ORDER, {"orderNumberList": batch, "version": VERSION}, "read the orders as they stand"),
            _call(CONFIRM_ORDER, {"orderNumberList": batch}, "confirm the orders; it cannot be undone"),
        ]
    return Plan(calls=tuple(calls), problems=tuple(problems))


def _call(function: Function, body: dict[str, object], purpose: str) -> PlannedCall:
    return PlannedCall(
        method=function.method,
        url=HOST + function.path,
        media_type=JSON_TYPE,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        groups=(function.group,),
        purpose=purpose,
    )


def _blocking(one: Asked) -> Problem | None:
    key, pointer, capability = _need(one)
    if capability is Capability.ACCEPT:
        return None
    absent = CAPABILITIES[capability]
    message = unsupported(capability).remedy
    if message is None:
        raise ValueError(f"{absent} has no reason")
    return Problem(key=key, pointer=pointer, code="absent", message=message, is_blocking=True)


def _need(one: Asked) -> tuple[str, str, Capability]:
    """Give the entry's key, what in it needs the capability, and the capability."""
    match one:
        case Decision():
            capability = capability_of(one)
            pointers = {Capability.REFUSE_LINE: "/answer", Capability.ANNOUNCE_DELAY: "/delay"}
            return one.id, pointers.get(capability, "/claim_id"), capability
        case Shipment() | Cancellation():
            return one.id, "", capability_of(one)
        case ListingChange():
            return one.id, "", Capability.PUBLISH
        case ImageFile():
            return one.sha256, "", Capability.UPLOAD_IMAGES
        case StockTarget():
            return one.offer.listing.seller_key, "", Capability.SET_STOCK
        case MessageRequest():
            capability = Capability.MESSAGE_BUYER if one.reply_to is None else Capability.ANSWER_INQUIRY
            return one.id, "", capability


def _left_out(one: Asked) -> list[Problem]:
    if not isinstance(one, Decision):
        return []
    return [
        Problem(key=one.id, pointer=f"/{name}", code="left-out", message=_LEFT_OUT, is_blocking=False)
        for name in _WITHOUT_PLACE
        if getattr(one, name) is not None
    ]
