"""What order-svc refuses at its edge, over every operation, and what it puts aside from its topics."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from order_playground import Playground, activated, means_for, prepare, tell
from order_sightings import NOON, seen

from hanro.testing.clock import FixedClock
from hanro.testing.edges import Content, Edge, open_edge
from hanro.testing.poison import PoisonedTopics
from hanro.testing.refusal_table import KEYED, PAGED, Samples
from hanro.testing.refusals import EdgeRefusals
from hanro_local.databases import SchemaUrls
from order_svc.app import SERVICE
from order_svc.poller import Poller
from order_svc.settings import OrderSettings

NOW = "2999-01-01T00:00:00Z"
pytestmark = pytest.mark.schema("orders", prepare)

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="account_id"\r\n\r\nacc_1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\na,b\n1,2\r\n--b--\r\n'
)


@pytest.fixture
async def edge(urls: SchemaUrls) -> AsyncIterator[Edge]:
    settings = OrderSettings(database_url=urls.runtime, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"))
    async with open_edge(SERVICE, settings) as opened:
        yield opened


@pytest.fixture
async def samples(edge: Edge) -> Samples:
    playground = Playground()
    playground.buy(seen())
    await tell(edge.parts.db, activated())
    await Poller(means_for(edge.parts.db, playground, FixedClock(NOON))).poll_due(asyncio.Event())
    listed = await edge.client.get("/v1/orders", headers=edge.signer.bearer("orders:read"))
    return Samples(
        known={"order_id": listed.json()["items"][0]["id"], "account_id": "acc_1"},
        exempt={
            PAGED: {
                "GET /v1/order/coverage": "as many as a plug-in has routes",
                "GET /v1/orders/{order_id}/shipments": "as many as an order has parcels",
                "GET /v1/orders/{order_id}/cancellations": "as many as an order has",
                "GET /v1/carriers": "as many as a plug-in has carriers",
            },
            KEYED: {
                "POST /v1/order/shipment-imports": "the same file acts once",
                "POST /v1/orders:search": "only looks, and says in a body what must stand in no address",
            },
        },
        bodies={
            "POST /v1/consumers/{name}/acks": {"items": [{"order_id": "ord_none", "version": 1}]},
            "POST /v1/order/imports": Content("multipart/form-data; boundary=b", FORM, FORM.replace(b"1,2", b"1,3")),
            "POST /v1/orders:fetch": {"account_id": "acc_1", "external_ids": ["sample"]},
            "POST /v1/order/accounts/{account_id}:backfill": {"from": "2026-05-01T00:00:00Z", "to": NOW},
        },
        makers=frozenset({"POST /v1/consumers/{name}/acks"}),
        open_to={"POST /v1/order/notices/{account_id}": "the marketplace, by the key inside what it sends"},
    )


class TestOrderEdge(EdgeRefusals):
    """Run the suite."""


class TestOrderTopics(PoisonedTopics):
    """Run the suite."""
