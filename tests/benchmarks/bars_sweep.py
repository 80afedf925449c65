"""Keys: a day of the checker's work over all accounts, in simulated time; it must stay linear in accounts.

The checker's own loop does it. What an account that works is looked at for is spread over the day: its grants, when its
keys end, the warnings of that, what the seller set up. The marketplace answers at once and by itself.
"""

import asyncio
import copy
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import bench_accounts
from bars_growth import STEEPEST, slope
from bench_places import SECONDS, Places, run
from bench_table import Row, limit

from account_svc.accounts import jobs
from account_svc.accounts.credentials import Safe
from account_svc.checker import Checking
from account_svc.checker import run as check_due
from account_svc.checker.metrics import CheckMetrics
from account_svc.checker.relay_login import Relays
from account_svc.vault import Installation, Vault
from hanro.http import Transport, tls_context
from hanro.marketplace import installed
from hanro.marketplace.types import (
    ExpirySource,
    GrantState,
    KeyExpiry,
    MarketEntry,
    MarketInformation,
    MarketKind,
    MarketplaceId,
    Moment,
    PreflightRow,
    ProbeKind,
)
from hanro.metrics import new_registry
from hanro.service import Parts
from hanro_local.databases import SchemaUrls

SIZES = (625, 2_500, 10_000)
STEPS = 4
STEP = timedelta(days=1) / STEPS
SETTLE_SECONDS = 0.05
DAILY = (jobs.RECHECK, jobs.EXPIRIES, jobs.MARKET)
ENTRIES = 10
TABLES = [
    *("accounts", "due", "outbox", "credential_uses", "preflights", "key_expiries", "expiry_warnings"),
    *("market_reads", "market_kinds", "market_entries", "market_changes", "audit_entries"),
]
MARKETPLACE = MarketplaceId("rakuten_ichiba")


def sweep(places: Places, sizes: Sequence[int] = SIZES) -> list[Row]:
    """Give the slope of a day's seconds over accounts, both as logarithms: 1 is linear; and the seconds themselves.

    The largest has one turn, each smaller one a turn more: what else the machine does weighs more upon those.
    """
    urls = places.database(bench_accounts.SCHEMA)
    turns = [size for count, size in enumerate(reversed(sizes), 1) for _ in range(count)]

    async def measure() -> list[Row]:
        found: dict[int, list[float]] = {size: [] for size in sizes}
        for size in turns:
            await places.empty(urls, TABLES)
            found[size].append(await _day(urls, size))
        means = [statistics.mean(found[size]) for size in sizes]
        shown = "/".join(f"{seconds:.1f}" for seconds in means)
        what = f"slope, a day of checks of {'/'.join(map(str, sizes))} accounts ({shown} s)"
        return [limit("keys", what, [slope(sizes, means)], unit="", passes=STEEPEST, stretch=1.0)]

    return run(measure())


async def _day(urls: SchemaUrls, size: int) -> float:
    """Have the checker do a day's work for so many accounts, and give the seconds in which something was due."""
    parts = bench_accounts.parts(urls)
    owner = await asyncpg.connect(urls.owner, timeout=SECONDS)
    try:
        await _fill(parts, size)
        await owner.execute(f'set search_path = "{urls.schema}"')
        await owner.execute("vacuum analyze accounts, credentials, due")
        stop = asyncio.Event()
        clock = Days(owner, urls.schema, stop)
        began = time.perf_counter()
        await check_due(_checking(parts, clock), stop)
        seconds = time.perf_counter() - began - clock.idle_seconds
        await _check_done(owner, urls.schema, size)
        return seconds
    finally:
        await owner.execute(f'update "{urls.schema}".clock_offset set seconds = 0')  # noqa: S608  ours
        await owner.close(timeout=SECONDS)
        await parts.close()


