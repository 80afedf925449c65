"""Claims due jobs for free slots and keeps one seller's trouble from the others."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hanro import due, outbox
from hanro.db import is_away, is_conflict, is_passing
from hanro.doubling import doubled
from hanro.due import Lease
from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.types import MarketplaceId
from hanro.waiting import Backoff, rest
from order_svc import accounts, notices
from order_svc.accounts import job_of, route_of
from order_svc.domain.accounts import Account
from order_svc.poller.counting import counted
from order_svc.poller.follow_up import Shown
from order_svc.poller.means import Errand, Means
from order_svc.poller.noticed import read_noticed
from order_svc.poller.reading import read_route
from order_svc.store.cursors import RouteError

LOG = logger(__name__)
MOST_WAITING_FACTS = 100_000
LOOK_SECONDS = 0.5
FIRST_PAUSE = timedelta(seconds=5)
STUCK = "pagination-stuck"


class Poller:
    """Do the due jobs of all accounts, each apart from the others."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._shown = Shown()
        routes = {job_of(route.name) for plugin in means.plugins.values() for route in plugin.routes}
        self._jobs = sorted({notices.JOB, *routes})

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; what is being read then is broken off between two pages."""
        means = self._means
        running: set[asyncio.Task[None]] = set()
        is_planned = False
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                is_planned = is_planned or await self._plan_missing()
                for lease in await self._claim(means.pace.slots - len(running)):
                    task = group.create_task(self.poll_account(lease, stop))
                    running.add(task)
                    task.add_done_callback(running.discard)
                await rest(means.clock, LOOK_SECONDS, stop)

    async def poll_due(self, stop: asyncio.Event) -> int:
        """Do what is due now, once; give how many jobs that were."""
        leases = await self._claim(self._means.pace.slots)
        async with asyncio.TaskGroup() as group:
            for lease in leases:
                group.create_task(self.poll_account(lease, stop))
        return len(leases)

    async def poll_account(self, lease: Lease, stop: asyncio.Event) -> None:
        """Do one job under its lease; what goes wrong puts this job off and nothing else, a bug too."""
        began = self._means.clock.monotonic()
        try:
            outcome = await self._poll(lease, stop)
        except (Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt, Unsupported) as failure:
            outcome = failure.code
            await self._put_off(lease, failure)
        except Exception as error:
            if is_conflict(error):
                # Nothing of the page is stored: it is read again.
                outcome = "conflict"
                await self._put_off(lease, Retryable("another transaction was in the way", code="unavailable"))
            elif is_away(error):
                LOG.warning("the database is away", account_id=lease.account_id, error_type=type(error).__name__)
                outcome = "database-away"
                await self._put_off(lease, Retryable("the database was away", code="unavailable"))
            else:
                # A plug-in's bug shows with one seller's orders: those of the others are found all the same.
                LOG.exception("the work on a route is broken", account_id=lease.account_id, job=lease.job)
                outcome = "bug"
                await self._put_off(lease, ContractBroken("the work on a route is broken", code="internal-error"))
        self._means.metrics.polled(lease.job, outcome, self._means.clock.monotonic() - began)

    async def _claim(self, free: int) -> Sequence[Lease]:
        means = self._means
        try:
            async with means.db.begin() as tx:
                if await outbox.backlog(tx, most=MOST_WAITING_FACTS) >= MOST_WAITING_FACTS:
                    LOG.warning("the poller waits: too many facts are not published yet", count=MOST_WAITING_FACTS)
                    return []
            return await due.claim(means.db, self._jobs, limit=free, lease=means.shortest_lease, clock=means.clock)
        except Exception as error:
            if not is_passing(error):
                raise
            LOG.warning("the database is away", error_type=type(error).__name__)
            return []

    async def _plan_missing(self) -> bool:
        """Plan what a newer plug-in reads for accounts that work already; True once that is done."""
        plugins = self._means.plugins.items()
        routes = {str(plugin_id): [route.name for route in plugin.routes] for plugin_id, plugin in plugins}
        try:
            await accounts.plan_missing(self._means.db, routes)
        except Exception as error:
            if not is_passing(error):
                raise
            return False
        return True

    async def _poll(self, lease: Lease, stop: asyncio.Event) -> str:
        means = self._means
        account = await accounts.find(means.db, lease.account_id)
        if account is None or not account.is_finding:
            await accounts.stop_job(means.db, lease)
            return "stopped"
        if account.paused_until is not None and account.is_paused(means.clock.now()):
            await accounts.put_off(means.db, lease, next_at=account.paused_until, failures=lease.failure_count)
            return "paused"
        await self._lengthen(lease, account)
        opened, requests = counted(await means.open(account.id, heard=account, purpose="orders", lease=lease))
        # account-svc may be a fact ahead: what is read with its secrets belongs to the epoch that it names.
        account = replace(account, epoch=max(account.epoch, opened.account_epoch))
        try:
            if lease.job == notices.JOB:
                return await read_noticed(means, lease, account, opened)
            route = next(one for one in opened.plugin.routes if job_of(one.name) == lease.job)
            errand = Errand(lease=lease, account=account, opened=opened, route=route, requests=requests)
            return await read_route(means, self._shown, errand, stop)
        except NeedsSeller as failure:
            await means.stop_for_seller(account.id, failure, opened, lease=lease)
            await accounts.note_error(means.db, account.id, lease.job, _told(failure, means.clock.now()))
            return failure.code
        except ContractBroken as failure:
            if failure.code == STUCK:
                means.metrics.stuck(account.marketplace_id, route_of(lease.job))
            raise

    async def _lengthen(self, lease: Lease, account: Account) -> None:
        """Keep a job for as long as calls of its marketplace may take, where that is longer than it was claimed for."""
        means = self._means
        plugin = means.plugins.get(MarketplaceId(account.marketplace_id))
        if plugin is not None and means.lease_at(plugin) > lease.lease:
            async with means.db.begin() as tx:
                await due.go_on(tx, lease, clock=means.clock, length=means.lease_at(plugin))

    async def _put_off(self, lease: Lease, failure: Failure) -> None:
        now = self._means.clock.now()
        failures = lease.failure_count + 1
        longest = self._means.pace.longest_pause
        match failure:
            case Retryable(code="lease-lost"):
                # Its time ran out, or somebody else does it: what was stored stands, and the window goes on.
                after, failures = timedelta(), lease.failure_count
            case Retryable():
                after = max(failure.after or timedelta(), _backoff(failures, longest))
            case ContractBroken() | InDoubt() | Unsupported():
                LOG.error(
                    "orders cannot be read",
                    account_id=lease.account_id,
                    job=lease.job,
                    code=failure.code,
                    why=failure.why,
                )
                after = longest
            case NeedsSeller() | Rejected():
                # account-svc gives no secrets: the fact that says why stops the job, or is on its way.
                after = longest / 5
        try:
            error = None if failure.code == "lease-lost" else _told(failure, now)
            await self._insist(lease, next_at=now + after, failures=failures, error=error)
        except Retryable:
            LOG.info("the lease is lost", account_id=lease.account_id, job=lease.job)

    async def _insist(self, lease: Lease, *, next_at: datetime, failures: int, error: RouteError | None) -> None:
        """Give a lease back, again while the database is away: kept, it would let the job rest until it runs out."""
        backoff = Backoff()
        while self._means.clock.monotonic() < lease.until_monotonic:
            try:
                return await accounts.put_off(self._means.db, lease, next_at=next_at, failures=failures, error=error)
            except Exception as refused:
                if not is_passing(refused):
                    raise
                LOG.warning("a job is not put off yet", account_id=lease.account_id, error_type=type(refused).__name__)
                await self._means.clock.sleep(backoff.pause())
        return None


def _told(failure: Failure, at: datetime) -> RouteError:
    return RouteError(code=failure.code, why=failure.why, at=at)


def _backoff(failures: int, longest: timedelta) -> timedelta:
    most = doubled(FIRST_PAUSE, failures - 1, longest)
    # Accounts that failed together do not come back together.
    return most * random.uniform(0.5, 1)  # noqa: S311  no secret
