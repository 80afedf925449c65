"""Gives tests account-svc on a real Postgres, its routes over ASGI, and the marketplace's simulator as a process."""

import asyncio
import copy
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from account_svc.accounts import jobs
from account_svc.accounts.credentials import Safe
from account_svc.app import SERVICE
from account_svc.checker import Checking
from account_svc.checker.doer import check
from account_svc.checker.metrics import CheckMetrics
from account_svc.checker.relay_login import Relays
from account_svc.settings import AccountSettings
from account_svc.vault import Vault
from hanro import due
from hanro.crypto import Keyring
from hanro.db import Database, migrate
from hanro.http import Transport, tls_context
from hanro.marketplace import installed
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId
from hanro.service import Built, Parts, make_apps, open_parts
from hanro.sessions import Outside
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro_local.databases import SchemaUrls

MIGRATIONS = Path(__file__).parents[1] / "migrations"
SCOPES = tuple(f"{noun}:{verb}" for noun in ("marketplaces", "shops", "accounts") for verb in ("read", "write"))
RELAY = "sub.fw.rakuten.ne.jp:587"
HURRY = 10
# A link asks for these alone where a test does not look at the others: ninety probes cost a second.
FEW = frozenset(
    {
        "rpay.order.searchOrder",
        "rpay.order.getOrder",
        "rpay.order.confirmOrder",
        "rpay.order.getSubStatusList",
        "license.expiryDate",
        "shop.shopMaster",
        "mail_relay",
    }
)
VEND = bearer("internal:credentials", subject="order-svc")

Json = dict[str, Any]


def prepare(urls: SchemaUrls) -> None:
    """Migrate the template database of this service's tests."""
    migrate(urls.owner, schema="account", migrations=MIGRATIONS, runtime_role="account_runtime")


@dataclass(frozen=True)
class Simulator:
    """Be a running simulator of Rakuten Ichiba with its mail relay."""

    url: str
    relay: str
    certificate_file: Path

    def control(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Use a control of `/_sim`."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_sim{path}", sent, headers, method=method)  # noqa: S310  loopback
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  loopback
            read = answer.read()
        return json.loads(read) if read else None

    def reset(self) -> None:
        """Forget all shops; the pace is no matter of these tests, so no probe is to end in a 429."""
        self.control("/reset", "POST")
        self.control("/limits", "PUT", {"requests_per_second": HURRY * HURRY * HURRY, "burst": HURRY * HURRY * HURRY})

    def open_shop(self) -> Json:
        """Open a shop and give its credentials."""
        shop: Json = self.control("/shops", "POST")
        return shop


