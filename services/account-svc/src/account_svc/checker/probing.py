"""Probes an account's grants, the API groups side by side, and reports what is found while it goes on."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from account_svc.accounts.grounds import ALONE, Round
from account_svc.accounts.rounds import Going
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

REPORT_SECONDS = 1.0
"""So often what was found is reported at most; what lets an account work is reported at once."""
LOOK_SECONDS = 5.0
"""So often it is reported at least, to learn whether somebody asked anew."""
AT_ONCE = 2
"""Probes of a group side by side: they keep the order, and a slow answer does not keep the next one waiting."""
RETRY = timedelta(seconds=15)
RETRY_BROKEN = timedelta(minutes=10)

_log = logger(__name__)


Report = Callable[[Mapping[str, PreflightRow]], Awaitable[Going | None]]
"""Keeps the rows so far; says how the preflight goes on, None where that cannot be told now."""


async def probe_grants(
    outside: Outside, relays: Relays, taken: Round, lease: Lease, report: Report
) -> dict[str, PreflightRow]:
    """Give a row for each grant that was asked for or need not be.

    A brief round asks for the rest only where what the account needs is there. What cannot be told in time is left out
    or UNKNOWN: 30 s, for an account that works as long as calls of the lease
    may begin. Once a credential is refused, nothing but what the account needs is asked for any more.

    Raises:
        Retryable: the lease is lost.
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
            is_trial=taken.secrets.version != taken.account.credential_version,
        )
    except Unsupported as failure:
        return {grant.id: _unknown(grant, clock, failure) for grant in taken.plugin.grants}
    seconds = max(0.0, lease.last_call_monotonic - clock.monotonic())
    if taken.is_alone:
        seconds = min(seconds, ALONE.total_seconds())
    return await _Probing(taken.plugin.access(session), relays, taken, clock).run(seconds, report)


class _Probing:
    """Be the probes of one preflight: a worker for each API group asks for its grants one after the other."""

    def __init__(self, access: Access, relays: Relays, taken: Round, clock: Clock) -> None:
        self._access = access
        self._relays = relays
        self._taken = taken
        self._clock = clock
        self._rows = {row.grant_id: row for row in taken.preflight.rows}
        self._going = Going(has_begun=False, is_over=False)
        self._news = asyncio.Event()
        self._ends_at = float("inf")

    async def run(self, seconds: float, report: Report) -> dict[str, PreflightRow]:
        self._ends_at = self._clock.monotonic() + seconds
        if self._taken.is_brief:
            needed = needed_grants(self._taken.plugin)
            await self._ask([grant for grant in self._taken.grants if grant.id in needed], report)
            if any(self._rows[one].state is not GrantState.GRANTED for one in needed if one in self._rows):
                return self._rows
        await self._ask(self._taken.grants, report)
        return self._rows

    async def _ask(self, grants: Sequence[Grant], report: Report) -> None:
        by_group: dict[str, list[Grant]] = {}
        for grant in grants:
            by_group.setdefault(grant.group, []).append(grant)
        lost: Retryable | None = None
        async with asyncio.TaskGroup() as group:
            queues = [iter(one) for one in by_group.values()]
            workers = {group.create_task(self._ask_group(queue)) for queue in queues for _ in range(AT_ONCE)}
            try:
                await self._watch(workers, report)
            except Retryable as failure:
                lost = failure
            for worker in workers:
                worker.cancel()
        if lost is not None:
            raise lost

    async def _watch(self, workers: "set[asyncio.Task[None]]", report: Report) -> None:
        told_count, told_at = len(self._rows), self._clock.monotonic()
        while any(not worker.done() for worker in workers) and not self._going.is_over:
            left = self._ends_at - self._clock.monotonic()
            if left <= 0 or self._is_dead_for_all():
                return
            await self._wait(min(REPORT_SECONDS, left))
            now, count = self._clock.monotonic(), len(self._rows)
            is_early = self._taken.is_alone and not self._going.has_begun and self._taken.early <= self._rows.keys()
            is_due = now - told_at >= (REPORT_SECONDS if count > told_count else LOOK_SECONDS)
            if is_due or (is_early and count > told_count):
                told_count, told_at = count, now
                self._going = await report(dict(self._rows)) or self._going

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    async def _ask_group(self, waiting: Iterator[Grant]) -> None:
        for grant in waiting:
            if grant.id not in self._rows and self._may_ask(grant):
                self._rows[grant.id] = await self._probe(grant)
                self._news.set()
        self._news.set()

    def _may_ask(self, grant: Grant) -> bool:
        if find_refusal(self._rows) is not None and grant.id not in self._taken.early:
            return False
        # Others began to work for the account: the whole rate is theirs.
        return not self._going.has_begun or grant.group in self._taken.open_groups

    def _is_dead_for_all(self) -> bool:
        """Tell whether a refused key makes it vain to wait for a share of the rate, or to look at more in a hurry."""
        is_hurried = self._taken.is_brief or not self._taken.is_alone
        return is_hurried and find_refusal(self._rows) is not None

    async def _probe(self, grant: Grant) -> PreflightRow:
        clock = self._clock
        try:
            async with asyncio.timeout(max(0.0, self._ends_at - clock.monotonic())):
                return await self._request(grant)
        except TimeoutError:
            return _row(grant, clock, GrantState.UNKNOWN, "There was no answer in time.", retry_after=RETRY)
        except NeedsSeller as failure:
            return _row(grant, clock, GrantState.DENIED, failure.why, refusal=failure.refusal)
        except (Retryable, ContractBroken, InDoubt, Rejected, Unsupported) as failure:
            return _unknown(grant, clock, failure)
        except Exception as error:  # noqa: BLE001  a plug-in's bug must stop neither the other grants nor other accounts
            account_id = self._taken.account.id
            _log.exception("probe.broken", account_id=account_id, grant_id=grant.id, error_type=type(error).__name__)
            return _row(grant, clock, GrantState.UNKNOWN, "The probe is broken.", retry_after=RETRY_BROKEN)

    async def _request(self, grant: Grant) -> PreflightRow:
        match grant.probe:
            case ProbeKind.SMTP:
                return await relay_login.probe(
                    self._relays, self._taken.plugin, self._taken.secrets, grant.id, self._clock.now()
                )
            case ProbeKind.READ | ProbeKind.REFUSED:
                return await self._access.probe(grant.id)
            case ProbeKind.NONE:
                return _row(grant, self._clock, GrantState.UNKNOWN, "It cannot be probed.")


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
