"""Says which requests a write would send, without sending any."""

import json
from collections.abc import Mapping, Sequence

from hanro.errors import Failure
from hanro.marketplace.types import (
    Asked,
    Cancellation,
    Capability,
    Decision,
    ImageFile,
    ListingChange,
    MessageRequest,
    OrderEffect,
    Plan,
    PlannedCall,
    Problem,
    Shipment,
    StockTarget,
    Supported,
)
from hanro_rakuten_ichiba.cancelling.restating import cancel_body, reason_of
from hanro_rakuten_ichiba.cancelling.sending import function_of
from hanro_rakuten_ichiba.client import JSON_TYPE
from hanro_rakuten_ichiba.declared.capabilities import CAPABILITIES, unsupported
from hanro_rakuten_ichiba.declared.limits import ORDERS_PER_CALL
from hanro_rakuten_ichiba.declared.words import both
from hanro_rakuten_ichiba.effects import capability_of, numbers_of
from hanro_rakuten_ichiba.functions import CONFIRM_ORDER, GET_ORDER, QUEUE_SHIPPING, UPDATE_SHIPPING, Function
from hanro_rakuten_ichiba.reading import VERSION
from hanro_rakuten_ichiba.shipping.judging import judge_tracking
from hanro_rakuten_ichiba.shipping.rows import members_of, numeral

HOST = "https://api.rms.rakuten.co.jp"
_LEFT_OUT = both("楽天にはこの項目を送る欄がないため、送りません。", "they have no place for this; it is not sent")
# Fields of a decision that confirmOrder has no place for (rakuten-ichiba-orders 4.3).
_WITHOUT_PLACE = ("ships_on", "note", "ships_from", "return_to")


def plan_calls(asked: Sequence[Asked]) -> Plan:
    """Plan confirmations, parcels and cancellations; everything else is a blocking problem with its reason.

    What an order needs is found out by the first call, which reads it: an order that stands confirmed already is not
    confirmed again, rows name destinations, and a restated order holds all that it has.
    """
    problems: list[Problem] = []
    good: list[OrderEffect] = []
    for one in asked:
        found = _blocking(one)
        problems += [found] if found is not None else _left_out(one)
        if found is None and isinstance(one, Decision | Shipment | Cancellation):
            good.append(one)
    calls = _confirming([one for one in good if isinstance(one, Decision)])
    calls += _shipping([one for one in good if isinstance(one, Shipment)])
    calls += [call for one in good if isinstance(one, Cancellation) for call in _cancelling(one)]
    return Plan(calls=tuple(calls), problems=tuple(problems))


def _cancelling(cancellation: Cancellation) -> list[PlannedCall]:
    """Plan one cancellation; what a part leaves of the order is known once the order is read."""
    body: dict[str, object] = cancel_body(cancellation)
    if not cancellation.is_whole:
        body = {
            "orderNumber": cancellation.order.external_id,
            "reductionReason": reason_of(cancellation),
            "PackageModelList": "{the order as it stands, without what is cancelled}",
        }
    function = function_of(cancellation, is_whole=cancellation.is_whole)
    purpose = "cancel the whole order" if cancellation.is_whole else "restate the order without what is cancelled"
    return [_reading([cancellation.order.external_id]), _call(function, body, purpose)]


def _confirming(decisions: Sequence[Decision]) -> list[PlannedCall]:
    calls = []
    for batch in _batches(decisions):
        calls += [
            _reading(batch),
            _call(CONFIRM_ORDER, {"orderNumberList": batch}, "confirm the orders; it cannot be undone"),
        ]
    return calls


def _shipping(shipments: Sequence[Shipment]) -> list[PlannedCall]:
    calls = []
    for batch in _batches(shipments):
        bodies = [_parcels([one for one in shipments if one.order.external_id == number]) for number in batch]
        calls.append(_reading(batch))
        if len(batch) == 1:
            calls.append(_call(UPDATE_SHIPPING, bodies[0], "register the parcels"))
        else:
            queued = {"OrderShippingModelList": bodies}
            calls.append(_call(QUEUE_SHIPPING, queued, "register the parcels; what became of them is asked for later"))
    return calls


def _parcels(shipments: Sequence[Shipment]) -> dict[str, object]:
    """Write an order's rows as far as they are known before it is read; the last parcel dates all."""
    is_dated = any(one.is_last for one in shipments)
    rows = []
    for one in shipments:
        changed = {} if one.replaces is None else {"shippingDetailId": numeral(one.replaces)}
        day = {"shippingDate": "{today}" if one.shipped_on is None else one.shipped_on.isoformat()} if is_dated else {}
        rows.append(changed | members_of(one, None) | day)
    named = {one.package_id for one in shipments}
    known = named.pop() if len(named) == 1 else None
    basket = {"basketId": "{basketId}" if known is None else numeral(known), "ShippingModelList": rows}
    return {"orderNumber": shipments[0].order.external_id, "BasketidModelList": [basket]}


def _batches(effects: Sequence[OrderEffect]) -> list[list[str]]:
    numbers = numbers_of(effects)
    return [numbers[first : first + ORDERS_PER_CALL] for first in range(0, len(numbers), ORDERS_PER_CALL)]


def _reading(batch: Sequence[str]) -> PlannedCall:
    return _call(GET_ORDER, {"orderNumberList": list(batch), "version": VERSION}, "read the orders as they stand")


def _call(function: Function, body: Mapping[str, object], purpose: str) -> PlannedCall:
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
    if not isinstance(CAPABILITIES[capability], Supported):
        return _problem(key, pointer, unsupported(capability))
    verdict = judge_tracking(one) if isinstance(one, Shipment) else None
    if verdict is None or verdict.failure is None:
        return None
    return _problem(key, f"/tracking/{verdict.failure.field or 'carrier'}", verdict.failure)


def _problem(key: str, pointer: str, failure: Failure) -> Problem:
    message = failure.remedy or both("この内容は送信できません。", failure.why)
    return Problem(key=key, pointer=pointer, code=failure.code, message=message, is_blocking=True)


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
    if isinstance(one, Cancellation) and one.comment is not None:
        return [Problem(key=one.id, pointer="/comment", code="left-out", message=_LEFT_OUT, is_blocking=False)]
    if not isinstance(one, Decision):
        return []
    return [
        Problem(key=one.id, pointer=f"/{name}", code="left-out", message=_LEFT_OUT, is_blocking=False)
        for name in _WITHOUT_PLACE
        if getattr(one, name) is not None
    ]
