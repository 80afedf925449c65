"""Writes what is asked of orders as entries of the protocol's lists, and names the keys that each answers for."""

from collections.abc import Callable, Mapping, Sequence

from hanro.errors import Rejected
from hanro.marketplace import track
from hanro.marketplace.types import (
    Answer,
    Cancellation,
    Decision,
    LineKey,
    LinePart,
    OrderEffect,
    Shipment,
    Tracking,
)
from hanro.value import value
from hanro_sandbox.declared.keys import CARRIERS
from hanro_sandbox.declared.limits import MOST
from hanro_sandbox.functions import ANSWER_LINES, CANCEL, SHIP, Function


@value
class Entry:
    """Be one entry of a list: what it says, and the keys whose outcome is its result. `effect` is what asked for it."""

    keys: tuple[LineKey, ...]
    effect: OrderEffect
    body: Mapping[str, object]

    @property
    def order_id(self) -> str:
        """Give the order that it is about."""
        return self.effect.order.external_id


@value
class Way:
    """Be how a kind of effect is sent: by which function, and the name of the list in its body."""

    function: Function
    list_name: str
    write: Callable[[Sequence[OrderEffect]], list[Entry]]


def keys_of(effect: OrderEffect) -> tuple[LineKey, ...]:
    """Give one key for each line; what names none has one key of its own."""
    ids = effect.line_ids if isinstance(effect, Decision) else tuple(part.line_id for part in effect.lines)
    return tuple(LineKey(id=effect.id, line_id=line_id) for line_id in ids or ("",))


def check_keys(effects: Sequence[OrderEffect]) -> None:
    """Refuse what is our own bug.

    Raises:
        ValueError: more than 100 keys, a key twice, or an effect that names neither line nor claim nor all.
    """
    keys = [key for effect in effects for key in keys_of(effect)]
    if len(keys) > MOST:
        raise ValueError(f"at most {MOST} lines at once")
    if len(set(keys)) < len(keys):
        raise ValueError("a key twice")
    if not all(_names_something(effect) for effect in effects):
        raise ValueError("an effect that names no line")


def answers(effects: Sequence[OrderEffect]) -> list[Entry]:
    """Write decisions: one entry a line, one a claim."""
    found = []
    for effect in effects:
        if not isinstance(effect, Decision):
            raise ValueError("no decision")  # noqa: TRY004  the value is wrong, not its type
        groups = [keys_of(effect)] if effect.claim_id is not None else [(key,) for key in keys_of(effect)]
        found += [Entry(keys=keys, effect=effect, body=_answer(effect, keys[0].line_id)) for keys in groups]
    return found


def shipments(effects: Sequence[OrderEffect]) -> list[Entry]:
    """Write parcels, one entry each."""
    return [
        Entry(
            keys=keys_of(effect),
            effect=effect,
            body={
                "reference": effect.id,
                "order": effect.order.external_id,
                "package": effect.package_id,
                "lines": [_part(part) for part in effect.lines],
                "carrier": effect.tracking.marketplace_value,
                "number": effect.tracking.number,
                "url": effect.tracking.url,
                "shipped_on": None if effect.shipped_on is None else effect.shipped_on.isoformat(),
                "is_last": effect.is_last,
                "replaces": effect.replaces,
                "claim": effect.claim_id,
            },
        )
        for effect in effects
        if isinstance(effect, Shipment)
    ]


def cancellations(effects: Sequence[OrderEffect]) -> list[Entry]:
    """Write cancellations, one entry each; a whole one names no line, so that nothing is left behind."""
    return [
        Entry(
            keys=keys_of(effect),
            effect=effect,
            body={
                "reference": effect.id,
                "order": effect.order.external_id,
                "lines": [] if effect.is_whole else [_part(part) for part in effect.lines],
                "is_shipped": effect.is_shipped,
                "reason": effect.reason.value,
                "by": effect.by.value,
                "comment": effect.comment,
            },
        )
        for effect in effects
        if isinstance(effect, Cancellation)
    ]


ANSWERS = Way(function=ANSWER_LINES, list_name="answers", write=answers)
SHIPMENTS = Way(function=SHIP, list_name="shipments", write=shipments)
CANCELLATIONS = Way(function=CANCEL, list_name="cancellations", write=cancellations)


def way_of(effect: OrderEffect) -> Way:
    """Say how an effect is sent."""
    match effect:
        case Decision():
            return ANSWERS
        case Shipment():
            return SHIPMENTS
        case Cancellation():
            return CANCELLATIONS


def blocked(effect: OrderEffect) -> Rejected | None:
    """Say what would be refused before anything is sent: a carrier or a number that the catalogue does not take."""
    return _check_tracking(effect.tracking) if isinstance(effect, Shipment) else None


def _check_tracking(tracking: Tracking) -> Rejected | None:
    try:
        found = track(CARRIERS, tracking.carrier_code, tracking.number, tracking.url)
    except Rejected as refused:
        return refused
    if found.marketplace_value != tracking.marketplace_value:
        return Rejected("the sandbox does not name this carrier so", code="carrier-unsupported", field="carrier")
    return None


def _names_something(effect: OrderEffect) -> bool:
    match effect:
        case Decision():
            return bool(effect.line_ids) or effect.claim_id is not None
        case Shipment():
            return bool(effect.lines) or effect.replaces is not None
        case Cancellation():
            return bool(effect.lines) or effect.is_whole


def _answer(decision: Decision, line_id: str) -> dict[str, object]:
    is_delay = decision.delay is not None and decision.claim_id is None
    answer = "delay" if is_delay else "accept" if decision.answer is Answer.ACCEPT else "refuse"
    return {
        "order": decision.order.external_id,
        "line": line_id or None,
        "claim": decision.claim_id,
        "answer": answer,
        "ships_on": None if decision.ships_on is None else decision.ships_on.isoformat(),
        "reason": None if decision.delay is None else decision.delay.value,
        "note": decision.note,
    }


def _part(part: LinePart) -> dict[str, object]:
    return {
        "line": part.line_id,
        "quantity": part.quantity,
        "refund": None if part.refund is None else int(part.refund.amount),
        "price": None if part.left_price is None else int(part.left_price.amount),
    }