@contextmanager
def simulator(folder: Path) -> Iterator[Simulator]:
    """Run the simulator as a process of its own for the length of the block."""
    certificate_file = folder / "authority.pem"
    program = [sys.executable, "-m", "hanro_rakuten_ichiba.simulator", "--port", "0", "--smtp-port", "0"]
    process = subprocess.Popen(  # noqa: S603  our own program
        [*program, "--certificate-file", str(certificate_file)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        http, smtp = line.partition("http://")[2].split(", smtp ")
        market = Simulator(f"http://{http}", f"127.0.0.1:{smtp.strip().rpartition(':')[2]}", certificate_file)
        market.reset()
        yield market
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


@dataclass(frozen=True)
class Bench:
    """Be account-svc, opened up: its parts, its routes, its checks."""

    parts: Parts
    built: Built
    public: httpx.AsyncClient
    internal: httpx.AsyncClient
    checking: Checking = field(repr=False)

    @property
    def db(self) -> Database:
        """Give the service's own database."""
        return self.parts.db

    async def link(self, name: str = "見本店", marketplace_id: str = "rakuten_ichiba") -> Json:
        """Link an account of a new internal shop."""
        shop = (await self.public.post("/v1/shops", json={"display_name": name})).json()
        wish = {"marketplace_id": marketplace_id, "display_name": name, "shop_ids": [shop["id"]]}
        answer = await self.public.post("/v1/accounts", json=wish)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    async def store(self, account_id: str, values: Mapping[str, str]) -> Json:
        """Store credentials, which must be taken; gives the operation."""
        answer = await self.public.put(f"/v1/accounts/{account_id}/credentials", json={"values": dict(values)})
        assert answer.status_code == 202, answer.text
        operation: Json = answer.json()
        return operation

    async def show(self, account_id: str) -> Json:
        """Show an account."""
        shown: Json = (await self.public.get(f"/v1/accounts/{account_id}")).json()
        return shown

    async def vend(self, account_id: str) -> httpx.Response:
        """Ask for credentials as order-svc does."""
        body = {"service": "order-svc", "purpose": "poll"}
        return await self.internal.post(f"/internal/v1/accounts/{account_id}/credentials:vend", json=body, headers=VEND)

    async def check_due(self, *wanted: str) -> int:
        """Do what is due now, one job after the other, until nothing is; give how many checks that were."""
        done = 0
        while leases := await due.claim(
            self.db, wanted or tuple(jobs.LEASES), limit=1, lease=timedelta(seconds=90), clock=self.parts.clock
        ):
            async with asyncio.timeout(60):
                await check(self.checking, leases[0])
            done += 1
        return done

    async def facts(self, account_id: str) -> list[tuple[str, Json]]:
        """Give the facts of an account that wait in the outbox, oldest first: type and data."""
        async with self.db.begin() as tx:
            rows = await tx.fetch("select type, value from outbox where key = $1 order by id", account_id)
        return [(row["type"], json.loads(row["value"])) for row in rows]

    async def fetch(self, sql: str, *args: object) -> list[Json]:
        """Look into the database."""
        async with self.db.begin() as tx:
            return [dict(row) for row in await tx.fetch(sql, *args)]


@asynccontextmanager
async def open_bench(
    urls: SchemaUrls,
    market: Simulator | None = None,
    keyring: Keyring | None = None,
    *,
    addresses: Mapping[str, str] | None = None,
    folder: Path | None = None,
    is_whole: bool = False,
) -> AsyncIterator[Bench]:
    """Open account-svc on a database, with a simulator or none in reach; `addresses` are other marketplaces'.

    A folder may hold what the operator mounts: `texts.json` and `secrets.json` of the installation.
    """
    settings = AccountSettings(
        database_url=urls.runtime,
        issuer="x",
        jwks_url="http://x.invalid/",
        keys_dir=Path("/x"),
        installation_texts_file=_mounted(folder, "texts.json"),
        installation_secrets_file=_mounted(folder, "secrets.json"),
    )
    parts = open_parts(SERVICE, settings, keyring=keyring or fixed_keyring())
    built = SERVICE.build(parts, settings)
    apps = make_apps(SERVICE, parts, built, authenticator=SpokenCallers(), missing=lambda: None)
    known = {"rakuten_ichiba": market.url} if market else {}
    transport = Transport(known | dict(addresses or {}), parts.clock)
    checking = Checking(
        db=parts.db,
        outside=Outside(
            plugins=in_a_hurry(is_whole=is_whole),
            transport=transport,
            db=parts.db,
            clock=parts.clock,
            service="account-svc",
        ),
        relays=Relays(
            redirects={RELAY: market.relay} if market else {},
            trust=tls_context(market.certificate_file if market else None),
        ),
        safe=Safe(vault=Vault(parts.keyring, schema="account"), installation=settings.installation()),
        metrics=CheckMetrics(CollectorRegistry()),
    )
    public = httpx.AsyncClient(
        transport=httpx.ASGITransport(apps.public), base_url="http://account", headers=bearer(*SCOPES)
    )
    internal = httpx.AsyncClient(transport=httpx.ASGITransport(apps.internal), base_url="http://account")
    try:
        yield Bench(parts, built, public, internal, checking)
    finally:
        for close in (public.aclose, internal.aclose, transport.close, *built.closers, parts.close):
            await close()


def _mounted(folder: Path | None, name: str) -> Path | None:
    return folder / name if folder is not None and (folder / name).exists() else None


def in_a_hurry(*, is_whole: bool = False) -> Mapping[MarketplaceId, Plugin]:
    """Give the installed plug-ins, each with limits that let through a hundred times as many requests, and few grants.

    The simulator of these tests allows as much: the true pace has tests of its own. With `is_whole` all grants are
    there, and nothing waits for its turn.
    """
    hasty: dict[MarketplaceId, Plugin] = {}
    for plugin_id, plugin in installed().items():
        factor = HURRY * HURRY * HURRY if is_whole else HURRY * HURRY
        groups = {
            name: replace(group, request_count=group.request_count * factor)
            for name, group in plugin.limits.groups.items()
        }
        few = tuple(grant for grant in plugin.grants if grant.id in FEW) or plugin.grants
        changed = {"limits": replace(plugin.limits, groups=groups), "grants": plugin.grants if is_whole else few}
        twin = copy.copy(plugin)
        for name, value in changed.items():
            setattr(twin, name, value)
        hasty[plugin_id] = twin
    return hasty


def credentials_of(shop: Json) -> dict[str, str]:
    """Give what a seller types who has this shop."""
    return {
        "service_secret": shop["service_secret"],
        "license_key": shop["license_key"],
        "smtp_id": shop["smtp_username"],
        "smtp_password": shop["smtp_password"],
        "sender_address": shop["sender_address"],
    }
