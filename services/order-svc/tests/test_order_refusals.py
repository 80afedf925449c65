"""What order-svc refuses at its edge, over every operation, and what it puts aside from its topics."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from order_playground import Playground, activated, means_for, prepare, tell
from order_sightings import NOON, seen

from hanro.testing.clock import FixedClock
from hanro.testing.edges import Edge, open_edge
from hanro.testing.poison import PoisonedTopics
from hanro.testing.refusal_table import Samples
from hanro.testing.refusals import EdgeRefusals
from hanro_local.databases import SchemaUrls
from order_svc.app import SERVICE
from order_svc.poller import Poller
from order_svc.settings import OrderSettings

pytestmark = pytest.mark.schema("orders", prepare)


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
    return Samples(known={"order_id": listed.json()["items"][0]["id"]})


class TestOrderEdge(EdgeRefusals):
    """Run the suite."""


class TestOrderTopics(PoisonedTopics):
    """Run the suite."""
