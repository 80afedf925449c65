"""Says what effects on orders need, and what became of them: verdicts, and the outcome of each line."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from hanro.errors import Failure, InDoubt, Refusal, Rejected
from hanro.marketplace.types import (
    Answer,
    Cancellation,
    Capability,
    Decision,
    LineKey,
    OrderEffect,
    OrderStatus,
    Outcome,
    OutcomeStatus,
    SeenOrder,
    Shipment,
    Sighting,
    Supported,
)
from hanro.value import value
from hanro_rakuten_ichiba.declared.capabilities import CAPABILITIES, unsupported
from hanro_rakuten_ichiba.declared.limits import ORDERS_PER_CALL

Effect = TypeVar("Effect", bound=OrderEffect)


@value
class Verdict:
    """Say what became of one order, or of one effect on it; `external_id` is what they gave."""

    status: OutcomeStatus
    failure: Failure | None = None
    is_repeat: bool = False
    external_id: str | None = None
    details: tuple[tuple[str, str], ...] = ()


def capability_of(effect: OrderEffect) -> Capability:
    """Tell which capability an effect needs."""
    match effect:
        case Shipment():
            needed = Capability.SHIP if effect.replaces is None else Capability.CORRECT_SHIPMENT
            return needed if effect.claim_id is None else Capability.ANSWER_EXCHANGE
        case Cancellation():
            return _cancelling(effect)
        case Decision():
            return _deciding(effect)


def _cancelling(cancellation: Cancellation) -> Capability:
    if any(part.refund is not None for part in cancellation.lines):
        return Capability.REFUND_AMOUNT
    if cancellation.is_shipped:
        return Capability.CANCEL_SHIPPED
    return Capability.CANCEL_ORDER if cancellation.is_whole else Capability.CANCEL_LINE


def _deciding(decision: Decision) -> Capability:
    if decision.claim_id is not None:
        return Capability.ANSWER_CANCELLATION
    if decision.answer is Answer.REFUSE:
        return Capability.REFUSE_LINE
    return Capability.ACCEPT if decision.delay is None else Capability.ANNOUNCE_DELAY


def supported(effects: Sequence[Effect]) -> list[Effect]:
    """Give the effects that can be expressed.

    Raises:
        Unsupported: there are effects, and none of them can.
    """
    found = [effect for effect in effects if absent(effect) is None]
    if effects and not found:
        raise unsupported(capability_of(effects[0]))
    return found


def absent(effect: OrderEffect) -> Verdict | None:
    """Judge an effect that cannot be expressed; None: it can."""
    capability = capability_of(effect)
    if isinstance(CAPABILITIES[capability], Supported):
        return None
    return Verdict(status=OutcomeStatus.REJECTED, failure=unsupported(capability))


def check_keys(effects: Sequence[OrderEffect], most: int = ORDERS_PER_CALL) -> None:
    """Refuse what is our own bug.

    Raises:
        ValueError: more than so many orders, a key twice, or an effect that names no line.
    """
    if len(numbers_of(effects)) > most:
        raise ValueError(f"at most {most} orders at once")
    keys = [key for effect in effects for key in keys_of(effect)]
    if len(set(keys)) < len(keys):
        raise ValueError("a key twice")
    if not all(keys_of(effect) for effect in effects):
        raise ValueError("an effect that names no line")


def numbers_of(effects: Sequence[OrderEffect]) -> list[str]:
    """Give the orders of effects, each once."""
    return list(dict.fromkeys(effect.order.external_id for effect in effects))


def keys_of(effect: OrderEffect) -> tuple[LineKey, ...]:
    """Give one key for each line; an answer to a claim has one key of its own."""
    if not isinstance(effect, Decision):
        return tuple(LineKey(id=effect.id, line_id=part.line_id) for part in effect.lines)
    if effect.claim_id is not None and not effect.line_ids:
        return (LineKey(id=effect.id, line_id=""),)
    return tuple(LineKey(id=effect.id, line_id=line_id) for line_id in effect.line_ids)


def outcomes_of(effect: OrderEffect, verdict: Verdict, sighting: Sighting | None) -> list[Outcome[LineKey]]:
    """Give the outcome of each line; lines that the order does not have, or no longer, are told apart."""
    known: Mapping[str, OrderStatus] = {}
    if isinstance(sighting, SeenOrder):
        known = {line.external_id: line.status for line in sighting.lines}
    outcomes = []
    for key in keys_of(effect):
        own = verdict
        if verdict.status is OutcomeStatus.APPLIED and known and key.line_id not in known:
            own = rejected("the order has no such line", "not-found")
        elif (
            verdict.status is OutcomeStatus.APPLIED
            and known.get(key.line_id) is OrderStatus.CANCELLED
            and not all(status is OrderStatus.CANCELLED for status in known.values())
        ):
            own = rejected("the line was taken out of the order", "order-cancelled")
        outcomes.append(
            Outcome(
                key=key,
                status=own.status,
                failure=own.failure,
                is_repeat=own.is_repeat,
                external_id=own.external_id,
                details=own.details,
            )
        )
    return outcomes


def may_have_effect(verdict: Verdict) -> bool:
    """Tell whether something there may have changed."""
    return verdict.status in (OutcomeStatus.APPLIED, OutcomeStatus.IN_DOUBT) and not verdict.is_repeat


def rejected(why: str, code: str, refusal: Refusal | None = None) -> Verdict:
    """Say that something was surely not done."""
    return Verdict(status=OutcomeStatus.REJECTED, failure=Rejected(why, code=code, refusal=refusal))


def in_doubt(cause: Failure) -> Verdict:
    """Leave it in doubt, for what made it so."""
    if isinstance(cause, InDoubt):
        return Verdict(status=OutcomeStatus.IN_DOUBT, failure=cause)
    failure = InDoubt("the answer does not tell what became of it", code="answer-unreadable", refusal=cause.refusal)
    return Verdict(status=OutcomeStatus.IN_DOUBT, failure=failure)
