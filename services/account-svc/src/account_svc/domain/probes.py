"""Decides which grants a preflight asks for, in which order, and what it need not ask. Values in, values out."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from account_svc.domain.preflights import CALLS, WANTING, Declares, needed_grants
from hanro.marketplace.types import Capability, Grant, GrantState, Limits, PreflightRow, ProbeKind, Support, Supported

CARRIED = timedelta(minutes=10)
"""A grant that was found granted so recently need not be asked for again, also when somebody asks for a preflight."""
CONTINUED = timedelta(hours=1)
"""So recent is what a preflight found that goes on with what an earlier one left."""


def in_order(declared: Declares, known: Mapping[str, GrantState]) -> tuple[Grant, ...]:
    """Sort grants by what is worth knowing first.

    What was lost (a seller may just have mended it), what the account needs, what nobody knows yet, what hanro uses,
    the rest; the plug-in's order within each.
    """
    first, used = needed_grants(declared), _used(declared.capabilities)

    def rank(grant: Grant) -> int:
        if known.get(grant.id) in WANTING:
            return 0
        if grant.id in first:
            return 1
        if known and known.get(grant.id, GrantState.UNKNOWN) is GrantState.UNKNOWN:
            return 2
        return 3 if grant.id in used else 4

    return tuple(sorted(declared.grants, key=rank))


def asked_for(declared: Declares, ordered: tuple[Grant, ...], known: Mapping[str, GrantState]) -> tuple[Grant, ...]:
    """Give what somebody is answered about who asks for a preflight of an account that works, in the order given.

    Whether what was missing is there by now, and what the account needs; the rest follows by itself. Where nothing was
    missing it is everything.
    """
    missing = {name for name, state in known.items() if state in WANTING}
    wanted = missing | needed_grants(declared)
    return tuple(grant for grant in ordered if grant.id in wanted) if missing else ordered


def judged_early(declared: Declares) -> frozenset[str]:
    """Name the grants that must be known before an account may begin to work.

    Those that it needs, and what else hanro uses in their API groups: others begin to call there at once, and leave a
    preflight a small share. What is wrong elsewhere is found out within seconds, while the account works.
    """
    first, used = needed_grants(declared), _used(declared.capabilities)
    groups = {grant.group for grant in declared.grants if grant.id in first}
    return first | {grant.id for grant in declared.grants if grant.group in groups and grant.id in used}


def open_groups(declared: Declares, limits: Limits, service: str, *, is_first: bool) -> frozenset[str]:
    """Name the API groups in which a preflight may go on at the whole rate once the account works.

    Those that are the service's own; and of an account that never worked those that its needs do not touch, because
    nobody has anything to send for it yet.
    """
    first = needed_grants(declared)
    needs = {grant.group for grant in declared.grants if grant.id in first}
    groups = {grant.group for grant in declared.grants}
    own = {name for name in groups if name not in limits.groups or _is_own(limits, name, service)}
    return frozenset(own | (groups - needs if is_first else set()))


def carry(declared: Declares, last: Mapping[str, PreflightRow], since: datetime) -> dict[str, PreflightRow]:
    """Give the rows of the last preflight, by grant, that stand in for a request; none where it found nothing missing.

    Who asks again wants to know whether what was missing is there by now; what was found granted since then is. What
    the account needs is asked all the same: nothing but a request shows that the key still lives.
    """
    if all(grant.id in last and last[grant.id].state is GrantState.GRANTED for grant in _callable(declared)):
        return {}
    first = needed_grants(declared)
    return {
        name: row
        for name, row in last.items()
        if name not in first and row.state is GrantState.GRANTED and row.checked_at >= since
    }


def seconds_of(grants: Iterable[Grant], limits: Limits, service: str, *, is_alone: bool) -> float:
    """Say how long it takes to ask for grants, the groups side by side; what is in the way is not counted."""
    counts: dict[str, int] = {}
    for grant in grants:
        if grant.probe is not ProbeKind.NONE and grant.group in limits.groups:
            counts[grant.group] = counts.get(grant.group, 0) + 1
    longest = 0.0
    for name, count in counts.items():
        group = limits.groups[name]
        share = 1.0 if is_alone else float(group.shares.get(service, 1)) or 1.0
        longest = max(longest, group.period.total_seconds() / group.request_count * (count - 1) / share)
    return longest


def _callable(declared: Declares) -> list[Grant]:
    return [grant for grant in declared.grants if grant.probe in CALLS]


def _is_own(limits: Limits, name: str, service: str) -> bool:
    return set(limits.groups[name].shares) == {service}


def _used(capabilities: Mapping[Capability, Support]) -> frozenset[str]:
    supports = (support for support in capabilities.values() if isinstance(support, Supported))
    return frozenset(grant_id for support in supports for grant_id in support.grant_ids)
