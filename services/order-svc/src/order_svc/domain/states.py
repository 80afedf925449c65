"""Decides which moves of a line are believed, and what claims make of its units."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

from hanro.events.orders import OrderClaim, OrderLine, OrderState
from hanro.marketplace.types import Claim, ClaimKind, ClaimStage, OrderStatus, Party, SeenOrder
from order_svc.domain.amounts import stated

_ENDS: frozenset[OrderState] = frozenset({"shipped", "completed", "cancelling", "cancelled"})
_OPEN: frozenset[OrderState] = frozenset({"accepted", "ready", "on_hold"})

MOVES: Mapping[OrderState, frozenset[OrderState]] = {
    "pending": _ENDS | _OPEN | {"new"},
    "new": _ENDS | _OPEN | {"pending"},
    "accepted": _ENDS | {"ready", "on_hold"},
    "ready": _ENDS | {"accepted", "on_hold"},
    # A change of an order that nobody has accepted yet is decided there too.
    "on_hold": _ENDS | {"pending", "new", "accepted", "ready"},
    "shipped": frozenset({"completed", "cancelling", "cancelled"}),
    "completed": frozenset({"cancelling", "cancelled"}),
    # A cancellation that is refused or withdrawn leaves the line as it was.
    "cancelling": frozenset(cast("OrderState", status.value) for status in OrderStatus) - {"cancelling"},
    "cancelled": frozenset(),
}
"""Where a line may go next, as docs/order-states.md shows; from `cancelled` a withdrawal alone leads back."""


def believed(known: OrderState | None, shown: OrderState, *, is_withdrawn: bool) -> OrderState:
    """Give the status of a line after a newer sighting: an answer that goes back where nothing can is stale.

    Marketplaces answer from copies that lag, so that a newer answer may show an older state.
    """
    if known is None or shown in MOVES[known] or (known == "cancelled" and is_withdrawn):
        return shown
    return known


def status_shown(line_id: str, quantity: int, status: OrderStatus, claims: Iterable[Claim]) -> OrderState:
    """Give the status that a sighting shows of a line: claims of all its units outrank its own."""
    for claim in claims:
        if claim.kind is ClaimKind.CANCEL and claim.line_id == line_id and claim.quantity in {None, quantity}:
            if claim.stage is ClaimStage.DONE:
                return "cancelled"
            if claim.stage is ClaimStage.RUNNING and status is not OrderStatus.CANCELLED:
                return "cancelling"
    return cast("OrderState", status.value)


def is_withdrawn(line_id: str, claims: Iterable[Claim]) -> bool:
    """Tell whether a cancellation of a line, or of the whole order, was withdrawn."""
    return any(
        claim.kind is ClaimKind.CANCEL and claim.stage is ClaimStage.WITHDRAWN and claim.line_id in {None, line_id}
        for claim in claims
    )


def join_claims(known: Sequence[OrderClaim], seen: SeenOrder) -> tuple[OrderClaim, ...]:
    """Join the claims that are known with those a sighting shows, each once by its id; what is not shown stays."""
    joined = {claim.external_id: claim for claim in known}
    for claim in seen.claims:
        before = joined.get(claim.external_id)
        asked_at = claim.requested.at if claim.requested else before.requested_at if before else seen.seen_at
        joined[claim.external_id] = OrderClaim(
            external_id=claim.external_id,
            kind=claim.kind.value,
            stage=claim.stage.value,
            line_id=claim.line_id,
            quantity=claim.quantity,
            by=claim.by.value if claim.by else None,
            amount=stated(claim.amount) if claim.amount else None,
            requested_at=asked_at,
            completed_at=claim.completed.at if claim.completed else None,
        )
    return tuple(joined.values())


def cancelled_units(
    known: OrderLine | None, *, line_id: str, quantity: int, status: OrderState, claims: Iterable[OrderClaim]
) -> int:
    """Give how many units of a line are cancelled: what it had once and has no more, or what claims say, if more."""
    had = 0
    if known is not None:
        had = known.cancelled_quantity + (0 if known.status == "cancelled" else known.quantity)
    ordered = max(had, quantity)
    if status == "cancelled":
        return ordered
    done = _done(claims, ClaimKind.CANCEL, line_id)
    return max(ordered - quantity, sum(claim.quantity or 0 for claim in done))


def returned_units(line_id: str, shipped: int, claims: Iterable[OrderClaim]) -> int:
    """Give how many units of a line came back: each claim counts once, and never more come back than left."""
    done = _done(claims, ClaimKind.RETURN, line_id)
    return min(shipped, sum(shipped if claim.quantity is None else claim.quantity for claim in done))


def cancellation_requested_at(status: OrderState, claims: Iterable[OrderClaim]) -> datetime | None:
    """Give since when the buyer's wish to cancel waits for an answer; None: nothing waits, or it is cancelled."""
    if status == "cancelled":
        return None
    waiting = (
        claim.requested_at
        for claim in claims
        if (claim.kind, claim.stage) == ("cancel", "requested") and claim.by != Party.SELLER.value
    )
    return min(waiting, default=None)


def _done(claims: Iterable[OrderClaim], kind: ClaimKind, line_id: str) -> list[OrderClaim]:
    return [
        claim
        for claim in claims
        if claim.kind == kind.value and claim.stage == ClaimStage.DONE.value and claim.line_id == line_id
    ]
