"""Decides what becomes of a second set of credentials: when it is tried, when it takes over, when it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from account_svc.domain.accounts import Account, Reason, State
from account_svc.domain.preflights import (
    FIRST_RETRY,
    LONGEST_RETRY,
    LOOK_SETTLING,
    Ground,
    find_blame,
    is_credential_refused,
    login_grants,
    needed_grants,
)
from hanro.doubling import doubled
from hanro.errors import LocalizedText
from hanro.marketplace.types import GrantState, KeyLife, PreflightRow

SETTLING = "key-settling"
DEAD_CODES = frozenset({"credential-refused", "credential-expired", SETTLING})

OVERLAP = timedelta(days=1)
"""How long credentials that were replaced are kept, to come back where the new ones turn out to be refused."""
LOOK_WAITING = timedelta(minutes=2)
"""How soon a key that is refused while it is new is tried again while another one works: its calls have the rate."""

_WAIT = "操作は不要です。新しいキーが有効になるまで自動で確認します。遅くとも {} まで。"
_NOTHING_TO_DO = "The new key settles: there is nothing to do, it is tried again by itself until {}."


class SpareState(StrEnum):
    """Say how the set of credentials stands that is not in use.

    Waiting: not tried yet. Settling: refused so far, and tried again because new keys are refused for a while. Refused:
    it failed its probes and takes over nothing. Retiring: it was in use, and works on until it ends.
    """

    WAITING = "waiting"
    SETTLING = "settling"
    REFUSED = "refused"
    RETIRING = "retiring"


class Verdict(StrEnum):
    """Say what the probes of a set of credentials mean for it."""

    PASSED = "passed"
    SETTLING = "settling"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Be what probes said of a set of credentials; `reason`: why it did not pass, `until`: how long it may settle."""

    verdict: Verdict
    reason: Reason | None = None
    until: datetime | None = None


def settles_until(lives: Sequence[KeyLife], stored_at: datetime) -> datetime:
    """Say until when a key that was stored then may be refused although it is good."""
    return stored_at + max((life.settles_within for life in lives), default=timedelta())


def wanted_grants(ground: Ground) -> frozenset[str]:
    """Name the grants that credentials must have to take over: what the account cannot work without, and logins."""
    return needed_grants(ground) | login_grants(ground)


def judge_trial(
    ground: Ground,
    rows: Mapping[str, PreflightRow],
    in_use: Mapping[str, GrantState],
    *,
    until: datetime,
    zone: tzinfo,
    at: datetime,
) -> Trial:
    """Say what the probes of the wanted grants mean; `in_use` are the states of those with the present credentials.

    A login that is refused counts where the present credentials have it: what takes over must not lose it.
    """
    needed = needed_grants(ground)
    states = {grant_id: row.state for grant_id, row in rows.items()}
    lost = [
        grant.id
        for grant in ground.grants
        if states.get(grant.id) is GrantState.DENIED
        and (grant.id in needed or in_use.get(grant.id) is GrantState.GRANTED)
    ]
    if is_key_refused(ground, rows):
        reason = find_blame(ground, rows)
        if at < until:
            return Trial(verdict=Verdict.SETTLING, reason=settling(reason, until, zone), until=until)
        return Trial(verdict=Verdict.REFUSED, reason=reason)
    if lost:
        return Trial(verdict=Verdict.REFUSED, reason=find_blame(ground, rows))
    if any(states.get(one) is not GrantState.GRANTED for one in needed):
        return Trial(verdict=Verdict.UNKNOWN, reason=find_blame(ground, rows))
    return Trial(verdict=Verdict.PASSED)


def is_key_refused(ground: Ground, rows: Mapping[str, PreflightRow]) -> bool:
    """Tell whether what was probed says that the key is dead, or too new."""
    needed = needed_grants(ground)
    return is_credential_refused(ground, rows) or any(
        rows[one].state is GrantState.PENDING and rows[one].retry_at is not None for one in needed if one in rows
    )


def settling(blamed: Reason | None, until: datetime, zone: tzinfo) -> Reason:
    """Make the one reason of an account whose new key settles: nothing to do, until when."""
    local = until.astimezone(zone)
    shown = f"{local:%H:%M} ({local.tzname()})"
    return Reason(
        code=SETTLING,
        why=_NOTHING_TO_DO.format(shown),
        grant_id=blamed.grant_id if blamed else None,
        refusal=blamed.refusal if blamed else None,
        remedy=LocalizedText(ja=_WAIT.format(shown), en=_NOTHING_TO_DO.format(shown)),
        menu=blamed.menu if blamed else None,
    )


def is_key_dead(account: Account) -> bool:
    """Tell whether the credentials in use are known to be refused."""
    return account.state is State.SUSPENDED and account.reason is not None and account.reason.code in DEAD_CODES


def next_trial(trial: Trial, failures: int, at: datetime, *, is_waited_for: bool) -> datetime | None:
    """Say when credentials that did not pass are tried again; None: not by themselves.

    `is_waited_for`: nothing works until they are taken.
    """
    match trial.verdict:
        case Verdict.SETTLING:
            return at + (LOOK_SETTLING if is_waited_for else LOOK_WAITING)
        case Verdict.UNKNOWN:
            return at + doubled(FIRST_RETRY, failures, LONGEST_RETRY)
        case Verdict.REFUSED | Verdict.PASSED:
            return None
