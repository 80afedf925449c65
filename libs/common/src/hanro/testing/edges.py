"""Opens a service's HTTP side over ASGI on a real database; tokens are signed and checked as they are live."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from jwt.algorithms import ECAlgorithm
from starlette.routing import Route

from hanro.auth import ALL_SHOPS, JwtAuthenticator
from hanro.clock import SystemClock
from hanro.observers import ConsumerMetrics
from hanro.service import Built, Parts, Service, make_apps, open_parts
from hanro.settings import CommonSettings
from hanro.testing.callers import fixed_keyring
from hanro.testing.documents import Operation, operations
from hanro.web.guard import GuardedRoute
from hanro.web.open_routes import declared_open

ISSUER, AUDIENCE, KEY_ID = "https://issuer.invalid", "hanro", "test-1"
LIFETIME_SECONDS = 600
UNLIMITED = 1_000_000
OPEN = ("/openapi.json", "/docs")

Settings = TypeVar("Settings", bound=CommonSettings)


class Signer:
    """Be an issuer: a key, its public set, and the tokens that it signs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    async def keys(self) -> bytes:
        """Give the key set (JWKS)."""
        found = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**found, "alg": "ES256", "kid": KEY_ID, "use": "sig"}]}).encode()

    def bearer(self, *scopes: str, **claims: object) -> dict[str, str]:
        """Give the header of a caller of all shops with these scopes; `claims` replace what the token says."""
        said = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "tester",
            "scope": " ".join(scopes),
            "shops": [ALL_SHOPS],
            "exp": int(time.time()) + LIFETIME_SECONDS,
        }
        token = jwt.encode({**said, **claims}, self._key, algorithm="ES256", headers={"kid": KEY_ID})
        return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Content:
    """Be a body that is no JSON; `other` says something else."""

    media_type: str
    content: bytes
    other: bytes


@dataclass(frozen=True)
class Edge:
    """Be a service's public application with what its tests need; the client sends no token by itself."""

    client: httpx.AsyncClient
    document: Mapping[str, Any]
    signer: Signer
    parts: Parts
    built: Built
    consumers: ConsumerMetrics
    noun: str
    routes: frozenset[tuple[str, str]]
    """Method and path of every route that asks who calls."""
    open_routes: frozenset[tuple[str, str]]
    """Method and path of every route that says it asks for no token."""

    def operations(self) -> list[Operation]:
        """Give every operation of the service's own document."""
        return operations(self.document)

    def scopes(self) -> set[str]:
        """Give all scopes that operations name."""
        return {scope for one in self.operations() for scope in one.scopes}

    async def send(
        self,
        operation: Operation,
        address: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request with a token that carries the operation's scope."""
        said = {**self.signer.bearer(operation.scope), **(headers or {})}
        if isinstance(body, Content):
            said["Content-Type"] = body.media_type
            return await self.client.request(operation.method, address, headers=said, content=body.content)
        if operation.body is None:
            return await self.client.request(operation.method, address, headers=said)
        return await self.client.request(operation.method, address, headers=said, json=body)


@asynccontextmanager
async def open_edge(service: Service[Settings], settings: Settings) -> AsyncIterator[Edge]:
    """Open a service's public application on the database that the settings name; nothing else runs."""
    signer = Signer()
    parts = open_parts(service, settings, keyring=fixed_keyring())
    built = service.build(parts, settings)
    authenticator = JwtAuthenticator(
        issuer=ISSUER, audience=AUDIENCE, fetch_keys=signer.keys, clock=SystemClock(), subject_scopes={}
    )
    apps = make_apps(
        service,
        parts,
        built,
        authenticator=authenticator,
        missing=lambda: None,
        requests_per_minute=UNLIMITED,
    )
    client = httpx.AsyncClient(transport=httpx.ASGITransport(apps.public), base_url="http://edge")
    try:
        served = await client.get(f"/v1/{service.info.noun}/openapi.json")
        yield Edge(
            client,
            served.raise_for_status().json(),
            signer,
            parts,
            built,
            ConsumerMetrics(parts.registry),
            service.info.noun,
            _routes(apps.public, is_open=False),
            _routes(apps.public, is_open=True),
        )
    finally:
        for close in (client.aclose, *built.closers, parts.close):
            await close()


def _routes(app: FastAPI, *, is_open: bool) -> frozenset[tuple[str, str]]:
    """List what the application really serves, but the two pages that are open to all: the document and its reader."""
    found = [
        route
        for route in app.routes
        if isinstance(route, Route)
        and not route.path.endswith(OPEN)
        and is_open is (isinstance(route, GuardedRoute) and declared_open(route) is not None)
    ]
    return frozenset((method.lower(), route.path_format) for route in found for method in route.methods or ())
