"""Takes due checks by lease and does them: look, call outside of any transaction, store."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from account_svc.accounts import expiries, jobs, rotation, rounds, warnings
from account_svc.accounts.credentials import Safe
from account_svc.accounts.expiries import LookUp, LookUpFailure
from account_svc.accounts.rotation import Probed
from account_svc.accounts.rounds import Going
from account_svc.accounts.unlinking import stopping
from account_svc.checker.market import read_market
from account_svc.checker.metrics import CheckMetrics
from account_svc.checker.probing import Report, probe_grants
from account_svc.checker.relay_login import Relays
from account_svc.store import accounts as account_rows
from hanro import due, failpoints
from hanro.db import Database, Transaction, is_passing
from hanro.doubling import doubled
from hanro.due import Lease
from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.types import PreflightRow
from hanro.sessions import Outside, session_with
from hanro.waiting import Backoff, rest

SLOTS = 32
SLOW_SLOTS = {jobs.RECHECK: 32, jobs.MARKET: 16}
"""What waits for minutes for its small share of the rate has slots of its own: no new key must wait behind it."""
POLL_SECONDS = 0.5
TOGETHER_SECONDS = 0.02
"""So long is waited once a slot is free: what ends together is followed up by one claim."""
LOOK_UP_SECONDS = 120.0

_log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """Hold what checks need: the database, the way to marketplaces and relays, and what opens credentials."""

    db: Database
    outside: Outside
    relays: Relays
    safe: Safe = field(repr=False)
    metrics: CheckMetrics


async def run(checking: Checking, stop: asyncio.Event) -> None:
    """Check what is due until `stop`; what has begun is finished, but for slow looks: another process takes them up."""
    clock = checking.outside.clock
    backoff = Backoff()
    running: dict[asyncio.Task[None], Lease] = {}
    ended = asyncio.Event()

    def end(task: asyncio.Task[None]) -> None:
        running.pop(task)
        ended.set()

    async with asyncio.TaskGroup() as group:
        while not stop.is_set():
            try:
                await _break_off(checking, group, running)
                leases = await claim(checking, [lease.job for lease in running.values()])
            except Exception as error:
                if not is_passing(error):
                    raise
                _log.warning("check.database_away", error_type=type(error).__name__)
                await rest(clock, backoff.pause(), stop)
                continue
            backoff.reset()
            for lease in leases:
                task = group.create_task(check(checking, lease))
                running[task] = lease
                task.add_done_callback(end)
            # No slot is free, or nothing more is due; what ends frees a slot, and often makes another job due.
            await rest(clock, POLL_SECONDS * random.uniform(0.8, 1.2), stop, ended)  # noqa: S311  no secret
            if ended.is_set():
                await rest(clock, TOGETHER_SECONDS, stop)
                ended.clear()
        _end(checking, group, {task: lease for task, lease in running.items() if lease.job in jobs.SLOW})


async def claim(checking: Checking, running: Sequence[str]) -> list[Lease]:
    """Take what is due for the slots that jobs which are `running` leave free: what holds a seller up comes first."""
    free_count = SLOTS - sum(job not in SLOW_SLOTS for job in running)
    wanted = [
        due.Wanted(job=job, lease=lease, most=SLOW_SLOTS[job] - running.count(job) if job in SLOW_SLOTS else None)
        for job, lease in jobs.LEASES.items()
    ]
    return await due.claim_in_turn(checking.db, wanted, limit=free_count, clock=checking.outside.clock)


async def check(checking: Checking, lease: Lease) -> None:
    """Do one check; whatever fails stays with this account, and its lease runs out or is put off."""
    try:
        match lease.job:
            case jobs.UNLINK:
                await _unlink(checking, lease)
            case jobs.EXPIRIES:
                await _look_up_expiries(checking, lease)
            case jobs.MARKET:
                await read_market(checking.outside, checking.safe, checking.metrics, lease)
            case jobs.ROTATION:
                await _rotate(checking, lease)
            case jobs.WARNINGS:
                await _warn(checking, lease)
            case _:
                await _preflight(checking, lease)
    except (Retryable, ContractBroken) as failure:
        _log.warning("check.failed", account_id=lease.account_id, job=lease.job, code=failure.code, why=failure.why)
        checking.metrics.failed(lease.job, failure.code)
        await _put_off(checking, lease)
    except Exception as error:  # noqa: BLE001  one account's bug must not stop the checks of the others
        if not is_passing(error):
            _log.exception("check.broken", account_id=lease.account_id, job=lease.job, error_type=type(error).__name__)
        checking.metrics.failed(lease.job, "database-away" if is_passing(error) else "bug")
        await _put_off(checking, lease)


async def _break_off(checking: Checking, group: asyncio.TaskGroup, running: Mapping[asyncio.Task[None], Lease]) -> None:
    """End what is under way for accounts that are being unlinked: slow looks last for minutes, and only read."""
    begun = {task: lease for task, lease in running.items() if lease.job != jobs.UNLINK}
    if not begun:
        return
    async with checking.db.begin() as tx:
        leaving = await account_rows.list_leaving(tx, sorted({lease.account_id for lease in begun.values()}))
    _end(checking, group, {task: lease for task, lease in begun.items() if lease.account_id in leaving})


def _end(checking: Checking, group: asyncio.TaskGroup, ended: Mapping[asyncio.Task[None], Lease]) -> None:
    for task, lease in ended.items():
        if task.cancel():
            group.create_task(_give_back(checking, task, lease))


async def _give_back(checking: Checking, task: "asyncio.Task[None]", lease: Lease) -> None:
    await asyncio.wait([task])
    if task.cancelled():
        _log.info("check.broken_off", account_id=lease.account_id, job=lease.job)
        await _put_off(checking, lease)


async def _unlink(checking: Checking, lease: Lease) -> None:
    if await checking.db.run(lambda tx: stopping.step(tx, lease, checking.outside.clock.now())):
        failpoints.reach("unlink.after_commit")
        _log.info("unlink.done", account_id=lease.account_id)


async def _preflight(checking: Checking, lease: Lease) -> None:
    db, outside = checking.db, checking.outside
    taken = await db.run(lambda tx: rounds.begin(tx, outside.plugins, checking.safe, lease, outside.clock.now()))
    if taken is None:
        return

    report = _reporter(db, lease, lambda tx, rows: rounds.advance(tx, lease, taken, rows, outside.clock.now()))
    began_at = outside.clock.monotonic()
    rows = await probe_grants(outside, checking.relays, taken, lease, report)
    seconds = outside.clock.monotonic() - began_at
    failpoints.reach("checker.probed")
    account = await db.run(lambda tx: rounds.end(tx, lease, taken, rows, outside.clock.now()))
    checking.metrics.checked(account.marketplace_id, account.state.value, seconds)
    _log.info("check.done", account_id=account.id, job=lease.job, state=account.state.value)


def _reporter(
    db: Database, lease: Lease, advance: Callable[[Transaction, Mapping[str, PreflightRow]], Awaitable[Going]]
) -> Report:
    """Make what probes report to while they go on; a database that is away is asked again at the next report."""

    async def report(rows: Mapping[str, PreflightRow]) -> Going | None:
        try:
            return await db.run(lambda tx: advance(tx, rows))
        except Exception as error:
            if not is_passing(error):
                raise
            _log.warning("check.not_reported", account_id=lease.account_id, error_type=type(error).__name__)
            return None

    return report


async def _rotate(checking: Checking, lease: Lease) -> None:
    db, outside = checking.db, checking.outside
    tried = await db.run(lambda tx: rotation.begin(tx, outside.plugins, checking.safe, lease, outside.clock.now()))
    if tried is None:
        return
    look = _reporter(db, lease, lambda tx, _rows: rotation.advance(tx, lease, tried, outside.clock.now()))
    rows = await probe_grants(outside, checking.relays, tried.round, lease, look)
    failpoints.reach("checker.tried")
    probed = Probed(rows=rows, at=outside.clock.now())
    verdict = await db.run(lambda tx: rotation.end(tx, checking.safe, lease, tried, probed))
    checking.metrics.tried(tried.round.account.marketplace_id, verdict)
    _log.info("rotation.tried", account_id=lease.account_id, version=tried.version, state=verdict)


async def _warn(checking: Checking, lease: Lease) -> None:
    told = await checking.db.run(lambda tx: warnings.tell_due(tx, lease, checking.outside.clock.now()))
    for threshold_days in told:
        checking.metrics.warned(threshold_days)
        _log.warning("key.ends_soon", account_id=lease.account_id, threshold_days=threshold_days)


async def _look_up_expiries(checking: Checking, lease: Lease) -> None:
    db, outside = checking.db, checking.outside
    taken = await db.run(lambda tx: expiries.begin(tx, outside.plugins, checking.safe, lease, outside.clock.now()))
    if taken is None:
        return
    try:
        session = session_with(outside, taken.plugin, taken.secrets, taken.account_id, lease=lease, is_probing=True)
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await taken.plugin.access(session).key_expiries()
    except Unsupported:
        checking.metrics.looked_up("absent")
        await db.run(lambda tx: expiries.rest(tx, lease, outside.clock.now()))
        return
    except TimeoutError:
        await _keep_failure(checking, lease, taken, Retryable("There was no answer in time.", code="unavailable"))
        return
    except (Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt) as error:
        await _keep_failure(checking, lease, taken, error)
        return
    checking.metrics.looked_up("read")
    await db.run(lambda tx: expiries.keep(tx, lease, taken, found, outside.clock.now()))


async def _keep_failure(checking: Checking, lease: Lease, taken: LookUp, failure: LookUpFailure) -> None:
    checking.metrics.looked_up(failure.code)
    _log.warning("expiries.failed", account_id=lease.account_id, code=failure.code, why=failure.why)
    at = checking.outside.clock.now()
    if await checking.db.run(lambda tx: expiries.keep_failure(tx, lease, taken, failure, at)):
        _log.error("expiries.unknown", account_id=lease.account_id, code=failure.code, why=failure.why)


async def _put_off(checking: Checking, lease: Lease) -> None:
    at = checking.outside.clock.now()
    wait = doubled(jobs.FIRST_PUT_OFF, lease.failure_count, jobs.LONGEST_PUT_OFF)
    try:
        await checking.db.run(lambda tx: due.settle(tx, lease, next_at=at + wait, failures=lease.failure_count + 1))
    except Retryable:
        _log.info("check.taken_over", account_id=lease.account_id, job=lease.job)
    except Exception as error:
        if not is_passing(error):
            raise
        _log.warning("check.database_away", account_id=lease.account_id, error_type=type(error).__name__)
