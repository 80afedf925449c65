"""Asks every operation of every service with every scope, well and badly: no answer holds a secret.

Credentials are stored with a canary in each field of every form that can be linked. What a caller sends by mistake in
the wrong place must not come back in a refusal either.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import account_svc.app
import catalog_svc.app
import notifier_svc.app
import order_svc.app
from hanro.db import migrate
from hanro.marketplace import installed
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import FieldKind, Registration
from hanro.service import Service
from hanro.testing.documents import Operation
from hanro.testing.edges import Edge, open_edge
from hanro_local.databases import SchemaUrls

SERVICES: dict[str, Service[Any]] = {
    one.schema: one
    for one in (account_svc.app.SERVICE, catalog_svc.app.SERVICE, notifier_svc.app.SERVICE, order_svc.app.SERVICE)
}
OTHER_SCOPES = ("orders:personal", "orders:raw", "internal:credentials", "internal:contact", "ops")
# What forms demand beside it; no answer of a service holds this word by itself.
CANARY = "Kanaria7f3b"
SENT = "machigai-5d1c"
BEGINNINGS = ("", "SP000000_", "SL000000_", "tok_")
ENDINGS = ("", "@example.invalid")


def prepare(urls: SchemaUrls) -> None:
    service = SERVICES[urls.schema]
    migrate(urls.owner, schema=urls.schema, migrations=service.migrations, runtime_role=f"{urls.schema}_runtime")


@pytest.fixture
def databases(make_database: Callable[..., SchemaUrls]) -> dict[str, SchemaUrls]:
    return {name: make_database(name, prepare) for name in SERVICES}


@pytest.fixture
async def edges(databases: dict[str, SchemaUrls], tmp_path: Path) -> AsyncIterator[dict[str, Edge]]:
    supplied = {
        plugin.id: {field.name: f"SP000000_{CANARY}" for field in plugin.credential_form.fields if field.is_secret}
        for plugin in installed().values()
    }
    file = tmp_path / "installation.json"
    file.write_text(json.dumps(supplied))
    async with AsyncExitStack() as stack:
        opened = {}
        for name, service in SERVICES.items():
            url = databases[name].runtime
            own = {"installation_secrets_file": file} if name == "account" else {}
            said = service.settings(
                database_url=url, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"), **own
            )
            opened[name] = await stack.enter_async_context(open_edge(service, said))
        yield opened


def candidates(place: int) -> Iterator[str]:
    """Yield texts that a field may take, each with a canary of its own."""
    for beginning in BEGINNINGS:
        for ending in ENDINGS:
            yield f"{beginning}{CANARY}{place}{ending}"


async def link(edge: Edge, plugin: Plugin, registration: Registration) -> tuple[str, list[str]]:
    """Link an account and store a canary in each field that takes a text; gives its id and the fields that hold one."""
    headers = edge.signer.bearer("shops:write", "accounts:write")
    shop = (await edge.client.post("/v1/shops", json={"display_name": "見本"}, headers=headers)).raise_for_status()
    wish = {"marketplace_id": plugin.id, "display_name": "見本", "shop_ids": [shop.json()["id"]]}
    made = (await edge.client.post("/v1/accounts", json=wish, headers=headers)).raise_for_status().json()["id"]
    fields = {one.name: one for one in plugin.credential_form.fields if one.name in registration.field_names}
    values: dict[str, str] = {}
    path = f"/v1/accounts/{made}/credentials"
    for place, field in enumerate(fields.values()):
        if field.kind in {FieldKind.DATE, FieldKind.NUMBER, FieldKind.FLAG, FieldKind.CHOICE}:
            first = field.choices[0][0] if field.choices else field.default or "1"
            values[field.name] = "2099-12-31" if field.kind is FieldKind.DATE else first
            continue
        # The form itself says by its refusal whether it takes a text.
        for text in candidates(place):
            body = {"values": {field.name: text}, "registration": registration.id}
            refused = (await edge.client.put(path, json=body, headers=headers)).json()
            if f"/values/{field.name}" not in {one.get("pointer") for one in refused.get("errors", ())}:
                values[field.name] = text
                break
    body = {"values": values, "registration": registration.id}
    stored = await edge.client.put(path, json=body, headers=headers)
    assert stored.status_code == 202, (plugin.id, registration.id, stored.text)
    return made, sorted(name for name, text in values.items() if CANARY in text)


def bodies(operation: Operation) -> Iterator[object]:
    """Yield a good body, malformed ones, and ones that put secrets where they do not belong."""
    yield operation.fitting_body()
    yield {"values": {"service_secret": SENT, "more": [SENT]}, "more": SENT}
    yield {"password": SENT, "license_key": {"value": SENT}, "registration": SENT}
    yield [SENT]
    yield SENT


async def ask(
    edge: Edge, operation: Operation, known: Mapping[str, str], scopes: tuple[str, ...], body: object
) -> httpx.Response:
    headers = edge.signer.bearer(*scopes) | {"If-Match": "*", "Content-Type": "application/json"}
    sent = b"" if body is None else json.dumps(body).encode()
    headers["Idempotency-Key"] = hashlib.sha256(f"{operation}{scopes}".encode() + sent).hexdigest()
    return await edge.client.request(operation.method, operation.address(known), headers=headers, content=sent)


def leaks(answer: httpx.Response) -> list[str]:
    """Give what an answer holds of what it must not: stored secrets always, what was sent where it refuses."""
    said = answer.text + str(answer.headers) + json.dumps(answer.text)
    wanted = (CANARY, SENT) if answer.is_error else (CANARY,)
    return [word for word in wanted if word in said]


@pytest.mark.row("A2", kind="refuses")
async def test_no_answer_of_any_operation_with_any_scope_holds_a_secret(edges: dict[str, Edge]) -> None:
    accounts: dict[str, list[str]] = {}
    for plugin in installed().values():
        for registration in plugin.credential_form.registrations:
            made, fields = await link(edges["account"], plugin, registration)
            accounts[made] = fields
    assert all(accounts.values())
    held = {name for fields in accounts.values() for name in fields}
    assert {"service_secret", "license_key", "smtp_id", "smtp_password"} <= held

    scopes = sorted({scope for edge in edges.values() for scope in edge.scopes()} | set(OTHER_SCOPES))
    found, statuses, asked = [], set(), 0
    first = next(iter(accounts))
    for edge in edges.values():
        for operation in edge.operations():
            known = {"account_id": first, "marketplace_id": "rakuten_ichiba"}
            for scope in scopes:
                answer = await ask(edge, operation, known, (scope,), operation.fitting_body())
                found += [f"{operation} [{scope}] {word}" for word in leaks(answer)]
                asked += 1
            for body in bodies(operation):
                answer = await ask(edge, operation, known, tuple(scopes), body)
                statuses.add(answer.status_code)
                found += [f"{operation} {answer.status_code} {word}" for word in leaks(answer)]
                asked += 1
            # What is read is read of every form that can be linked.
            others = [one for one in accounts if "account_id" in operation.path and operation.method == "get"]
            for account_id in others:
                answer = await ask(edge, operation, known | {"account_id": account_id}, tuple(scopes), None)
                found += [f"{operation} of {account_id} {word}" for word in leaks(answer)]
                asked += 1
    assert found == []
    assert {200, 404, 409, 422} <= statuses
    assert asked > 1000


async def test_a_secret_in_an_answer_would_be_found(edges: dict[str, Edge]) -> None:
    edge = edges["account"]
    headers = edge.signer.bearer("shops:write", "shops:read")
    await edge.client.post("/v1/shops", json={"display_name": f"店 {CANARY}"}, headers=headers)
    assert leaks(await edge.client.get("/v1/shops", headers=headers)) == [CANARY]
    request = httpx.Request("GET", "http://x.invalid")
    assert leaks(httpx.Response(422, text=f"you sent {SENT}", request=request)) == [SENT]
    assert leaks(httpx.Response(200, text=f"you sent {SENT}", request=request)) == []
