"""Keys: how fast credentials are vended beside a bare read, and how a sweep over all accounts grows."""

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bars_growth import slope
from baselines.indexed_read import at_a_rate, read_rows
from bench_places import Places, run
from bench_table import Row, limit, ratio

from account_svc.accounts import jobs
from account_svc.accounts.credentials import Safe
from account_svc.app import SERVICE
from account_svc.checker import Checking
from account_svc.checker.doer import check
from account_svc.checker.metrics import CheckMetrics
from account_svc.checker.relay_login import Relays
from account_svc.settings import AccountSettings
from account_svc.vault import Installation, Vault
from hanro import due
from hanro.http import Transport, tls_context
from hanro.marketplace import installed
from hanro.marketplace.types import ExpirySource, KeyExpiry, MarketplaceId, Moment
from hanro.metrics import new_registry
from hanro.service import Parts, open_parts, public_routers
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro.web import create_app
from hanro_local.databases import SchemaUrls

OK = 200
PER_SECOND = 200.0
VENDS = 2_000
ACCOUNTS = 1_000
TIMES = (625, 2_500, 10_000)
SWEPT = (jobs.EXPIRIES, jobs.WARNINGS)
TABLES = ["due", "key_expiries", "expiry_warnings", "outbox", "credential_uses", "credentials", "accounts"]
MARKETPLACE = MarketplaceId("rakuten_ichiba")
READ = "select version, sealed from account.credentials where account_id = $1"


def keys(places: Places, repetitions: int = 3) -> list[Row]:
    """Give the tail of vending as a ratio to a bare read's, and the slope of a sweep over all accounts."""
    return [*vending(places, repetitions), *sweep(places, repetitions)]


def vending(places: Places, repetitions: int = 3, count: int = VENDS) -> list[Row]:
    """Compare the 99th percentile of vending at 200/s with that of a bare indexed read."""
    urls = places.database("account")

    async def measure() -> list[Row]:
        parts = _parts(urls)
        try:
            ids = await _fill(parts, ACCOUNTS)
            wanted = [ids[number % len(ids)] for number in range(count)]
            vend = _vending(parts)
            await at_a_rate([lambda one=one: vend(one) for one in wanted[:200]], PER_SECOND)
            pairs = []
            for _ in range(repetitions):
                ours = await at_a_rate([lambda one=one: vend(one) for one in wanted], PER_SECOND)
                bare = await read_rows(urls.runtime, READ, wanted, PER_SECOND)
                pairs.append((_tail(ours) * 1000, _tail(bare) * 1000))
            what = "credentials vended at 200/s, p99, against an indexed read"
            return [ratio("keys", what, pairs, passes=5.0, stretch=3.0, is_at_least=False, unit="ms")]
        finally:
            await parts.close()

    return run(measure())


def sweep(places: Places, repetitions: int = 3, sizes: Sequence[int] = TIMES) -> list[Row]:
    """Give the slope of a day's sweep: each account's key is looked up, and a warning of it is told."""
    urls = places.database("account")

    async def measure() -> list[Row]:
        parts = _parts(urls)
        try:
            checking = _checking(parts)
            found: dict[int, list[float]] = {size: [] for size in sizes}
            for _ in range(repetitions):
                for size in sizes:
                    await places.empty(urls, TABLES)
                    await _fill(parts, size)
                    found[size].append(await _swept(parts, checking))
            best = [min(found[size]) for size in sizes]
            what = f"slope, a sweep of {'/'.join(map(str, sizes))} accounts"
            seconds = f"{sizes[-1]} accounts swept, seconds"
            return [
                limit("keys", what, [slope(sizes, best)], unit="", passes=1.05, stretch=1.0),
                limit("keys", seconds, [best[-1]], unit="s", passes=None, stretch=None),
            ]
        finally:
            await parts.close()

    return run(measure())


