"""Holds what doers need to ask a marketplace about orders, and how often they do."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram

from hanro.access_reports import AccessLog
from hanro.clock import Clock
from hanro.credentials import Heard
from hanro.crypto import Keyring
from hanro.db import Database
from hanro.due import Lease
from hanro.errors import CREDENTIAL_CODES, ContractBroken, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, MarketplaceId, Route, RouteKind, Supported
from hanro.sessions import OpenSession
from order_svc import accounts
from order_svc.domain.accounts import Account
from order_svc.poller.counting import Counted

LOG = logger(__name__)
GRANT_MISSING = "grant-missing"
REQUEST_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000)


class Opener(Protocol):
    """Open a session for one account."""

    def __call__(
        self, account_id: str, *, heard: Heard | None, purpose: str, lease: Lease | None = None
    ) -> Awaitable[OpenSession]:
        """Do as `hanro.sessions.open_session` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Say how often and how far back is looked, and how much at once.

    A route that fails rests longer each time, up to `longest_pause`; one whose answer nobody can read rests that long.

    Orders that no route shows any more are read again by number; those that left the house each `follow_every`, until
    the marketplace closes them, at most `follow_count` in one go.
    """

    new_every: timedelta = timedelta(seconds=15)
    sweep_every: timedelta = timedelta(minutes=5)
    first_look_back: timedelta = timedelta(days=30)
    refused_pause: timedelta = timedelta(minutes=2)
    longest_pause: timedelta = timedelta(minutes=5)
    follow_every: timedelta = timedelta(hours=6)
    follow_count: int = 1000
    lease: timedelta = timedelta(seconds=60)
    slots: int = 32

    def every(self, route: Route) -> timedelta:
        """Give how long after its start a route is due again."""
        return self.new_every if route.kind is RouteKind.NEW else self.sweep_every


class PollMetrics:
    """Count polls and sightings; labels are few and never an account or an order."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._polls = Counter(
            "hanro_order_polls_total",
            "Pieces of work on a route, by what ended them",
            ["job", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "hanro_order_poll_seconds", "Seconds that a piece of work on a route took", ["job"], registry=registry
        )
        self._sightings = Counter(
            "hanro_order_sightings_total", "Orders that pages showed", ["marketplace", "route"], registry=registry
        )

        self._found = Counter(
            "hanro_order_found_total",
            "Orders that nobody had found before, by how they were: new, sweep, changes, fetch, notice, backfill",
            ["marketplace", "finder"],
            registry=registry,
        )
        self._requests = Histogram(
            "hanro_order_window_requests",
            "Requests that reading a whole window of a route took",
            ["marketplace", "route"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._gaps = Counter(
            "hanro_order_backfills_required_total",
            "Gaps that a route can no longer read, because they lie beyond the marketplace's reach",
            ["marketplace", "route"],
            registry=registry,
        )
        self._notices = Counter(
            "hanro_order_notices_total",
            "Notices that marketplaces pushed, by what became of them: new, known, refused, failed",
            ["marketplace", "outcome"],
            registry=registry,
        )
        self._stuck = Counter(
            "hanro_order_pagination_stuck_total",
            "Runs that ended because a page showed no order that was new to the run",
            ["marketplace", "route"],
            registry=registry,
        )

    def polled(self, job: str, outcome: str, seconds: float) -> None:
        """Note one piece of work; `outcome` is "done", "paused", … or the code of a failure."""
        self._polls.labels(job, outcome).inc()
        self._seconds.labels(job).observe(seconds)

    def sighted(self, marketplace_id: str, route: str, count: int) -> None:
        """Note how many orders a page showed."""
        self._sightings.labels(marketplace_id, route).inc(count)

    def found(self, marketplace_id: str, finder: str, count: int) -> None:
        """Note how many orders were found that nobody had found before."""
        if count:
            self._found.labels(marketplace_id, finder).inc(count)

    def read_whole(self, marketplace_id: str, route: str, requests: int) -> None:
        """Note what reading a whole window took."""
        self._requests.labels(marketplace_id, route).observe(requests)

    def gap_seen(self, marketplace_id: str, route: str) -> None:
        """Note that a route can no longer read a stretch of time."""
        self._gaps.labels(marketplace_id, route).inc()

    def noticed(self, marketplace_id: str, outcome: str, count: int) -> None:
        """Note what became of notices."""
        if count:
            self._notices.labels(marketplace_id, outcome).inc(count)

    def stuck(self, marketplace_id: str, route: str) -> None:
        """Note that paging stopped at a page without an order that was new to the run."""
        self._stuck.labels(marketplace_id, route).inc()


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Hold what a doer needs; made once in `app.py`."""

    db: Database
    keyring: Keyring = field(repr=False)
    plugins: Mapping[MarketplaceId, Plugin]
    open: Opener
    forget: Callable[[str], None]
    access: AccessLog
    clock: Clock
    pace: Pace
    metrics: PollMetrics

    @property
    def lease(self) -> timedelta:
        """Give the length of a lease: at least three times the longest call."""
        return max([self.pace.lease, *(3 * plugin.limits.call_deadline for plugin in self.plugins.values())])

    @property
    def shortest_lease(self) -> timedelta:
        """Give the length for which a job is claimed before it is known at which marketplace: it may be lengthened."""
        return min((self.lease_at(plugin) for plugin in self.plugins.values()), default=self.pace.lease)

    def lease_at(self, plugin: Plugin) -> timedelta:
        """Give the length of a lease of work at a marketplace: three times the longest call, and what is set at least.

        Who dies holds an account up for no longer than its own marketplace's calls may take.
        """
        return max(self.pace.lease, 3 * plugin.limits.call_deadline)

    async def note_success(
        self, account_id: str, opened: OpenSession, capability: Capability, *, asked_at: datetime
    ) -> None:
        """Tell account-svc, now or later, that the grants of a capability were served when asked at a time, UTC."""
        support = opened.plugin.capabilities[capability]
        if isinstance(support, Supported) and support.grant_ids:
            await self.access.succeeded(
                account_id,
                support.grant_ids,
                asked_at=asked_at,
                credential_version=opened.session.secrets.version,
                account_epoch=opened.account_epoch,
            )

    async def stop_for_seller(
        self, account_id: str, failure: NeedsSeller, opened: OpenSession, *, lease: Lease | None = None
    ) -> None:
        """Tell account-svc, let the whole account wait, and give the lease back; a newer credential ends the wait.

        For want of one grant nothing else waits but what asked for it. Whose key was refused asks for it again first:
        where a newer one is in use work goes on with that, also before the fact that tells it has come.
        """
        version = opened.session.secrets.version
        now = self.clock.now()
        if failure.code in CREDENTIAL_CODES and await self._is_replaced(account_id, version):
            LOG.info("a newer credential is in use", account_id=account_id, code=failure.code)
            await accounts.go_on(self.db, lease, account_id, at=now)
            return
        LOG.warning("the seller is needed", account_id=account_id, code=failure.code, grant_id=failure.grant_id)
        await self.access.refused(account_id, failure, credential_version=version, account_epoch=opened.account_epoch)
        if failure.code == GRANT_MISSING:
            # The rest of the account's work needs other grants; account-svc finds out which are lost.
            if lease is not None:
                next_at, failures = now + self.pace.refused_pause, lease.failure_count + 1
                await accounts.put_off(self.db, lease, next_at=next_at, failures=failures)
            return
        await accounts.pause_after_refusal(
            self.db,
            lease,
            account_id,
            credential_version=version,
            at=now,
            length=self.pace.refused_pause,
        )

    async def _is_replaced(self, account_id: str, version: int) -> bool:
        self.forget(account_id)
        try:
            again = await self.open(account_id, heard=None, purpose="refused")
        except (Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt, Unsupported):
            return False
        return again.session.secrets.version > version


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Be one piece of work: a route of an account to read, under a lease, with an open session."""

    lease: Lease
    account: Account
    opened: OpenSession
    route: Route
    requests: Counted