class Days:
    """Be a clock that goes six hours on each time that nothing is due and nobody works, and stops after a day.

    `idle_seconds` were spent on seeing that.
    """

    def __init__(self, owner: asyncpg.Connection, schema: str, stop: asyncio.Event) -> None:
        self._owner = owner
        self._schema = schema
        self._stop = stop
        self._steps = 0
        self._looking = asyncio.Lock()
        self.idle_seconds = 0.0

    def now(self) -> datetime:
        """Give the time, aware, UTC."""
        return datetime.now(UTC) + self._steps * STEP

    def monotonic(self) -> float:
        """Give the machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait; the rest of who found nothing to do is a step."""
        began = time.perf_counter()
        await asyncio.sleep(min(seconds, SETTLE_SECONDS))
        if seconds > SETTLE_SECONDS:
            # Whoever rests may be woken meanwhile; a step is gone wholly or not.
            await asyncio.shield(asyncio.ensure_future(self._go_on(began)))

    async def _go_on(self, began: float) -> None:
        async with self._looking:
            is_busy = await self._owner.fetchval(
                f"""
                select exists (
                    select 1 from "{self._schema}".due where next_at <= (select "{self._schema}".now())
                )
                """  # noqa: S608  ours
            )
            if is_busy:
                return
            if self._steps == STEPS:
                self._stop.set()
                return
            self._steps += 1
            await self._owner.execute(
                f'update "{self._schema}".clock_offset set seconds = $1',  # noqa: S608  ours
                (self._steps * STEP).total_seconds(),
            )
            self.idle_seconds += time.perf_counter() - began


class Door:
    """Be a marketplace's access that answers at once: all is granted, a key ends in 13 days, some entries are there."""

    def __init__(self, clock: Days) -> None:
        self._clock = clock

    async def probe(self, grant_id: str) -> PreflightRow:
        """Grant it."""
        return PreflightRow(
            grant_id=grant_id, state=GrantState.GRANTED, why="It answers.", checked_at=self._clock.now(), refusal=None
        )

    async def key_expiries(self) -> tuple[KeyExpiry, ...]:
        """Give one end, for which a warning is due."""
        end = self._clock.now() + timedelta(days=13)
        ends = Moment(at=end, local=end.isoformat())
        return (KeyExpiry(field="license_key", source=ExpirySource.COMPUTED, expires=ends),)

    async def market_information(self) -> MarketInformation:
        """Give the same entries each day."""
        entries = tuple(
            MarketEntry(kind=kind, external_id=str(number), name=f"見本{number}", details={})
            for number, kind in enumerate(ENTRIES * [next(iter(MarketKind))])
        )
        return MarketInformation(read_at=self._clock.now(), entries=entries, absent={}, failed={})


def _checking(parts: Parts, clock: Days) -> Checking:
    plugin: Any = copy.copy(installed()[MARKETPLACE])
    plugin.access = lambda _session: Door(clock)
    # A relay's log-in goes over a socket of its own.
    plugin.grants = tuple(grant for grant in plugin.grants if grant.probe is not ProbeKind.SMTP)
    # Nobody is called there: the door answers by itself.
    transport = Transport({MARKETPLACE: "http://127.0.0.1:9"}, clock)
    return Checking(
        db=parts.db,
        outside=replace(parts.outside, plugins={MARKETPLACE: plugin}, transport=transport, clock=clock),
        relays=Relays(redirects={}, trust=tls_context()),
        safe=Safe(vault=Vault(parts.keyring, schema=bench_accounts.SCHEMA), installation=Installation(None)),
        metrics=CheckMetrics(new_registry()),
    )


async def _fill(parts: Parts, size: int) -> None:
    """Make accounts that work, and what is due of each once a day due at some time of the next day."""
    async with parts.db.begin() as tx:
        ids = await bench_accounts.fill(tx, size)
        await tx.execute(
            f"""
            insert into due (account_id, job, next_at, fence)
            select id, job, now + interval '24 hours' * place / $3::int, nextval('due_fence')
            from unnest($1::text[]) with ordinality as t (id, place), unnest($2::text[]) job,
                (select {tx.now_sql} as now) clock
            """,  # noqa: S608  the schema's own clock
            ids,
            list(DAILY),
            size,
        )


async def _check_done(owner: asyncpg.Connection, schema: str, size: int) -> None:
    """Refuse a figure of work that was not done."""
    done = await owner.fetchrow(
        f"""
        select (select count(distinct account_id) from "{schema}".preflights where finished_at is not null) as checked,
            (select count(*) from "{schema}".key_expiries) as looked_up,
            (select count(*) from "{schema}".expiry_warnings) as warned,
            (select count(distinct account_id) from "{schema}".market_entries) as read,
            $1 - (select count(*) from "{schema}".due where failure_count > 0) as well
        """,  # noqa: S608  ours
        size,
    )
    if done is None or any(count != size for count in done.values()):
        raise RuntimeError(f"a day of {size} accounts left work: {dict(done or {})}")
