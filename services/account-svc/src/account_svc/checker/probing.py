"""Probes an account's grants side by side, each within its deadline; every grant gets its row."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from account_svc.accounts.preflights import Round
from account_svc.checker import relay_login
from account_svc.checker.relay_login import Relays
from account_svc.domain.preflights import find_refusal, needed_grants
from hanro.clock import Clock
from hanro.due import Lease
from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.port import Access
from hanro.marketplace.types import Grant, GrantState, PreflightRow, ProbeKind, Refusal
from hanro.sessions import Outside, session_with

ALONE_SECONDS = 30.0
RETRY = timedelta(seconds=15)
RETRY_BROKEN = timedelta(minutes=10)

_log = logger(__name__)


async def probe_grants(outside: Outside, relays: Relays, taken: Round, lease: Lease) -> dict[str, PreflightRow]:
    """Give a row for each grant of the plug-in.

    A grant that others used lately is granted without a request. A brief round asks for the rest only where what the
    account needs is there, and leaves out what it did not ask for. What cannot be told in time is UNKNOWN, with the
    time to ask again: 30 s, for an account that works as long as calls of the lease may begin.
    """
    clock = outside.clock
    try:
        session = session_with(
            outside,
            taken.plugin,
            taken.secrets,
            taken.account.id,
            lease=lease,
            is_alone=taken.is_alone,
            is_probing=True,
        )
    except Unsupported as failure:
        return {grant.id: _unknown(grant, clock, failure) for grant in taken.plugin.grants}
    seconds = max(0.0, lease.last_call_monotonic - clock.monotonic())
    probing = _Probing(
        access=taken.plugin.access(session),
        relays=relays,
        taken=taken,
        clock=clock,
        seconds=min(seconds, ALONE_SECONDS) if taken.is_alone else seconds,
    )
    wanted = [grant for grant in taken.plugin.grants if taken.wanted is None or grant.id in taken.wanted]
    if not taken.is_brief:
        return await _probe_all(probing, wanted)
    needed = needed_grants(taken.plugin)
    rows = await _probe_all(probing, [grant for grant in wanted if grant.id in needed])
    if all(row.state is GrantState.GRANTED for row in rows.values()):
        rows |= await _probe_all(probing, [grant for grant in wanted if grant.id not in needed])
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probing:
    access: Access
    relays: Relays
    taken: Round
    clock: Clock
    seconds: float


async def _probe_all(probing: _Probing, grants: Sequence[Grant]) -> dict[str, PreflightRow]:
    rows = {grant.id: _row(grant, probing.clock, GrantState.UNKNOWN, "It was not asked for.") for grant in grants}
    async with asyncio.TaskGroup() as group:
        pending = {group.create_task(_probe(probing, grant)) for grant in grants}
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            rows |= {row.grant_id: row for row in (task.result() for task in done)}
            if find_refusal(rows) is not None and (probing.taken.is_brief or not probing.taken.is_alone):
                # A dead key: to wait for the share of the others, who cannot call any more, would help nobody.
                for task in pending:
                    task.cancel()
                break
    return rows


async def _probe(probing: _Probing, grant: Grant) -> PreflightRow:
    taken, clock = probing.taken, probing.clock
    used = taken.fresh.get(grant.id)
    if used is not None and used.succeeded_at is not None:
        why = f"{used.service} used it at {used.succeeded_at:%Y-%m-%dT%H:%M:%SZ}."
        return PreflightRow(grant_id=grant.id, state=GrantState.GRANTED, why=why, checked_at=used.succeeded_at)
    try:
        async with asyncio.timeout(probing.seconds):
            return await _ask(probing, grant)
    except TimeoutError:
        return _row(grant, clock, GrantState.UNKNOWN, "There was no answer in time.", retry_after=RETRY)
    except NeedsSeller as failure:
        return _row(grant, clock, GrantState.DENIED, failure.why, refusal=failure.refusal)
    except (Retryable, ContractBroken, InDoubt, Rejected, Unsupported) as failure:
        return _unknown(grant, clock, failure)
    except Exception as error:  # noqa: BLE001  a plug-in's bug must stop neither the other grants nor other accounts
        _log.exception("probe.broken", account_id=taken.account.id, grant_id=grant.id, error_type=type(error).__name__)
        return _row(grant, clock, GrantState.UNKNOWN, "The probe is broken.", retry_after=RETRY_BROKEN)


async def _ask(probing: _Probing, grant: Grant) -> PreflightRow:
    match grant.probe:
        case ProbeKind.SMTP:
            return await relay_login.probe(
                probing.relays, probing.taken.plugin, probing.taken.secrets, grant.id, probing.clock.now()
            )
        case ProbeKind.READ | ProbeKind.REFUSED:
            return await probing.access.probe(grant.id)
        case ProbeKind.NONE:
            return _row(grant, probing.clock, GrantState.UNKNOWN, "It cannot be probed.")


def _unknown(grant: Grant, clock: Clock, failure: Failure) -> PreflightRow:
    match failure:
        case Retryable():
            retry_after = failure.after or RETRY
        case ContractBroken() | InDoubt() | Unsupported() | Rejected() | NeedsSeller():
            retry_after = RETRY_BROKEN
    return _row(grant, clock, GrantState.UNKNOWN, failure.why, refusal=failure.refusal, retry_after=retry_after)


def _row(
    grant: Grant,
    clock: Clock,
    state: GrantState,
    why: str,
    *,
    refusal: Refusal | None = None,
    retry_after: timedelta | None = None,
) -> PreflightRow:
    now = clock.now()
    return PreflightRow(
        grant_id=grant.id,
        state=state,
        why=why,
        checked_at=now,
        refusal=refusal,
        retry_at=now + retry_after if retry_after is not None else None,
    )
