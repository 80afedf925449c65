"""Proves what is told of paces and breakers, and how facts are asked for once more, on a real database."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import asyncpg
import httpx
import pytest

from hanro import archive, breaker, outbox, web
from hanro.clock import SystemClock
from hanro.db import Database, Transaction
from hanro.errors import Retryable
from hanro.marketplace.types import ApiGroup, Limits, MarketplaceId
from hanro.metrics import new_registry
from hanro.pacer import Pacing
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro.testing.probe import changed
from hanro.testing.schemas import create_shared_tables
from hanro.web.routes.quota import Rules, quota_routes
from hanro.web.routes.replays import replay_routes
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_shared_tables)

PROBE = web.ServiceInfo(noun="probe", name="probe-svc", title="Probe", description="A probe.", scope="probes:read")
OPS = bearer("ops", "probes:read")
LIMITS = Limits(
    groups=MappingProxyType(
        {
            "order": ApiGroup(
                name="order",
                request_count=10,
                period=timedelta(minutes=1),
                burst=10,
                shares=MappingProxyType({"probe-svc": Decimal("0.4"), "other-svc": Decimal("0.6")}),
                source="a page",
            )
        }
    ),
    batches=MappingProxyType({}),
    read_lag=MappingProxyType({}),
    call_deadline=timedelta(seconds=20),
    max_quantity=1,
    max_axes=1,
    max_variants=1,
    max_images=1,
)


async def marketplaces_of(_tx: Transaction, account_ids: Sequence[str]) -> dict[str, str]:
    return {account_id: "market" for account_id in account_ids if account_id != "acc_strange"}


@pytest.fixture
async def client(db: Database) -> AsyncIterator[httpx.AsyncClient]:
    keyring = fixed_keyring()
    rules = Rules(service="probe-svc", limits={MarketplaceId("market"): LIMITS}, marketplaces_of=marketplaces_of)
    made = web.create_app(
        PROBE,
        routers=[
            quota_routes("probe", db, web.Cursors(keyring), rules),
            replay_routes("probe", ("hanro.orders", "hanro.access"), db, web.Idempotency(db, keyring)),
        ],
        authenticator=SpokenCallers(),
        db=db,
        cursors=web.Cursors(keyring),
        clock=SystemClock(),
        registry=new_registry(),
        missing=lambda: None,
    )
    transport = httpx.ASGITransport(made.public)
    async with httpx.AsyncClient(transport=transport, base_url="http://probe", headers=OPS) as opened:
        yield opened


async def call(db: Database, account_id: str, *, refusals: int = 0) -> None:
    """Use a turn for one request, as the transport does."""
    async with Pacing(db, SystemClock(), LIMITS, "probe-svc", account_id).turn("order") as turn:
        await turn.leaving()  # type: ignore[attr-defined]
        turn.left()  # type: ignore[attr-defined]
        for _ in range(refusals):
            turn.throttled(timedelta(minutes=5))


async def test_a_quota_says_limit_share_and_what_is_used(client: httpx.AsyncClient, db: Database) -> None:
    for _ in range(2):
        await call(db, "acc_1")
    [shown] = (await client.get("/v1/probe/quota")).json()["items"]
    assert shown == {
        "account_id": "acc_1",
        "marketplace_id": "market",
        "api_group": "order",
        "limit": {"request_count": 10, "period_seconds": 60, "burst_count": 10, "source": "a page"},
        "share": 0.4,
        "seconds_between_requests": 15,
        "slowdown": 1,
        "is_narrowed": False,
        "used_count": 2,
        "waiting_count": 0,
        "next_at": None,
    }


async def test_a_quota_that_was_narrowed_says_until_when_nothing_leaves(
    client: httpx.AsyncClient, db: Database
) -> None:
    await call(db, "acc_1", refusals=1)
    [shown] = (await client.get("/v1/probe/quota")).json()["items"]
    assert (shown["slowdown"], shown["is_narrowed"], shown["seconds_between_requests"]) == (2, True, 30)
    assert shown["next_at"] is not None


async def test_a_quota_of_a_marketplace_that_is_not_installed_says_what_is_known(
    client: httpx.AsyncClient, db: Database
) -> None:
    await call(db, "acc_strange")
    [shown] = (await client.get("/v1/probe/quota")).json()["items"]
    assert (shown["marketplace_id"], shown["limit"], shown["used_count"]) == (None, None, None)
    assert (shown["api_group"], shown["slowdown"]) == ("order", 1)


async def test_quotas_and_breakers_come_in_pages_and_by_account(client: httpx.AsyncClient, db: Database) -> None:
    for number in range(3):
        await call(db, f"acc_{number}")
        async with db.begin() as tx:
            await breaker.failed(tx, f"acc_{number}", ["order", "shop"], Retryable("Away.", code="unavailable"))
    for noun, count in (("quota", 3), ("breakers", 6)):
        seen: list[tuple[str, str]] = []
        path: str | None = f"/v1/probe/{noun}?limit=2"
        while path:
            answer = await client.get(path)
            page = answer.json()["items"]
            assert 0 < len(page) <= 2
            seen += [(one["account_id"], one["api_group"]) for one in page]
            path = answer.links.get("next", {}).get("url")
        assert (seen, len(seen)) == (sorted(set(seen)), count)
        alone = (await client.get(f"/v1/probe/{noun}", params={"account_id": "acc_1"})).json()["items"]
        assert {one["account_id"] for one in alone} == {"acc_1"}


async def publish(db: Database, count: int) -> None:
    async with db.begin() as tx:
        await outbox.record(tx, *(changed("a", version) for version in range(1, count + 1)))
        rows = await tx.fetch("select id from outbox order by id")
        await archive.move(tx, [row["id"] for row in rows], "/probe-svc")


async def test_a_replay_is_an_operation_up_to_the_newest_fact_of_now(client: httpx.AsyncClient, db: Database) -> None:
    await publish(db, 3)
    key = {"Idempotency-Key": "replay-1"}
    asked = await client.post("/v1/probe/replays", json={"topic": "replay.mine"}, headers=key)
    again = await client.post("/v1/probe/replays", json={"topic": "replay.mine"}, headers=key)
    await publish(db, 2)
    found = await client.get(asked.headers["location"])
    assert (asked.status_code, again.json()["id"]) == (202, asked.json()["id"])
    assert (found.json()["kind"], found.json()["status"]) == ("replay", "accepted")
    assert found.json()["asked"] == {"topic": "replay.mine", "source_topic": None, "after": 0, "until": 3}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"topic": "hanro.orders"}, "/topic"),
        ({"topic": "hanro.orders", "source_topic": "hanro.access"}, "/topic"),
        ({"topic": "mine", "source_topic": "hanro.stock"}, "/source_topic"),
        ({"topic": "mine", "source_topic": "hanro.nothing"}, "/source_topic"),
        ({"topic": "../mine"}, "/topic"),
        ({"topic": ""}, "/topic"),
        ({"topic": "mine", "after": -1}, "/after"),
        ({"topic": "mine", "until": "now"}, "/until"),
        ({}, "/topic"),
    ],
)
async def test_a_replay_that_would_harm_or_cannot_be_is_refused_by_field(
    client: httpx.AsyncClient, body: dict[str, object], pointer: str
) -> None:
    answer = await client.post("/v1/probe/replays", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_live_facts_may_be_restated_on_their_own_topic(client: httpx.AsyncClient) -> None:
    body = {"topic": "hanro.orders", "source_topic": "hanro.orders"}
    assert (await client.post("/v1/probe/replays", json=body)).status_code == 202


@pytest.mark.parametrize("is_empty", [False, True])
async def test_facts_that_are_no_longer_kept_are_not_replayed_in_silence(
    client: httpx.AsyncClient, db: Database, urls: SchemaUrls, *, is_empty: bool
) -> None:
    await publish(db, 3)
    owner = await asyncpg.connect(urls.owner, timeout=10)
    await owner.execute('delete from "probe".archive where position <= $1', 3 if is_empty else 2)
    await owner.close(timeout=10)
    answers = [await client.post("/v1/probe/replays", json={"topic": "mine", "after": after}) for after in (0, 1)]
    assert [answer.status_code for answer in answers] == [202, 410]
    assert answers[1].json()["code"] == "events-gone"
