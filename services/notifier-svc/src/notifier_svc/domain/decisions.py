"""Decides what a person's decision makes of a message in doubt."""

from dataclasses import replace
from datetime import datetime

from hanro.errors import Rejected
from notifier_svc.domain.messages import Decision, Message, State
from notifier_svc.domain.planning import LONGEST_AGE


def resolve(message: Message, decision: Decision, *, by: str, at: datetime) -> Message:
    """Apply a decision: it was sent there; send it again, as a new attempt with the same Message-ID; or give it up.

    The same decision again changes nothing.

    Raises:
        Rejected: the message is not in doubt; code "already-decided".
    """
    if message.state is not State.IN_DOUBT:
        if message.decision is decision and message.state in _AFTER[decision]:
            return message
        raise Rejected(f"The message is {message.state.value}, not in doubt.", code="already-decided")
    decided = replace(message, decision=decision, decided_by=by, decided_at=at, changed_at=at)
    match decision:
        case Decision.SENT_THERE:
            return replace(decided, state=State.HANDED_OVER, reason_code=None, version=message.version + 1)
        case Decision.GIVE_UP:
            return replace(decided, state=State.SUPPRESSED, reason_code="given-up", version=message.version + 1)
        case Decision.SEND_AGAIN:
            return replace(
                decided, state=State.PLANNED, reason_code=None, next_at=at, expires_at=at + LONGEST_AGE, failure_count=0
            )


_AFTER = {
    Decision.SENT_THERE: {State.HANDED_OVER},
    Decision.GIVE_UP: {State.SUPPRESSED},
    Decision.SEND_AGAIN: {State.PLANNED, State.SENDING, State.HANDED_OVER, State.REFUSED},
}
