"""Judges what became of an effect: from what the sandbox said of it, and from the order as it stands."""

import json
from collections.abc import Mapping
from typing import Any

from hanro.errors import ContractBroken, Failure, InDoubt, Refusal, Rejected, Retryable
from hanro.marketplace import status_of
from hanro.marketplace.types import (
    Answer,
    Cancellation,
    ClaimStage,
    Decision,
    Line,
    LineKey,
    OrderEffect,
    OrderStatus,
    Outcome,
    OutcomeStatus,
    SeenOrder,
    Shipment,
    Sighting,
)
from hanro.value import value

_CODES: Mapping[str, str] = {
    "unknown_order": "not-found",
    "unknown_line": "not-found",
    "unknown_package": "not-found",
    "unknown_parcel": "not-found",
    "unknown_claim": "not-found",
    "order_cancelled": "order-cancelled",
    "already_answered": "already-decided",
    "too_late": "decision-too-late",
    "unknown_carrier": "carrier-unsupported",
}
_EXPIRED = "expired"


@value
class Verdict:
    """Say what became of one entry."""

    status: OutcomeStatus
    failure: Failure | None = None
    is_repeat: bool = False
    external_id: str | None = None

    def outcome(self, key: LineKey) -> Outcome[LineKey]:
        """Give it as the outcome of a key."""
        return Outcome(
            key=key,
            status=self.status,
            failure=self.failure,
            is_repeat=self.is_repeat,
            external_id=self.external_id,
        )


APPLIED = Verdict(status=OutcomeStatus.APPLIED)
REPEATED = Verdict(status=OutcomeStatus.APPLIED, is_repeat=True)
SENT = Verdict(status=OutcomeStatus.SENT)


def read_verdict(result: Mapping[str, Any] | None, refusal: Refusal) -> Verdict:
    """Read what the sandbox said of one entry; nothing, or a word that is not documented, leaves it in doubt."""
    match (result or {}).get("result"):
        case "done" | "repeat" as word:
            parcel = (result or {}).get("parcel")
            external_id = parcel if isinstance(parcel, str) else None
            return Verdict(status=OutcomeStatus.APPLIED, is_repeat=word == "repeat", external_id=external_id)
        case "refused":
            return rejected("the sandbox refused it", _CODES.get(refusal.code, "refused"), refusal)
        case _:
            return in_doubt(ContractBroken("no result tells what became of it", code="unreadable"))


def judge_unread(sighting: Sighting | None) -> Verdict | None:
    """Reject what is asked of an order that is not there, or that cannot be read."""
    if sighting is None:
        return rejected("the sandbox does not know the order", "not-found")
    if not isinstance(sighting, SeenOrder):
        return rejected("the order cannot be read, so its lines are not known", "refused")
    return None


def judge_standing(effect: OrderEffect, key: LineKey, order: SeenOrder) -> Verdict | None:
    """Decide what needs no request: a line that stands answered so already. None: ask, for their own words."""
    if not isinstance(effect, Decision) or effect.claim_id is not None or effect.delay is not None:
        return None
    line = next((one for one in order.lines if one.external_id == key.line_id), None)
    if line is None:
        return rejected("the order has no such line", "not-found")
    return REPEATED if line.details.get("answer") == effect.answer.value else None


def judge_read_back(effect: OrderEffect, key: LineKey, sighting: Sighting | None) -> Verdict:
    """Tell of one key whether it stands, surely does not, can no longer happen, or cannot be told."""
    if sighting is None:
        return rejected("the sandbox does not know the order", "not-found")
    if not isinstance(sighting, SeenOrder):
        return in_doubt(sighting.failure)
    match effect:
        case Decision():
            return _decided(effect, key, sighting)
        case Shipment():
            return _shipped(effect, sighting)
        case Cancellation():
            return _cancelled(effect, key, sighting)


