"""What account-svc refuses at its edge, over every operation, and what it puts aside from its topics."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from account_bench import credentials_of, prepare

from account_svc.app import SERVICE
from account_svc.settings import AccountSettings
from hanro.testing.edges import Edge, open_edge
from hanro.testing.poison import PoisonedTopics
from hanro.testing.refusal_table import KEYED, PAGED, VERSIONED, Samples
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
SHEET = {
    "company": "株式会社見本",
    "shop": "見本店",
    "uses_pay": "あり",
    "shop_url": "https://www.example.invalid/mihon/",
    "contact_mail": "shop@example.invalid",
    "phone": "03-0000-0000",
    "person": "見本 花子",
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
            "prerequisite_id": "terms",
        },
        exempt={
            VERSIONED: {
                "PUT /v1/accounts/{account_id}/credentials": "whoever holds the new key is right",
                "PUT /v1/accounts/{account_id}/checklist/{prerequisite_id}": "it says what was done; all of it is kept",
                "PUT /v1/accounts/{account_id}/application-sheet": "the letter is written by one person",
            },
            KEYED: {"POST /v1/accounts/{account_id}/application-sheet:sent": "of one version the first sending stays"},
            PAGED: {
                "GET /v1/marketplaces": "as many as plug-ins are installed",
                "GET /v1/accounts/{account_id}/checklist": "as many as the guide has prerequisites",
            },
        },
        bodies={
            "POST /v1/accounts": wish,
            "PATCH /v1/accounts/{account_id}": {"display_name": "見本二号店"},
            "PUT /v1/accounts/{account_id}/checklist/{prerequisite_id}": {"state": "accepted"},
            "PUT /v1/accounts/{account_id}/application-sheet": {"values": SHEET},
            "POST /v1/accounts/{account_id}/application-sheet:sent": {},
            "PUT /v1/accounts/{account_id}/issuer": {"name": "見本株式会社", "number": "T7000012050002"},
        },
    )


class TestAccountEdge(EdgeRefusals):
    """Run the suite."""


class TestAccountTopics(PoisonedTopics):
    """Run the suite."""
