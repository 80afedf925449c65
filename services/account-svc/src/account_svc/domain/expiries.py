"""Decides when it is told that a secret ends soon. Values in, values out."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from account_svc.domain.accounts import Account
from account_svc.domain.life_cycle import restate
from hanro.events.accounts import AccountFact, CredentialExpiring
from hanro.marketplace.types import KeyExpiry

THRESHOLDS = (30, 14, 7, 3, 1)
"""Days before the end of a secret at which it is told, each once."""
ALARM_AFTER = timedelta(hours=1)
"""A look-up that fails for so long is an alarm: until then it is tried again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Be how far the end of a secret is: whole days left, and the next warning, None: all were reached."""

    field: str
    expires_at: datetime
    days_left: int
    next_days: int | None
    next_at: datetime | None


def reached(expires_at: datetime, at: datetime) -> int | None:
    """Give the nearest threshold that was reached, in days; None: none yet, or the secret has ended."""
    if at >= expires_at:
        return None
    return min((days for days in THRESHOLDS if expires_at - timedelta(days=days) <= at), default=None)


def ending(expiry: KeyExpiry, at: datetime) -> Ending | None:
    """Say how far the end of a secret is; None where it does not end, or nobody knows when."""
    if expiry.expires is None:
        return None
    ahead = [days for days in THRESHOLDS if expiry.expires.at - timedelta(days=days) > at]
    next_days = max(ahead, default=None)
    return Ending(
        field=expiry.field,
        expires_at=expiry.expires.at,
        days_left=max(0, (expiry.expires.at - at) // timedelta(days=1)),
        next_days=next_days,
        next_at=None if next_days is None else expiry.expires.at - timedelta(days=next_days),
    )


def tell(account: Account, expiry: KeyExpiry, threshold_days: int, at: datetime) -> tuple[Account, AccountFact]:
    """Make the fact that a secret ends soon; it takes a version of the account like every fact.

    Raises:
        ValueError: nobody knows when it ends.
    """
    if expiry.expires is None:
        raise ValueError(f"nobody knows when {expiry.field} ends")
    after = replace(account, version=account.version + 1, changed_at=at)
    fact = restate(
        CredentialExpiring,
        after,
        field=expiry.field,
        expires_at=expiry.expires.at,
        expires_local=expiry.expires.local,
        source=expiry.source.value,
        threshold_days=threshold_days,
    )
    return after, fact
