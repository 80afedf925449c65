"""Decides what becomes of a message after an attempt, and of its account."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from notifier_svc.domain.messages import State

# A relay that greylists wants minutes; most that say "later" are well again in seconds.
MESSAGE_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 120, 300, 600, 1800))
# A relay that is away holds up all messages of the account; looking again is cheap.
ACCOUNT_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 45, 120, 300))
# hanro's own services come back within seconds, and mails that waited for them leave then.
OWN_PAUSES = ACCOUNT_PAUSES[:3]
# Only a person mends a refused login, and a newer credential ends the pause at once.
SELLER_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Be what an attempt means for its message: its state, and when to look again (None: its fate is known)."""

    state: State
    reason_code: str
    next_at: datetime | None


def judge(failure: Failure, *, failure_count: int, at: datetime) -> Verdict:
    """Say what a failed attempt means for its message; `failure_count` is how many failed in a row before.

    Only InDoubt leaves open whether it left; all others surely did not.
    """
    match failure:
        case InDoubt():
            return Verdict(state=State.IN_DOUBT, reason_code=failure.code, next_at=None)
        case Rejected() | Unsupported():
            return Verdict(state=State.REFUSED, reason_code=failure.code, next_at=None)
        case Retryable():
            pause = max(_nth(MESSAGE_PAUSES, failure_count), failure.after or timedelta())
            return Verdict(state=State.PLANNED, reason_code=failure.code, next_at=at + pause)
        case NeedsSeller() | ContractBroken():
            pause = _nth(MESSAGE_PAUSES, failure_count)
            return Verdict(state=State.PLANNED, reason_code=failure.code, next_at=at + pause)


def pause_after(failure: Failure, *, pause_count: int, at: datetime, is_own: bool = False) -> datetime:
    """Say until when nothing is sent for an account whose messages could not even be begun.

    `is_own`: a service of hanro failed, not the relay.
    """
    if isinstance(failure, NeedsSeller):
        return at + SELLER_PAUSE
    pause = _nth(OWN_PAUSES if is_own else ACCOUNT_PAUSES, pause_count)
    return at + (max(pause, failure.after or timedelta()) if isinstance(failure, Retryable) else pause)


def _nth(pauses: tuple[timedelta, ...], count: int) -> timedelta:
    return pauses[min(count, len(pauses) - 1)]
