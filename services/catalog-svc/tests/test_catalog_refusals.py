"""What catalog-svc refuses at its edge, over every operation, and what it puts aside from its topics."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from catalog_svc.app import SERVICE
from catalog_svc.settings import CatalogSettings
from hanro.db import migrate
from hanro.testing.edges import Edge, open_edge
from hanro.testing.poison import PoisonedTopics
from hanro.testing.refusal_table import Samples
from hanro.testing.refusals import EdgeRefusals
from hanro_local.databases import SchemaUrls

MIGRATIONS = Path(__file__).parents[1] / "migrations"
TOWEL = {"title": "見本タオル", "variants": [{"sku": "TOWEL-M-WH", "title": "M ホワイト"}]}


def prepare(urls: SchemaUrls) -> None:
    migrate(urls.owner, schema="catalog", migrations=MIGRATIONS, runtime_role="catalog_runtime")


pytestmark = pytest.mark.schema("catalog", prepare)


@pytest.fixture
async def edge(urls: SchemaUrls) -> AsyncIterator[Edge]:
    settings = CatalogSettings(database_url=urls.runtime, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"))
    async with open_edge(SERVICE, settings) as opened:
        yield opened


@pytest.fixture
async def samples(edge: Edge) -> Samples:
    headers = edge.signer.bearer("products:write")
    (await edge.client.put("/v1/products/TOWEL", json=TOWEL, headers=headers)).raise_for_status()
    return Samples(
        known={"code": "TOWEL", "sku": "TOWEL-M-WH"},
        bodies={
            "PUT /v1/products/{code}": TOWEL | {"title": "見本バスタオル"},
            "PUT /v1/stock/{sku}": {"on_hand": 5},
            "POST /v1/stock/{sku}/movements": {"delta": 5, "cause": "delivery"},
        },
        makers=frozenset({"PUT /v1/products/{code}"}),
    )


class TestCatalogEdge(EdgeRefusals):
    """Run the suite."""


class TestCatalogTopics(PoisonedTopics):
    """Run the suite."""