def _vending(parts: Parts) -> Callable[[str], Awaitable[float]]:
    """Give what asks the internal route as a server hands it over, and tells the seconds.

    No client stands before it: on this process's own time it would cost as much as the route does.
    """
    built = SERVICE.build(parts, _settings("postgresql://x"))
    apps = create_app(
        SERVICE.info,
        routers=public_routers(SERVICE, parts, built),
        internal_routers=built.internal_routers,
        subscriptions=built.subscriptions,
        authenticator=SpokenCallers(),
        db=parts.db,
        cursors=parts.cursors,
        clock=parts.clock,
        registry=parts.registry,
        missing=lambda: None,
        accounts_of=built.accounts_of,
    )
    body = b'{"service":"order-svc","purpose":"poll"}'
    said = bearer("internal:credentials", subject="order-svc") | {
        "host": "account",
        "content-type": "application/json",
        "content-length": str(len(body)),
    }
    headers = [(name.lower().encode(), text.encode()) for name, text in said.items()]

    async def vend(account_id: str) -> float:
        path = f"/internal/v1/accounts/{account_id}/credentials:vend"
        waiting = [{"type": "http.request", "body": body, "more_body": False}]
        told: list[Any] = []

        async def receive() -> Any:
            return waiting.pop() if waiting else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("account", 80),
        }
        began = time.perf_counter()
        await apps.internal(scope, receive, send)
        took = time.perf_counter() - began
        if told[0]["status"] != OK:
            raise RuntimeError(str(told))
        return took

    return vend


def _tail(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


class _Door:
    """Be a marketplace's access that knows each key's end without asking anybody."""

    def __init__(self, end: KeyExpiry) -> None:
        self._end = end

    async def key_expiries(self) -> tuple[KeyExpiry, ...]:
        return (self._end,)


def _settings(url: str) -> AccountSettings:
    return AccountSettings(database_url=url, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/nonexistent"))


def _parts(urls: SchemaUrls) -> Parts:
    return open_parts(SERVICE, _settings(urls.runtime), keyring=fixed_keyring())


def _checking(parts: Parts) -> Checking:
    end = datetime.now(UTC) + timedelta(days=13)
    known = KeyExpiry(field="license_key", source=ExpirySource.COMPUTED, expires=Moment(at=end, local=end.isoformat()))
    plugin: Any = copy.copy(installed()[MARKETPLACE])
    plugin.access = lambda _session: _Door(known)
    # Nobody is called there: the door answers by itself.
    transport = Transport({MARKETPLACE: "http://127.0.0.1:9"}, parts.clock)
    return Checking(
        db=parts.db,
        outside=replace(parts.outside, plugins={MARKETPLACE: plugin}, transport=transport),
        relays=Relays(redirects={}, trust=tls_context()),
        safe=Safe(vault=Vault(parts.keyring, schema="account"), installation=Installation(None)),
        metrics=CheckMetrics(new_registry()),
    )


async def _fill(parts: Parts, count: int) -> list[str]:
    """Make accounts that work, each with credentials, and with both jobs of the sweep due."""
    vault = Vault(parts.keyring, schema="account")
    ids = [f"acc_{number:026}" for number in range(count)]
    values = {"service_secret": "SP000000_0000000000000000", "license_key": "SL000000_0000000000000000"}
    sealed = [vault.close(one, 1, values) for one in ids]
    async with parts.db.begin() as tx:
        await tx.execute(
            f"""
            insert into accounts (id, marketplace_id, display_name, shop_ids, state, is_enabled, grants,
                lost_capabilities, credential_version, epoch, version, created_at, changed_at)
            select id, 'rakuten_ichiba', '見本店', array['shp_1'], 'active', true, '[]', array[]::text[], 1, 0, 1,
                now, now from unnest($1::text[]) id, (select {tx.now_sql} as now) clock
            """,  # noqa: S608  the schema's own clock
            ids,
        )
        await tx.execute(
            f"""
            insert into credentials (account_id, version, registration_id, field_names, sealed, stored_at, stored_by)
            select id, 1, 'own_application', array['license_key'], sealed, {tx.now_sql}, 'bench'
            from unnest($1::text[], $2::bytea[]) as t (id, sealed)
            """,  # noqa: S608  the schema's own clock
            ids,
            sealed,
        )
        await tx.execute(
            f"""
            insert into due (account_id, job, next_at, fence)
            select id, 'key-expiries', {tx.now_sql}, nextval('due_fence') from unnest($1::text[]) id
            """,  # noqa: S608  the schema's own clock
            ids,
        )
    return ids


async def _swept(parts: Parts, checking: Checking) -> float:
    """Do all that is due of the sweep, 32 at a time as the checker does, and give the seconds."""
    began = time.perf_counter()
    while True:
        leases = [
            lease
            for job in SWEPT
            for lease in await due.claim(parts.db, [job], limit=32, lease=jobs.LEASES[job], clock=parts.clock)
        ]
        if not leases:
            return time.perf_counter() - began
        await asyncio.gather(*(check(checking, lease) for lease in leases))
