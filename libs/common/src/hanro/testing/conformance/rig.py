"""Opens real sessions for the suites: transport, pacer rows, a clock; faster than documented where a test says so."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from hanro.clock import Clock, SystemClock
from hanro.db import Database, connect
from hanro.http import Transport
from hanro.ids import new_id
from hanro.marketplace.port import Pacer, Plugin, Secrets, Session, Turn
from hanro.marketplace.types import Limits
from hanro.pacer import Pacing
from hanro.testing.conformance import SCHEMA, SERVICE

T = TypeVar("T")
FAST = 200
# Shorter than documented, so that silence is told soon; long enough for a busy machine.
CALL_DEADLINE = timedelta(seconds=6)
# For a call that meets silence and nothing else.
SHORT_DEADLINE = timedelta(seconds=1)
OLD_KEY = timedelta(days=1)
LONGEST_SLEEP_SECONDS = 0.02
# Sessions of a rig call side by side, and at its pace all that wait ask at once: none may want for a connection.
POOL_SIZE = 16


class HurriedClock:
    """Tell real time, and cut short what a plug-in waits between its own repeats. Pacers keep real time."""

    def now(self) -> datetime:
        """Give the time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give the machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait, not for long."""
        await asyncio.sleep(min(max(0.0, seconds), LONGEST_SLEEP_SECONDS))


class _Now:
    """Be a turn that nothing follows from."""

    def throttled(self, after: timedelta | None) -> None:
        """Do nothing."""


class Unpaced:
    """Give every turn at once."""

    @asynccontextmanager
    async def turn(self, *groups: str) -> AsyncIterator[Turn]:
        """Give a turn."""
        del groups
        yield _Now()


@dataclass
class NotedPacer:
    """Give the turns of another pacer and count them by group."""

    pacer: Pacer
    turns: Counter[str] = field(default_factory=Counter)

    def turn(self, *groups: str) -> AbstractAsyncContextManager[Turn]:
        """Wait for a slot in all groups at once."""
        self.turns.update(groups)
        return self.pacer.turn(*groups)


class NoPacer:
    """Let every request leave at once: what a pacer must not do."""

    @asynccontextmanager
    async def turn(self, *_groups: str) -> AsyncIterator[Turn]:
        """Give a turn at once."""
        yield self

    def throttled(self, after: timedelta | None) -> None:
        """Take no notice."""


async def together(*calls: Awaitable[T]) -> list[T]:
    """Await all calls side by side, then raise the first failure: none is left behind at work."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    results = []
    for one in found:
        if isinstance(one, BaseException):
            raise one
        results.append(one)
    return results


def scaled(limits: Limits, factor: int) -> Limits:
    """Give limits so many times as fast, still one request at once where that was so."""
    return replace(
        limits,
        groups={name: replace(group, period=group.period / factor) for name, group in limits.groups.items()},
    )


@dataclass(frozen=True, kw_only=True)
class Rig:
    """Hold what sessions are made of; `factor` is how much faster than documented they may call."""

    plugin: Plugin
    db: Database
    transport: Transport
    clock: Clock
    factor: int

    def session(
        self,
        values: Mapping[str, str],
        *,
        account_id: str | None = None,
        stored_at: datetime | None = None,
        is_alone: bool = True,
        service: str = SERVICE,
        call_deadline: timedelta = CALL_DEADLINE,
    ) -> Session:
        """Open a session; an account of its own unless one is named, so that no breaker is another test's."""
        account = account_id or new_id("acc")
        limits = scaled(self.plugin.limits, self.factor)
        return Session(
            secrets=Secrets(values=values, version=1, stored_at=stored_at or datetime.now(UTC) - OLD_KEY),
            http=self.transport.session_http(self.plugin.id, account, call_deadline=call_deadline),
            pacer=_pacing(self.db, self.clock, limits, service, account, is_alone=is_alone),
            clock=HurriedClock(),
        )

    def unpaced(
        self,
        values: Mapping[str, str],
        *,
        stored_at: datetime | None = None,
        call_deadline: timedelta = CALL_DEADLINE,
    ) -> Session:
        """Give a session of a new account whose turns come at once: where the pace is not what is looked at."""
        return Session(
            secrets=Secrets(values=values, version=1, stored_at=stored_at or datetime.now(UTC) - OLD_KEY),
            http=self.transport.session_http(self.plugin.id, new_id("acc"), call_deadline=call_deadline),
            pacer=Unpaced(),
            clock=HurriedClock(),
        )


@asynccontextmanager
async def open_rig(plugin: Plugin, base_url: str, database_url: str, *, factor: int = FAST) -> AsyncIterator[Rig]:
    """Open a rig for a block."""
    clock = SystemClock()
    db = connect(database_url, schema=SCHEMA, pool_size=POOL_SIZE)
    transport = Transport({plugin.id: base_url}, clock)
    try:
        yield Rig(plugin=plugin, db=db, transport=transport, clock=clock, factor=factor)
    finally:
        await transport.close()
        await db.close()


def _pacing(db: Database, clock: Clock, limits: Limits, service: str, account: str, *, is_alone: bool) -> Pacing:
    """Pace as if every group were this service's: suites call from one place what services share."""
    if is_alone:
        groups = {name: replace(group, shares={service: Decimal(1)}) for name, group in limits.groups.items()}
        limits = replace(limits, groups=groups)
    return Pacing(db, clock, limits, service, account, is_alone=is_alone)