def rejected(why: str, code: str, refusal: Refusal | None = None) -> Verdict:
    """Say that an entry surely had no effect."""
    return Verdict(status=OutcomeStatus.REJECTED, failure=Rejected(why, code=code, refusal=refusal))


def not_sent(failure: Failure) -> Verdict:
    """Say that an entry is surely not there."""
    return Verdict(status=OutcomeStatus.NOT_SENT, failure=failure)


def in_doubt(cause: Failure) -> Verdict:
    """Leave an entry in doubt, for what made it so."""
    if not isinstance(cause, InDoubt):
        why = "the answer does not tell whether it was carried out"
        cause = InDoubt(why, code="answer-unreadable", refusal=cause.refusal)
    return Verdict(status=OutcomeStatus.IN_DOUBT, failure=cause)


def may_have_effect(verdict: Verdict) -> bool:
    """Tell whether something there may have changed."""
    effective = (OutcomeStatus.APPLIED, OutcomeStatus.SENT, OutcomeStatus.IN_DOUBT)
    return verdict.status in effective and not verdict.is_repeat


_ABSENT = not_sent(Retryable("it is not there", code="unavailable"))


def _decided(decision: Decision, key: LineKey, order: SeenOrder) -> Verdict:
    if decision.claim_id is not None:
        return _claim_answered(decision, order)
    line = next((one for one in order.lines if one.external_id == key.line_id), None)
    if line is None:
        return rejected("the order has no such line", "not-found")
    if decision.delay is not None:
        return APPLIED if line.ship_by == decision.ships_on else _ABSENT
    return _answered(decision, line)


def _answered(decision: Decision, line: Line) -> Verdict:
    answer = line.details.get("answer")
    if answer is not None:
        is_so = answer == decision.answer.value
        return APPLIED if is_so else rejected("the line has another answer", "already-decided")
    if line.status_text == _EXPIRED:
        return rejected("the time to answer is over", "decision-too-late")
    if line.status is OrderStatus.CANCELLED:
        return rejected("the line was cancelled", "order-cancelled")
    return _ABSENT


def _claim_answered(decision: Decision, order: SeenOrder) -> Verdict:
    claim = next((one for one in order.claims if one.external_id == decision.claim_id), None)
    if claim is None:
        return rejected("the order has no such claim", "not-found")
    if claim.stage is ClaimStage.REQUESTED:
        return _ABSENT
    is_accepted = claim.stage is not ClaimStage.WITHDRAWN
    is_so = is_accepted == (decision.answer is Answer.ACCEPT)
    return APPLIED if is_so else rejected("the claim has another answer", "already-decided")


def _shipped(shipment: Shipment, order: SeenOrder) -> Verdict:
    """Find a parcel by its reference, else by carrier and number."""
    for package in json.loads(order.raw)["packages"]:
        for parcel in package["parcels"]:
            is_own = parcel.get("reference") == shipment.id
            same = (parcel["carrier"], parcel["number"]) == (
                shipment.tracking.marketplace_value,
                shipment.tracking.number,
            )
            is_there = shipment.package_id in (None, package["id"]) and shipment.replaces in (None, parcel["id"])
            if is_own or (same and is_there and shipment.tracking.number is not None):
                return Verdict(status=OutcomeStatus.APPLIED, external_id=parcel["id"])
    if status_of(order.lines) is OrderStatus.CANCELLED:
        return rejected("the order was cancelled", "order-cancelled")
    return _ABSENT


def _cancelled(cancellation: Cancellation, key: LineKey, order: SeenOrder) -> Verdict:
    """Find a cancellation by its reference, else by what is left."""
    if any(claim.get("reference") == cancellation.id for claim in json.loads(order.raw)["claims"]):
        return APPLIED
    lines = [line for line in order.lines if cancellation.is_whole or line.external_id == key.line_id]
    if not lines:
        return rejected("the order has no such line", "not-found")
    return APPLIED if all(line.status is OrderStatus.CANCELLED for line in lines) else _ABSENT
