"""Says which requests a write would send, without sending any."""

from collections.abc import Mapping, Sequence

from hanro.errors import LocalizedText, Rejected
from hanro.marketplace.types import (
    Asked,
    Cancellation,
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
)
from hanro_sandbox import drafts, stock
from hanro_sandbox.client import JSON_TYPE, write
from hanro_sandbox.declared.limits import MOST
from hanro_sandbox.declared.words import both
from hanro_sandbox.entries import ANSWERS, CANCELLATIONS, SHIPMENTS, Way, blocked, way_of
from hanro_sandbox.functions import GET_ORDERS, PUT_IMAGES, PUT_LISTINGS, PUT_STOCK, SEND_MESSAGE, Function
from hanro_sandbox.messages import message_body

HOST = "https://marketplace.example.invalid"
"""Stands for the base URL that the installation sets."""
_LEFT_OUT = both(
    "サンドボックスにはこの項目を送る欄がないため、送りません。", "the sandbox has no place for it; not sent"
)
# Fields of a decision that the protocol has no place for.
_WITHOUT_PLACE = ("ships_from", "return_to")
_FREE_WORDS = frozenset({"note", "comment"})


def plan_calls(asked: Sequence[Asked]) -> Plan:
    """Plan reads and writes of what is asked; what the catalogue of carriers or a text rule refuses is blocking."""
    calls: list[PlannedCall] = []
    problems: list[Problem] = []
    effects: dict[str, list[OrderEffect]] = {}
    listings: list[Mapping[str, object]] = []
    offers: list[Mapping[str, object]] = []
    for one in asked:
        match one:
            case Decision() | Shipment() | Cancellation():
                refused = blocked(one)
                problems += _left_out(one) if refused is None else [_blocking(one.id, refused)]
                if refused is None:
                    effects.setdefault(way_of(one).list_name, []).append(one)
            case ListingChange():
                listings.append(drafts.entry_of(one))
            case StockTarget():
                offers.append(stock.entry_of(one))
            case ImageFile():
                calls.append(_call(PUT_IMAGES, {"images": [{"sha256": one.sha256}]}, "store an image"))
            case MessageRequest():
                try:
                    calls.append(_call(SEND_MESSAGE, message_body(one), "hand one message over"))
                except Rejected as failure:
                    problems.append(_blocking(one.id, failure))
    for way in (ANSWERS, SHIPMENTS, CANCELLATIONS):
        calls += _effect_calls(way, effects.get(way.list_name, []))
    calls += [_call(PUT_LISTINGS, {"listings": listings}, "put whole listings")] if listings else []
    calls += [_call(PUT_STOCK, {"offers": offers}, "set quantities")] if offers else []
    return Plan(calls=tuple(calls), problems=tuple(problems))


def _effect_calls(way: Way, effects: Sequence[OrderEffect]) -> list[PlannedCall]:
    entries = way.write(effects)
    calls = []
    for first in range(0, len(entries), MOST):
        batch = entries[first : first + MOST]
        numbers = list(dict.fromkeys(entry.order_id for entry in batch))
        body = {way.list_name: [_without_words(entry.body) for entry in batch]}
        calls += [
            _call(GET_ORDERS, {"ids": numbers}, "read the orders as they stand"),
            _call(way.function, body, f"send {way.list_name}"),
        ]
    return calls


def _without_words(entry: Mapping[str, object]) -> dict[str, object]:
    """Leave out what somebody wrote: it may be about the buyer, and a plan is kept."""
    return {
        name: f"{{{name}}}" if name in _FREE_WORDS and value is not None else value for name, value in entry.items()
    }


def _call(function: Function, body: Mapping[str, object], purpose: str) -> PlannedCall:
    return PlannedCall(
        method=function.method,
        url=HOST + function.path,
        media_type=JSON_TYPE,
        body=write(body).decode(),
        groups=(function.group,),
        purpose=purpose,
    )


def _blocking(key: str, refused: Rejected) -> Problem:
    words = refused.remedy or LocalizedText(ja="この内容は送れません。", en=refused.why)
    return Problem(key=key, pointer=f"/{refused.field}", code=refused.code, message=words, is_blocking=True)


def _left_out(effect: OrderEffect) -> list[Problem]:
    if not isinstance(effect, Decision):
        return []
    return [
        Problem(key=effect.id, pointer=f"/{name}", code="left-out", message=_LEFT_OUT, is_blocking=False)
        for name in _WITHOUT_PLACE
        if getattr(effect, name) is not None
    ]
