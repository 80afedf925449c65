"""Decides what a marketplace's answers amount to, and what is done next about each wish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hanro.errors import Failure, InDoubt, Rejected
from hanro.marketplace.types import LineKey, Outcome, OutcomeStatus, Receipt, Ticket
from order_svc.domain.effects import CANCEL, Kind

ANSWERED = "is_answered"
TICKET = "ticket"
EXTERNAL_ID = "external_id"
LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Be what became of one effect as a whole: the worst of its lines, and the failure that goes with it.

    `external_id` is what the marketplace named it. `ticket` of one that is decided later. `is_answered`: the
    marketplace said yes, and it is read back before anybody believes it.
    """

    status: OutcomeStatus
    failure: Failure | None = None
    is_repeat: bool = False
    external_id: str | None = None
    ticket: Ticket | None = None
    is_answered: bool = False


# In doubt outranks all: as long as one line may have changed, nothing of the order is sent again.
_GRAVITY = (
    OutcomeStatus.IN_DOUBT,
    OutcomeStatus.SENT,
    OutcomeStatus.NOT_SENT,
    OutcomeStatus.REJECTED,
    OutcomeStatus.APPLIED,
)


def same_for_all(ids: Sequence[str], status: OutcomeStatus, failure: Failure | None) -> dict[str, Verdict]:
    """Give one verdict to many effects: nothing of the call arrived, or nobody knows."""
    return dict.fromkeys(ids, Verdict(status=status, failure=failure))


def verdicts(receipt: Receipt[LineKey], asked: Sequence[str]) -> dict[str, Verdict]:
    """Join the outcomes of lines to one verdict for each effect that was asked, by its id.

    One that the receipt does not name is in doubt, also where the port promises that each is named.
    """
    by_id: dict[str, list[Outcome[LineKey]]] = {one: [] for one in asked}
    for outcome in receipt.outcomes:
        by_id.setdefault(outcome.key.id, []).append(outcome)
    return {one: _joined(parts, receipt.ticket) for one, parts in by_id.items()}


def after_write(kind: Kind, found: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Take the answers to a write: of a kind that is read back a yes is no more than an answer."""
    return {
        one: replace(verdict, status=OutcomeStatus.SENT, ticket=None, is_answered=True)
        if kind.is_read_back and verdict.status is OutcomeStatus.APPLIED
        else verdict
        for one, verdict in found.items()
    }


def after_look(kind: Kind, verdict: Verdict, *, was_answered: bool, is_read: bool, age: timedelta) -> Verdict:
    """Take what a look at the order shows, `age` after it was sent.

    What the marketplace took and does not show is unconfirmed, and never sent again. What nobody answered for is not
    believed to be absent before it had time to be taken up. `is_read`: the look itself succeeded; where it cannot tell
    units that are gone, since nobody knows how many there were, the marketplace's yes to a cancellation stands.
    """
    if was_answered and is_read and kind.name == CANCEL and verdict.status is OutcomeStatus.IN_DOUBT:
        return replace(verdict, status=OutcomeStatus.APPLIED, failure=None)
    if verdict.status is not OutcomeStatus.NOT_SENT:
        return replace(verdict, is_answered=was_answered)
    if was_answered:
        unconfirmed = InDoubt("the marketplace took it and does not show it yet", code="unconfirmed")
        return replace(verdict, status=OutcomeStatus.IN_DOUBT, failure=unconfirmed, is_answered=True)
    if age < kind.absent_after:
        lost = InDoubt("no answer came, and the marketplace does not show it yet", code="answer-lost")
        return replace(verdict, status=OutcomeStatus.IN_DOUBT, failure=lost)
    return verdict


def remembered(verdict: Verdict, before: Mapping[str, object] | None) -> dict[str, object]:
    """Give what an operation keeps of a verdict until the next look.

    A name that was given once stays, and so does what must be left.
    """
    kept: dict[str, object] = {}
    external_id = verdict.external_id or (before or {}).get(EXTERNAL_ID)
    if verdict.is_answered:
        kept[ANSWERED] = True
    if external_id is not None:
        kept[EXTERNAL_ID] = external_id
    if before and LEFT in before:
        kept[LEFT] = before[LEFT]
    ticket = verdict.ticket
    if ticket is not None and verdict.status is OutcomeStatus.SENT:
        kept[TICKET] = {
            "method": ticket.method,
            "external_id": ticket.external_id,
            "sent_at": ticket.sent_at.isoformat(),
            "poll_at": ticket.poll_at.isoformat(),
            "gives_up_at": ticket.gives_up_at.isoformat(),
            "cursor": ticket.cursor,
        }
    return kept


def ticket_of(answer: Mapping[str, object] | None) -> Ticket | None:
    """Read the ticket that an operation keeps; None: it has none."""
    kept = (answer or {}).get(TICKET)
    if not isinstance(kept, Mapping):
        return None
    return Ticket(
        method=str(kept["method"]),
        external_id=str(kept["external_id"]),
        sent_at=datetime.fromisoformat(str(kept["sent_at"])),
        poll_at=datetime.fromisoformat(str(kept["poll_at"])),
        gives_up_at=datetime.fromisoformat(str(kept["gives_up_at"])),
        cursor=None if kept["cursor"] is None else str(kept["cursor"]),
    )


def epoch_past() -> Rejected:
    """Say that a wish belongs to an older link of its account."""
    return Rejected("the account was unlinked since this was asked for", code="epoch-past")


def told(failure: Failure) -> dict[str, object]:
    """Give a failure as an operation keeps it: who must act, why, and what the marketplace said."""
    refusal = failure.refusal
    return {
        "error": type(failure).__name__,
        "code": failure.code,
        "why": failure.why,
        "grant_id": failure.grant_id,
        "remedy": None if failure.remedy is None else {"ja": failure.remedy.ja, "en": failure.remedy.en},
        "refusal": None
        if refusal is None
        else {
            "code": refusal.code,
            "message": refusal.message,
            "http_status": refusal.http_status,
            "request_id": refusal.request_id,
        },
    }


def _joined(parts: Sequence[Outcome[LineKey]], ticket: Ticket | None) -> Verdict:
    if not parts:
        unread = InDoubt("the answer does not say what became of it", code="answer-unreadable")
        return Verdict(status=OutcomeStatus.IN_DOUBT, failure=unread)
    worst = min(parts, key=lambda part: _GRAVITY.index(part.status))
    return Verdict(
        status=worst.status,
        failure=worst.failure,
        is_repeat=all(part.is_repeat for part in parts),
        external_id=next((part.external_id for part in parts if part.external_id), None),
        ticket=ticket if worst.status is OutcomeStatus.SENT else None,
    )
