"""Starts a marketplace's simulator as a process, opens shops in it, and gives order-svc's own poller what it takes."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
from bench_service import free_port

from hanro.access_reports import AccessLog
from hanro.clock import SystemClock
from hanro.credentials import Heard
from hanro.db import Database
from hanro.due import Lease
from hanro.events.accounts import AccountActivated
from hanro.http import Transport
from hanro.marketplace import installed
from hanro.marketplace.port import Secrets
from hanro.marketplace.types import MarketplaceId
from hanro.metrics import new_registry
from hanro.sessions import OpenSession, Outside, session_with
from hanro.testing.callers import fixed_keyring
from order_svc import accounts
from order_svc.domain.accounts import follow
from order_svc.poller import Means, Pace, PollMetrics

ID = MarketplaceId("rakuten_ichiba")
NAME: Final = "order-svc"
SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Market:
    """Be a running simulator; `secrets` are those of each account's shop."""

    url: str
    secrets: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    async def open_shops(self, db: Database, count: int) -> list[str]:
        """Open shops and let their accounts work; give the shops' numbers, which the accounts' ids hold."""
        numbers = [f"{990_001 + place}" for place in range(count)]
        async with httpx.AsyncClient(base_url=self.url, timeout=SECONDS, trust_env=False) as client:
            for number in numbers:
                opened = (await client.post("/_sim/shops", json={"number": number})).raise_for_status().json()
                kept = {name: opened[name] for name in ("service_secret", "license_key")}
                self.secrets[account_of(number)] = kept
        routes = {str(ID): [route.name for route in installed()[ID].routes]}
        async with db.begin() as tx:
            changes = [follow(None, _activated(account_of(number))) for number in numbers]
            await accounts.apply(tx, changes, routes=routes, forget=lambda _account_id: None)
        return numbers

    @asynccontextmanager
    async def means(self, db: Database) -> AsyncIterator[Means]:
        """Give what the poller takes, as in an installation but for account-svc: secrets are at hand."""
        clock = SystemClock()
        plugin = installed()[ID]
        transport = Transport({ID: self.url}, clock)
        outside = Outside(plugins={ID: plugin}, transport=transport, db=db, clock=clock, service=NAME)

        async def opened(
            account_id: str, *, heard: Heard | None, purpose: str, lease: Lease | None = None
        ) -> OpenSession:
            del heard, purpose
            secrets = Secrets(values=self.secrets[account_id], version=1, stored_at=clock.now())
            session = session_with(outside, plugin, secrets, account_id, lease=lease)
            return OpenSession(plugin=plugin, session=session, account_epoch=1)

        try:
            yield Means(
                db=db,
                keyring=fixed_keyring(),
                plugins={ID: plugin},
                open=opened,
                forget=lambda _account_id: None,
                access=AccessLog(db, clock, service=NAME),
                clock=clock,
                pace=Pace(),
                metrics=PollMetrics(new_registry()),
            )
        finally:
            await transport.close()


def account_of(number: str) -> str:
    """Give the account of a shop."""
    return f"acc_{number}"


@contextmanager
def opened() -> Iterator[Market]:
    """Run the simulator of Rakuten Ichiba with its own limits: a request a second, API and shop."""
    port = free_port()
    popen = subprocess.Popen(
        [sys.executable, "-m", "hanro_rakuten_ichiba.simulator", "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        asyncio.run(_ready(url))
        yield Market(url=url)
    finally:
        popen.kill()
        popen.wait(SECONDS)


async def place(url: str, number: str, *, count: int = 1, wish: Mapping[str, object] | None = None) -> list[str]:
    """Let buyers order at a shop, and give the orders' numbers."""
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS, trust_env=False) as client:
        answer = await client.post(f"/_sim/shops/{number}/orders", json={"count": count, **(wish or {})})
        found: list[str] = answer.raise_for_status().json()["external_ids"]
        return found


async def _ready(url: str) -> None:
    end = time.perf_counter() + SECONDS
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS, trust_env=False) as client:
        while True:
            try:
                (await client.get("/_sim/health")).raise_for_status()
            except httpx.TransportError:
                if time.perf_counter() > end:
                    raise
                await asyncio.sleep(0.05)
            else:
                return


def _activated(account_id: str) -> AccountActivated:
    return AccountActivated(
        id=account_id,
        version=1,
        at=datetime.now(UTC) - timedelta(days=1),
        account_id=account_id,
        account_epoch=1,
        marketplace_id=str(ID),
        display_name="見本ストア",
        state="active",
        is_enabled=True,
        credential_version=1,
        shop_ids=("shp_1",),
    )
