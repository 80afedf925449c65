"""Decides whether an order may be accepted, and what becomes of a wish to accept once the marketplace has answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from hanro.errors import Failure, Rejected, Unsupported
from hanro.marketplace.types import Absent, Answer, Decision, LineKey, OrderRef, Outcome, OutcomeStatus, Support
from order_svc.domain.accounts import Account
from order_svc.domain.orders import CONFIRMED, Order

ACCEPT = "accept"


def check_acceptable(order: Order) -> None:
    """Let an order be accepted only while it waits for that and nothing holds it.

    Raises:
        Rejected: order-quarantined, order-cancelled, already-decided, order-held; not-waiting in any other status.
    """
    if order.is_quarantined:
        raise Rejected("the order cannot be read yet, so it cannot be accepted", code="order-quarantined")
    if order.status in {"cancelled", "cancelling"}:
        raise Rejected("the order is cancelled, or its cancellation is being decided", code="order-cancelled")
    if order.status in CONFIRMED:
        raise Rejected("the order is accepted already", code="already-decided")
    if order.holds:
        raise Rejected(f"the marketplace holds the order: {', '.join(order.holds)}", code="order-held")
    if order.status != "new":
        raise Rejected(f"an order that is {order.status} does not wait to be accepted", code="not-waiting")


def acceptance(operation_id: str, order: Order) -> Decision:
    """Say yes to all lines of an order that wait for it; to those that stand, where it was accepted meanwhile."""
    waiting = [line for line in order.lines if line.status == "new"]
    standing = [line for line in order.lines if line.status != "cancelled"]
    line_ids = tuple(line.external_id for line in waiting or standing)
    return Decision(
        id=operation_id,
        order=OrderRef(external_id=order.external_id, line_ids=line_ids, placed_at=order.placed_at),
        answer=Answer.ACCEPT,
        line_ids=line_ids,
        claim_id=None,
        ships_on=None,
        delay=None,
        note=None,
        ships_from=None,
        return_to=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Be what became of one decision as a whole: the worst of its lines, and the failure that goes with it."""

    status: OutcomeStatus
    failure: Failure | None
    is_repeat: bool


# In doubt outranks all: as long as one line may have changed, nothing of the order is sent again.
_GRAVITY = (
    OutcomeStatus.IN_DOUBT,
    OutcomeStatus.SENT,
    OutcomeStatus.NOT_SENT,
    OutcomeStatus.REJECTED,
    OutcomeStatus.APPLIED,
)


def same_for_all(ids: Sequence[str], status: OutcomeStatus, failure: Failure | None) -> dict[str, Verdict]:
    """Give one verdict to many decisions: nothing of the call arrived, or nobody knows."""
    return dict.fromkeys(ids, Verdict(status=status, failure=failure, is_repeat=False))


def verdicts(outcomes: Sequence[Outcome[LineKey]]) -> dict[str, Verdict]:
    """Join the outcomes of lines to one verdict for each decision, by decision id."""
    by_decision: dict[str, list[Outcome[LineKey]]] = {}
    for outcome in outcomes:
        by_decision.setdefault(outcome.key.id, []).append(outcome)
    found = {}
    for decision_id, parts in by_decision.items():
        worst = min(parts, key=lambda part: _GRAVITY.index(part.status))
        found[decision_id] = Verdict(
            status=worst.status, failure=worst.failure, is_repeat=all(part.is_repeat for part in parts)
        )
    return found


def check_supported(support: Support | None) -> None:
    """Let an order be accepted only where the marketplace takes that by its API.

    Raises:
        Unsupported: it does not, or it is not installed; with the reason and the way by hand (absent).
    """
    if support is None:
        raise Unsupported("no plug-in of this marketplace is installed", code="absent")
    if isinstance(support, Absent):
        raise Unsupported(support.reason.en, code="absent", remedy=support.reason, menu=support.menu)


def epoch_past() -> Rejected:
    """Say that a wish belongs to an older link of its account."""
    return Rejected("the account was unlinked since this was asked for", code="epoch-past")


def still_wanted(order: Order, account: Account, *, asked_epoch: int) -> Rejected | None:
    """Say why a wish is not sent any more; None: send it.

    An order that was accepted in the meantime is sent all the same: the marketplace says that it stands.
    """
    if asked_epoch < account.epoch:
        return epoch_past()
    try:
        check_acceptable(order)
    except Rejected as refused:
        return None if refused.code == "already-decided" else refused
    return None


def told(failure: Failure) -> dict[str, object]:
    """Give a failure as an operation keeps it: who must act, why, and what the marketplace said."""
    refusal = failure.refusal
    return {
        "error": type(failure).__name__,
        "code": failure.code,
        "why": failure.why,
        "grant_id": failure.grant_id,
        "refusal": None
        if refusal is None
        else {
            "code": refusal.code,
            "message": refusal.message,
            "http_status": refusal.http_status,
            "request_id": refusal.request_id,
        },
    }
