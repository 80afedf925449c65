"""account-svc as one process with its real neighbours: Postgres, Kafka, an issuer, the marketplace's simulator."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from account_bench import RELAY, SCOPES, Json, Simulator, credentials_of, prepare, simulator

from hanro.broker import KafkaBroker, Message
from hanro.events import envelope
from hanro.events.access import AccessReported, GrantUsed
from hanro_local.databases import SchemaUrls
from hanro_local.issuer import Claims, mint

pytestmark = pytest.mark.schema("account", prepare)

SEARCH = "rpay.order.searchOrder"


@dataclass(frozen=True)
class Process:
    """Be a running account-svc."""

    url: str
    internal_url: str
    token: str
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, body: object = None, *, url: str | None = None) -> Json:
        """Ask a route; any refusal is an error."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request((url or self.url) + path, sent, headers, method=method)  # noqa: S310  loopback
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  loopback
            read: Json = json.loads(answer.read() or b"null")
        return read

    async def until(self, account_id: str, state: str, seconds: float) -> Json:
        """Wait until an account has a state."""
        async with asyncio.timeout(seconds):
            while (shown := self.ask("GET", f"/v1/accounts/{account_id}"))["state"] != state:
                await asyncio.sleep(0.2)
        return shown


@contextmanager
def child(*program: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", *program], env=os.environ | (environment or {}))  # noqa: S603
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


@contextmanager
def running(urls: SchemaUrls, kafka: str, prefix: str, market: Simulator, folder: Path) -> Iterator[Process]:
    port, internal, issuer = free_port(), free_port(), free_port()
    for name in ("kek-1.key", "index.key"):
        file = folder / "keys" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(secrets.token_hex(32))
    issuer_url = f"http://127.0.0.1:{issuer}"
    environment = {
        "HANRO_DATABASE_URL": urls.runtime,
        "HANRO_KAFKA_BOOTSTRAP": kafka,
        "HANRO_TOPIC_PREFIX": prefix,
        "HANRO_GROUP_PREFIX": prefix,
        "HANRO_PORT": str(port),
        "HANRO_INTERNAL_PORT": str(internal),
        "HANRO_ISSUER": issuer_url,
        "HANRO_JWKS_URL": f"{issuer_url}/jwks",
        "HANRO_KEYS_DIR": str(folder / "keys"),
        "HANRO_MARKETPLACE_URLS": json.dumps({"rakuten_ichiba": market.url}),
        "HANRO_MAIL_RELAYS": json.dumps({RELAY: market.relay}),
        "HANRO_MAIL_RELAY_CA_FILE": str(market.certificate_file),
    }
    with ExitStack() as stack:
        state = folder / "issuer"
        stack.enter_context(child("hanro_local.issuer", "--port", str(issuer), "--state", str(state)))
        wait_for(f"{issuer_url}/healthz")
        process = stack.enter_context(child("account_svc", "all", environment=environment))
        wait_for(f"http://127.0.0.1:{internal}/readyz")
        claims = Claims(subject="tester", scopes=(*SCOPES, "internal:credentials"))
        token = mint(state, claims, datetime.now(UTC), issuer_url)
        yield Process(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{internal}", token, process)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  loopback
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise TimeoutError(url)


def refusal(account_id: str) -> Message:
    at = datetime.now(UTC)
    fact = AccessReported(
        id=f"{account_id}:order-svc",
        version=1,
        at=at,
        account_id=account_id,
        account_epoch=0,
        service="order-svc",
        credential_version=1,
        grants=(GrantUsed(grant_id=SEARCH, refused_at=at, refusal_code="credential-refused"),),
    )
    key, value, headers = envelope.encode(fact, event_id="evt-1", source="/order-svc", context={})
    return Message(fact.topic, key, value, headers)


async def read_account_facts(broker: KafkaBroker, wanted: int) -> list[tuple[str, Any]]:
    async def ignore(_partitions: object) -> None:
        """Nothing is in hand."""

    consumer = broker.consumer("reader", ["hanro.accounts"], ignore)
    await consumer.start()
    found: list[tuple[str, Any]] = []
    try:
        async with asyncio.timeout(30):
            while len(found) < wanted:
                found += [
                    (envelope.type_of(record.headers) or "", json.loads(record.value or b"null"))
                    for record in await consumer.fetch(limit=100, timeout_seconds=1)
                ]
    finally:
        await consumer.close()
    return found


async def test_an_account_is_linked_dies_with_its_key_and_comes_back_with_a_new_one(
    urls: SchemaUrls, kafka_bootstrap: str, tmp_path: Path
) -> None:
    prefix = f"test-{secrets.token_hex(4)}."
    broker = KafkaBroker(kafka_bootstrap, topic_prefix=prefix, group_prefix=prefix)
    with simulator(tmp_path) as market, running(urls, kafka_bootstrap, prefix, market, tmp_path) as service:
        shop = market.open_shop()
        internal = service.ask("POST", "/v1/shops", {"display_name": "見本"})
        wish = {"marketplace_id": "rakuten_ichiba", "display_name": "見本店", "shop_ids": [internal["id"]]}
        account_id = service.ask("POST", "/v1/accounts", wish)["id"]
        service.ask("PUT", f"/v1/accounts/{account_id}/credentials", {"values": credentials_of(shop)})
        shown = await service.until(account_id, "active", 40)
        # What hanro calls for orders is known by then; the rest is found out while the account works.
        granted = {one["id"] for one in shown["grants"]["items"] if one["state"] == "granted"}
        assert {SEARCH, "rpay.order.getOrder", "rpay.order.confirmOrder"} <= granted
        async with asyncio.timeout(20):
            while not service.ask("GET", f"/v1/accounts/{account_id}")["credentials"]["expiries"]:
                await asyncio.sleep(0.2)
        vend = f"/internal/v1/accounts/{account_id}/credentials:vend"
        asked = {"service": "order-svc", "purpose": "poll"}
        assert service.ask("POST", vend, asked, url=service.internal_url)["version"] == 1

        market.control(f"/shops/{shop['id']}/keys/expire", "POST")
        producer = broker.producer()
        await producer.start()
        try:
            assert await producer.send_all([refusal(account_id)], timeout_seconds=10) == [None]
        finally:
            await producer.close()
        await service.until(account_id, "suspended", 60)

        renewed = market.control(f"/shops/{shop['id']}/keys/issue", "POST", {"active_after_seconds": 0})
        service.ask("PUT", f"/v1/accounts/{account_id}/credentials", {"values": credentials_of(renewed)})
        await service.until(account_id, "active", 40)

        facts = await read_account_facts(broker, 6)
        assert [kind.split(".")[2] for kind, _ in facts] == [
            "linked",
            "changed",
            "activated",
            "suspended",
            "changed",
            "activated",
        ]
        assert [fact["version"] for _, fact in facts] == [1, 2, 3, 4, 5, 6]
        assert shop["license_key"] not in str(facts)

        service.process.terminate()
        assert service.process.wait(20) == 0
