"""Probes an account's grants side by side, each within its deadline; every grant gets its row."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from account_svc.accounts.preflights import Round
from account_svc.checker import relay_login
from account_svc.checker.relay_login import Relays
from account_svc.domain.preflights import CALLS, find_refusal, needed_grants
from hanro.clock import Clock
from hanro.due import Lease
from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.port import Access
from hanro.marketplace.types import Grant, GrantState, PreflightRow, ProbeKind, Refusal
from hanro.sessions import Outside, session_with

ALONE_SECONDS = 30.0
FIRST_LOOK_SECONDS = 3.0
"""How long everything is asked for before an account begins to work for which more is left to ask."""
AT_ONCE = 2
"""Probes of a group side by side: they keep the order, and a slow answer does not keep the next one waiting.

No more, because each that waits for its turn asks for it in the database.
"""
LOOK_SECONDS = 1.0
RETRY = timedelta(seconds=15)
RETRY_BROKEN = timedelta(minutes=10)

_log = logger(__name__)


async def _never() -> bool:
    return False


async def probe_grants(
    outside: Outside,
    relays: Relays,
    taken: Round,
    lease: Lease,
    is_over: Callable[[], Awaitable[bool]] = _never,
) -> dict[str, PreflightRow]:
    """Give a row for each grant of the plug-in.

    A grant that others used lately is granted without a request. A brief round asks for the rest only where what the
    account needs is there, and leaves out what it did not ask for. An account that can begin to work is looked at for
    a few seconds alone, then its rate is shared. What cannot be told in time is UNKNOWN, with the time to ask again:
    30 s, for an account that works as long as calls of the lease may begin, or until it is asked for anew.
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
    began_at = clock.monotonic()
    last = lease.last_call_monotonic
    probing = _Probing(
        access=taken.plugin.access(session),
        relays=relays,
        taken=taken,
        clock=clock,
        began_at=began_at,
        ends_at=min(last, began_at + ALONE_SECONDS) if taken.is_alone else last,
        is_over=is_over,
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
    began_at: float
    ends_at: float
    is_over: Callable[[], Awaitable[bool]]


async def _probe_all(probing: _Probing, grants: Sequence[Grant]) -> dict[str, PreflightRow]:
    """Ask groups side by side, each in the plug-in's order: what an account needs comes first."""
    rows: dict[str, PreflightRow] = {}
    told = asyncio.Event()

    async def ask(waiting: Iterator[Grant]) -> None:
        for grant in waiting:
            rows[grant.id] = await _probe(probing, grant)
            told.set()

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(ask(queue))
            for name in dict.fromkeys(grant.group for grant in grants)
            for queue in [iter([grant for grant in grants if grant.group == name])]
            for _ in range(AT_ONCE)
        ]
        while len(rows) < len(grants) and not await _is_enough(probing, rows):
            told.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await told.wait()
        for task in tasks:
            task.cancel()
    return {grant.id: rows.get(grant.id) or _left_out(probing, grant, rows) for grant in grants}


async def _is_enough(probing: _Probing, rows: Mapping[str, PreflightRow]) -> bool:
    """Tell whether what is left need not be waited for.

    A dead key: to wait for the others, who cannot call any more, would help nobody. An account that can begin to work:
    it is not kept from its orders, and the rate is not ours alone from then on. One that works: somebody waits for
    another answer, or it works no more.
    """
    taken = probing.taken
    if find_refusal(rows) is not None:
        return True
    if not taken.is_alone:
        return await probing.is_over()
    is_first_look = not taken.account.is_working and probing.clock.monotonic() - probing.began_at >= FIRST_LOOK_SECONDS
    needed = needed_grants(taken.plugin)
    return is_first_look and all(name in rows and rows[name].state is GrantState.GRANTED for name in needed)


def _left_out(probing: _Probing, grant: Grant, rows: Mapping[str, PreflightRow]) -> PreflightRow:
    """Give the row of a grant that was not asked for."""
    refused = find_refusal(rows)
    if refused is None:
        return _row(grant, probing.clock, GrantState.UNKNOWN, "It is asked for next.", retry_after=timedelta())
    if grant.probe in CALLS and probing.taken.is_alone:
        return replace(refused, grant_id=grant.id)
    return _row(grant, probing.clock, GrantState.UNKNOWN, "It was not asked for.")


async def _probe(probing: _Probing, grant: Grant) -> PreflightRow:
    taken, clock = probing.taken, probing.clock
    used = taken.fresh.get(grant.id)
    if used is not None and used.succeeded_at is not None:
        why = f"{used.service} used it at {used.succeeded_at:%Y-%m-%dT%H:%M:%SZ}."
        return PreflightRow(grant_id=grant.id, state=GrantState.GRANTED, why=why, checked_at=used.succeeded_at)
    try:
        async with asyncio.timeout(max(0.0, probing.ends_at - clock.monotonic())):
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
