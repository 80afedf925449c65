"""Opens real sessions for the suites: transport, pacer rows, a clock; faster than documented where a test says so."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hanro.clock import Clock, SystemClock
from hanro.db import Database, connect
from hanro.http import Transport
from hanro.ids import new_id
from hanro.marketplace.port import Plugin, Secrets, Session
from hanro.marketplace.types import Limits
from hanro.pacer import Pacing
from hanro.testing.conformance import SCHEMA, SERVICE

FAST = 200
# Shorter than documented, so that silence is told soon; long enough for a busy machine.
CALL_DEADLINE = timedelta(seconds=6)
OLD_KEY = timedelta(days=1)


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
    ) -> Session:
        """Open a session; an account of its own unless one is named, so that no breaker is another test's."""
        account = account_id or new_id("acc")
        limits = scaled(self.plugin.limits, self.factor)
        return Session(
            secrets=Secrets(values=values, version=1, stored_at=stored_at or datetime.now(UTC) - OLD_KEY),
            http=self.transport.session_http(self.plugin.id, account, call_deadline=CALL_DEADLINE),
            pacer=_pacing(self.db, self.clock, limits, service, account, is_alone=is_alone),
            clock=self.clock,
        )


@asynccontextmanager
async def open_rig(plugin: Plugin, base_url: str, database_url: str, *, factor: int = FAST) -> AsyncIterator[Rig]:
    """Open a rig for a block."""
    clock = SystemClock()
    db = connect(database_url, schema=SCHEMA)
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
