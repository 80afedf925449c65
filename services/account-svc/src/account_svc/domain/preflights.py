"""Decides what the rows of a preflight mean: what is lost, whether the account works, what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from account_svc.domain.accounts import Reason, SeenGrant
from account_svc.domain.happenings import Judged, Standing
from hanro.doubling import doubled
from hanro.errors import LocalizedText, MenuPath
from hanro.marketplace.types import Capability, Grant, GrantState, PreflightRow, ProbeKind, Support, Supported

NEEDED = (Capability.FIND_ORDERS, Capability.FETCH_ORDER)
"""Without these an account cannot see its orders, and what it exposes elsewhere would be sold twice."""

CALLS = frozenset({ProbeKind.READ, ProbeKind.REFUSED})
HTTP_UNAUTHORISED = 401
WANTING = frozenset({GrantState.DENIED, GrantState.PENDING})

_KEY_REMEDY = LocalizedText(
    ja="マーケットプレイスで新しいキーを発行し、ここに入力し直してください。",
    en="Issue a new key at the marketplace and enter it here.",
)
_WAIT_REMEDY = LocalizedText(
    ja="操作は不要です。自動でもう一度確認します。", en="There is nothing to do: it is checked again by itself."
)
_APPROVAL_REMEDY = LocalizedText(
    ja="マーケットプレイスの承認をお待ちください。承認後は自動でもう一度確認します。",
    en="Wait for the marketplace's approval; it is checked again by itself.",
)

RECHECK = timedelta(days=1)
RECHECK_FAILED = timedelta(hours=1)
FIRST_RETRY = timedelta(seconds=15)
LONGEST_RETRY = timedelta(minutes=10)
LOOK_SETTLING = timedelta(seconds=20)
"""How soon a key that is refused while it is new is tried again, where nothing works until it is taken."""


class Declares(Protocol):
    """Declare grants, and what each capability needs of them: a plug-in does."""

    @property
    def grants(self) -> Sequence[Grant]:
        """Give what a seller switches on."""

    @property
    def capabilities(self) -> Mapping[Capability, Support]:
        """Give what can be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """Be something on the checklist that waits for the marketplace: its name, and where the seller sees it there."""

    title: LocalizedText
    menu: MenuPath | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Be what rows are judged on: the plug-in's grants and capabilities, and what is known already.

    `known` are the states found earlier with the same credentials. `is_expired`: a secret's known end has passed.
    `key_menu` is where a new key is issued. `awaited`: the seller's checklist holds something that was applied for and
    that the marketplace has not decided yet.
    """

    grants: Sequence[Grant]
    capabilities: Mapping[Capability, Support]
    known: Mapping[str, GrantState]
    is_expired: bool
    key_menu: MenuPath | None
    awaited: Awaited | None = None


def judge(ground: Ground, rows: Mapping[str, PreflightRow], credential_version: int) -> Judged:
    """Say what the rows, by grant, mean for the account. A grant that could not be probed keeps its known state."""
    states = {grant.id: _state(grant.id, rows, ground.known) for grant in ground.grants}
    standing = _standing(ground, rows, states)
    return Judged(
        credential_version=credential_version,
        standing=standing,
        grants=tuple(SeenGrant(grant_id=grant_id, state=state) for grant_id, state in states.items()),
        lost_capabilities=lost_capabilities(ground.capabilities, states),
        reason=None if standing is Standing.WHOLE else _reason(ground, rows, states),
    )


def lost_capabilities(capabilities: Mapping[Capability, Support], states: Mapping[str, GrantState]) -> tuple[str, ...]:
    """Name the capabilities that a denied or pending grant takes away, those still to come among them, sorted."""
    wanting = {grant_id for grant_id, state in states.items() if state in WANTING}
    return tuple(
        sorted(capability.value for capability, support in capabilities.items() if support.grant_ids & wanting)
    )


def find_refusal(rows: Mapping[str, PreflightRow]) -> PreflightRow | None:
    """Find a row that tells of a dead credential by itself; None: no row does."""
    return next((row for row in rows.values() if is_refusal(row)), None)


def is_refusal(row: PreflightRow) -> bool:
    """Tell whether a row says that the credential is dead, whatever grant it was that was asked for."""
    return row.refusal is not None and row.refusal.http_status == HTTP_UNAUTHORISED and row.state is GrantState.DENIED


def find_blame(ground: Ground, rows: Mapping[str, PreflightRow]) -> Reason | None:
    """Give the one reason that rows, by grant, speak of; None where all that was probed is there."""
    probed = replace(ground, grants=tuple(grant for grant in ground.grants if grant.id in rows))
    return _reason(probed, rows, {grant_id: row.state for grant_id, row in rows.items()})


def next_look(
    judged: Judged,
    rows: Mapping[str, PreflightRow],
    failures: int,
    at: datetime,
    *,
    settles_until: datetime | None = None,
) -> tuple[datetime, int]:
    """Say when to look again, and how many looks in a row could not tell.

    What could not be probed is asked again soon, and less often with each failure; a key that is refused while it is
    new, up to `settles_until`, so often that nobody waits for long once it is taken.
    """
    if settles_until is not None and at < settles_until:
        return at + LOOK_SETTLING, 0
    if any(row.state is GrantState.UNKNOWN and row.retry_at is not None for row in rows.values()):
        return at + doubled(FIRST_RETRY, failures, LONGEST_RETRY), failures + 1
    settling = [row.retry_at for row in rows.values() if row.state is GrantState.PENDING and row.retry_at is not None]
    later = RECHECK_FAILED if judged.standing in {Standing.FAILED, Standing.AWAITED} else RECHECK
    return min([max(at + FIRST_RETRY, moment) for moment in settling] + [at + later]), 0


def _state(grant_id: str, rows: Mapping[str, PreflightRow], known: Mapping[str, GrantState]) -> GrantState:
    row = rows.get(grant_id)
    if row is None or row.state is GrantState.UNKNOWN:
        return known.get(grant_id, GrantState.UNKNOWN)
    return row.state


def needed_grants(ground: Declares) -> frozenset[str]:
    """Name the grants that the account cannot work without."""
    supports = [ground.capabilities.get(capability) for capability in NEEDED]
    named = frozenset(one for support in supports if isinstance(support, Supported) for one in support.grant_ids)
    return named or frozenset(grant.id for grant in ground.grants if grant.probe in CALLS)


def login_grants(ground: Declares) -> frozenset[str]:
    """Name the grants of mail relays: their secret is another than the key."""
    return frozenset(grant.id for grant in ground.grants if grant.probe is ProbeKind.SMTP)


def _standing(ground: Ground, rows: Mapping[str, PreflightRow], states: Mapping[str, GrantState]) -> Standing:
    found = {states[grant_id] for grant_id in needed_grants(ground)}
    if GrantState.DENIED in found:
        # What is not there yet because it was only applied for is no failure of the seller's; a dead key is.
        is_awaited = ground.awaited is not None and not is_credential_refused(ground, rows)
        return Standing.AWAITED if is_awaited else Standing.FAILED
    if GrantState.PENDING in found:
        return Standing.AWAITED
    if GrantState.UNKNOWN in found:
        return Standing.UNKNOWN
    if any(state in WANTING for state in states.values()):
        return Standing.PARTLY
    return Standing.WHOLE


def _reason(ground: Ground, rows: Mapping[str, PreflightRow], states: Mapping[str, GrantState]) -> Reason | None:
    needed = needed_grants(ground)
    for state in (GrantState.DENIED, GrantState.PENDING, GrantState.UNKNOWN):
        culprits = [grant for grant in ground.grants if states[grant.id] is state and grant.probe is not ProbeKind.NONE]
        # What the account cannot work without comes first; sorting keeps the plug-in's order otherwise.
        for grant in sorted(culprits, key=lambda one: one.id not in needed):
            return _blame(ground, grant, state, rows)
    return None


def _blame(ground: Ground, grant: Grant, state: GrantState, rows: Mapping[str, PreflightRow]) -> Reason:
    row = rows.get(grant.id)
    code, remedy, menu = _advise(ground, grant, state, rows)
    return Reason(
        code=code,
        why=row.why if row else "It was not asked for this time.",
        grant_id=grant.id,
        refusal=row.refusal if row else None,
        remedy=remedy,
        menu=menu,
    )


def _advise(
    ground: Ground, grant: Grant, state: GrantState, rows: Mapping[str, PreflightRow]
) -> tuple[str, LocalizedText, MenuPath | None]:
    row, awaited = rows.get(grant.id), ground.awaited
    match state:
        case GrantState.DENIED if is_credential_refused(ground, rows):
            code = "credential-expired" if ground.is_expired else "credential-refused"
            return code, _KEY_REMEDY, ground.key_menu or grant.menu
        case GrantState.DENIED if awaited is not None and grant.id in needed_grants(ground):
            return "approval-awaited", _named(awaited.title, _APPROVAL_REMEDY), awaited.menu or grant.menu
        case GrantState.DENIED:
            return "grant-missing", grant.remedies[0] if grant.remedies else _KEY_REMEDY, grant.menu
        case GrantState.PENDING if row is not None and row.retry_at is None:
            return "approval-awaited", _APPROVAL_REMEDY, grant.menu
        case GrantState.PENDING:
            return "key-settling", _WAIT_REMEDY, grant.menu
        case GrantState.UNKNOWN | GrantState.GRANTED:
            return "unavailable", _WAIT_REMEDY, grant.menu


def _named(title: LocalizedText, text: LocalizedText) -> LocalizedText:
    return LocalizedText(ja=f"{title.ja}: {text.ja}", en=f"{title.en}: {text.en}")


def is_credential_refused(ground: Ground, rows: Mapping[str, PreflightRow]) -> bool:
    """Tell whether rows, by grant, say that the credential is dead."""
    asked = [rows[grant.id] for grant in ground.grants if grant.probe in CALLS and grant.id in rows]
    if any(is_refusal(row) for row in asked):
        return True
    # Not every marketplace answers 401 for a dead key; one that opens nothing at all is dead.
    return len(asked) > 1 and all(row.state is GrantState.DENIED for row in asked)
