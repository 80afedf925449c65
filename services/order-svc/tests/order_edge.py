"""Serves order-svc's routes to tests over ASGI, for the marketplace that tests play."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import APIRouter

from hanro.service import Parts, open_parts
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro.web import create_app
from hanro_local.databases import SchemaUrls
from order_svc import accounts
from order_svc.app import SERVICE
from order_svc.settings import OrderSettings

READ = bearer("orders:read")
WRITE = bearer("orders:read", "orders:write")


def parts_for(urls: SchemaUrls) -> Parts:
    """Make what a service builds upon; who asks closes it."""
    said = OrderSettings(database_url=urls.runtime, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"))
    return open_parts(SERVICE, said, keyring=fixed_keyring())


@asynccontextmanager
async def serve(
    parts: Parts, *routers: APIRouter, internal: Sequence[APIRouter] = (), caller: Mapping[str, str] = WRITE
) -> AsyncIterator[httpx.AsyncClient]:
    """Open the applications with these routes, `internal` at http://internal; the client calls as `caller`."""
    apps = create_app(
        SERVICE.info,
        routers=routers,
        internal_routers=internal,
        authenticator=SpokenCallers(),
        db=parts.db,
        cursors=parts.cursors,
        clock=parts.clock,
        registry=parts.registry,
        missing=lambda: None,
        accounts_of=accounts.of_caller,
    )
    public, mounts = httpx.ASGITransport(apps.public), {"http://internal": httpx.ASGITransport(apps.internal)}
    async with httpx.AsyncClient(transport=public, mounts=mounts, base_url="http://public", headers=caller) as made:
        yield made
