"""What account-svc refuses at its edge, over every operation, and what it puts aside from its topics."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from account_bench import credentials_of, prepare

from account_svc.app import SERVICE
from account_svc.settings import AccountSettings
from hanro.testing.edges import Edge, open_edge
from hanro.testing.poison import PoisonedTopics
from hanro.testing.refusal_table import PAGED, VERSIONED, Samples
from hanro.testing.refusals import EdgeRefusals
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

TYPED = {
    "service_secret": "SP000000_sample0000000000",
    "license_key": "SL000000_sample0000000000",
    "smtp_username": "sample",
    "smtp_password": "sample-password",
    "sender_address": "shop@example.invalid",
}


@pytest.fixture
async def edge(urls: SchemaUrls) -> AsyncIterator[Edge]:
    settings = AccountSettings(database_url=urls.runtime, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"))
    async with open_edge(SERVICE, settings) as opened:
        yield opened


@pytest.fixture
async def samples(edge: Edge) -> Samples:
    headers = edge.signer.bearer("shops:write", "accounts:write")
    shop = await edge.client.post("/v1/shops", json={"display_name": "見本店"}, headers=headers)
    wish = {
        "marketplace_id": "rakuten_ichiba",
        "display_name": "見本店",
        "shop_ids": [shop.raise_for_status().json()["id"]],
    }
    account = await edge.client.post("/v1/accounts", json=wish, headers=headers)
    values = credentials_of(TYPED)
    await edge.client.put(
        f"/v1/accounts/{account.raise_for_status().json()['id']}/credentials", json={"values": values}, headers=headers
    )
    return Samples(
        known={
            "account_id": account.raise_for_status().json()["id"],
            "marketplace_id": "rakuten_ichiba",
            "kind": "return_address",
            "shop_id": shop.json()["id"],
        },
        exempt={
            VERSIONED: {"PUT /v1/accounts/{account_id}/credentials": "whoever holds the new key is right"},
            PAGED: {"GET /v1/marketplaces": "as many as plug-ins are installed"},
        },
        bodies={
            "POST /v1/accounts": wish,
            "PATCH /v1/accounts/{account_id}": {"display_name": "見本二号店"},
            "PUT /v1/accounts/{account_id}/issuer": {"name": "見本株式会社", "number": "T7000012050002"},
        },
    )


class TestAccountEdge(EdgeRefusals):
    """Run the suite."""


class TestAccountTopics(PoisonedTopics):
    """Run the suite."""
