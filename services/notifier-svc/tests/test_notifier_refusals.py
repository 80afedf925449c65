"""What notifier-svc refuses at its edge, over every operation, and what it puts aside from its topics."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from notifier_playground import ACCOUNT, account, bind, order, prepare, take

from hanro.testing.edges import Edge, open_edge
from hanro.testing.poison import PoisonedTopics
from hanro.testing.refusal_table import KEYED, PAGED, VERSIONED, Samples
from hanro.testing.refusals import EdgeRefusals
from hanro_local.databases import SchemaUrls
from notifier_svc.app import SERVICE
from notifier_svc.settings import NotifierSettings

pytestmark = pytest.mark.schema("notifier", prepare)

THANKS = {"subject": "ご注文 {{ order.external_id }}", "body": "{{ buyer.name }} 様\n"}


@pytest.fixture
async def edge(urls: SchemaUrls) -> AsyncIterator[Edge]:
    settings = NotifierSettings(
        database_url=urls.runtime, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x")
    )
    async with open_edge(SERVICE, settings) as opened:
        yield opened


@pytest.fixture
async def samples(edge: Edge) -> Samples:
    db = edge.parts.db
    await take(db, account())
    await bind(db)
    now = datetime.now(UTC)
    await take(db, order(1, milestones={"placed": now, "confirmed": now}))
    headers = edge.signer.bearer("templates:write")
    (await edge.client.put("/v1/templates/thanks", json=THANKS, headers=headers)).raise_for_status()
    async with db.begin() as tx:
        message_id = str((await tx.fetch("select id from messages"))[0]["id"])
    return Samples(
        known={"account_id": ACCOUNT, "trigger": "new_order", "name": "thanks", "message_id": message_id},
        exempt={
            VERSIONED: {"PUT /v1/bindings/{account_id}/{trigger}": "a binding is one word: the last one is right"},
            KEYED: {"POST /v1/templates:preview": "nothing is kept"},
            PAGED: {"GET /v1/bindings": "as many as there are triggers"},
        },
        bodies={"PUT /v1/templates/{name}": THANKS | {"body": "ありがとうございます\n"}},
        makers=frozenset({"PUT /v1/templates/{name}"}),
    )


class TestNotifierEdge(EdgeRefusals):
    """Run the suite."""


class TestNotifierTopics(PoisonedTopics):
    """Run the suite."""
