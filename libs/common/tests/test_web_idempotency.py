"""Proves that a POST which comes twice acts once: repeated, racing, failing, and after a lost answer."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from hanro import tables, web
from hanro.db import Database, Transaction
from hanro.errors import NeedsSeller, Rejected
from hanro.metrics import new_registry
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro.testing.clock import FixedClock
from hanro.web.idempotency import prune
from hanro_local.databases import SchemaUrls

PROBE = web.ServiceInfo(noun="probe", name="probe-svc", title="Probe", description="A probe.", scope="probes:read")
WRITE = bearer("probes:write")
CANARY = "canary-2b9d"
SECONDS = 10.0


class Deed(BaseModel):
    """What the probe is asked for; the answer repeats it."""

    name: str
    ending: str = "done"


class Gate:
    """Hold a use case inside its transaction until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.opened.set()

    async def wait(self) -> None:
        """Wait until the gate is open."""
        self.reached.set()
        await self.opened.wait()


def prepare(urls: SchemaUrls) -> None:
    async def create() -> None:
        connection = await asyncpg.connect(urls.owner, timeout=10)
        try:
            for statement in [*tables.create_3("probe"), 'create table "probe".deeds (name text, place text)']:
                await connection.execute(statement)
        finally:
            await connection.close(timeout=10)

    asyncio.run(create())


pytestmark = pytest.mark.schema("probe", prepare)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def routes_of(db: Database, gate: Gate) -> APIRouter:
    routes = web.router()
    idempotency = web.Idempotency(db, fixed_keyring())

    @routes.post("/v1/deeds/{place}", dependencies=[web.require("probes:write")])
    async def act(request: Request, place: str, deed: Deed, q: int | None = None) -> Response:  # noqa: ARG001  one that the route knows
        async def work(tx: Transaction) -> web.Answer:
            await tx.execute("insert into deeds values ($1, $2)", deed.name, place)
            await gate.wait()
            match deed.ending:
                case "rejected":
                    raise Rejected("It is cancelled.", code="order-cancelled")
                case "needs-seller":
                    raise NeedsSeller("The key has expired.", code="credential-expired")
                case "bug":
                    raise ZeroDivisionError
            return web.Answer(status=201, body=deed, headers={"Location": f"/v1/deeds/{place}/1"})

        return await idempotency.once(request, work)

    @routes.post("/v1/strict", dependencies=[web.require("probes:write"), web.key_needed()])
    async def act_under_a_key(request: Request, deed: Deed) -> Response:
        return await act(request, "strict", deed)

    return routes


@pytest.fixture
async def client(db: Database, gate: Gate) -> AsyncIterator[httpx.AsyncClient]:
    made = web.create_app(
        PROBE,
        routers=[routes_of(db, gate)],
        authenticator=SpokenCallers(),
        db=db,
        cursors=web.Cursors(fixed_keyring()),
        clock=FixedClock(),
        registry=new_registry(),
        missing=lambda: None,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made.public), base_url="http://probe") as opened:
        yield opened


def key(text: str, headers: dict[str, str] = WRITE) -> dict[str, str]:
    return headers | {"Idempotency-Key": text}


async def deeds(db: Database) -> int:
    async with db.begin() as tx:
        return int((await tx.fetch("select count(*) from deeds"))[0][0])


async def test_a_repeated_request_acts_once_and_gets_the_same_answer(client: httpx.AsyncClient, db: Database) -> None:
    first = await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "見本"})
    second = await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "見本"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["location"] == "/v1/deeds/a/1"
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await deeds(db) == 1


async def test_two_keys_and_no_key_act_each_time(client: httpx.AsyncClient, db: Database) -> None:
    for headers in (key("k1"), key("k2"), WRITE, WRITE):
        assert (await client.post("/v1/deeds/a", headers=headers, json={"name": "x"})).status_code == 201
    assert await deeds(db) == 4


async def test_a_key_is_its_caller_s_own(client: httpx.AsyncClient, db: Database) -> None:
    await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "x"})
    other = key("k1", bearer("probes:write", subject="other"))
    assert "idempotency-replayed" not in (await client.post("/v1/deeds/a", headers=other, json={"name": "y"})).headers
    assert await deeds(db) == 2


@pytest.mark.parametrize(("path", "name"), [("/v1/deeds/a", "other"), ("/v1/deeds/b", "x"), ("/v1/deeds/a?q=1", "x")])
async def test_a_key_with_another_request_is_refused(
    client: httpx.AsyncClient, db: Database, path: str, name: str
) -> None:
    await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "x"})
    answer = await client.post(path, headers=key("k1"), json={"name": name})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert await deeds(db) == 1


async def test_a_running_twin_answers_409_and_then_the_same(
    client: httpx.AsyncClient, db: Database, gate: Gate
) -> None:
    gate.opened.clear()
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        first = group.create_task(client.post("/v1/deeds/a", headers=key("k1"), json={"name": "x"}))
        await gate.reached.wait()
        twin = await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "x"})
        gate.opened.set()
    later = await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "x"})
    assert (twin.status_code, twin.json()["code"], twin.json()["retryable"]) == (409, "idempotency-key-running", True)
    assert (first.result().status_code, later.headers["idempotency-replayed"]) == (201, "true")
    assert await deeds(db) == 1


async def test_twenty_twins_at_once_act_once(client: httpx.AsyncClient, db: Database) -> None:
    answers = await asyncio.gather(
        *(client.post("/v1/deeds/a", headers=key("k1"), json={"name": "x"}) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum(answer.status_code == 201 and "idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert await deeds(db) == 1


async def test_a_final_refusal_is_replayed_and_leaves_no_effect(client: httpx.AsyncClient, db: Database) -> None:
    asked = {"name": "x", "ending": "rejected"}
    first = await client.post("/v1/deeds/a", headers=key("k1"), json=asked)
    second = await client.post("/v1/deeds/a", headers=key("k1"), json=asked)
    assert (first.status_code, second.status_code) == (409, 409)
    assert second.json()["code"] == "order-cancelled"
    assert second.headers["content-type"] == "application/problem+json"
    assert second.headers["idempotency-replayed"] == "true"
    assert await deeds(db) == 0


@pytest.mark.parametrize("ending", ["needs-seller", "bug"])
async def test_a_failure_that_may_pass_keeps_the_key_free(client: httpx.AsyncClient, db: Database, ending: str) -> None:
    asked = {"name": "x", "ending": ending}
    for _ in range(2):
        answer = await client.post("/v1/deeds/a", headers=key("k1"), json=asked)
        assert "idempotency-replayed" not in answer.headers
    assert await deeds(db) == 0
    after = await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "x"})
    assert after.status_code == 201


async def test_a_route_may_require_a_key(client: httpx.AsyncClient, db: Database) -> None:
    answer = await client.post("/v1/strict", headers=WRITE, json={"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")
    assert await deeds(db) == 0


@pytest.mark.parametrize("bad", [b"", b"x" * 256, "鍵".encode()])
async def test_a_malformed_key_is_refused(client: httpx.AsyncClient, bad: bytes) -> None:
    headers = [*((name.encode(), text.encode()) for name, text in WRITE.items()), (b"Idempotency-Key", bad)]
    answer = await client.post("/v1/deeds/a", headers=headers, json={"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-malformed")


async def test_nothing_readable_is_stored(client: httpx.AsyncClient, db: Database) -> None:
    await client.post("/v1/deeds/a", headers=key(CANARY), json={"name": CANARY})
    async with db.begin() as tx:
        rows = await tx.fetch("select id, fingerprint, answer from idempotency")
    assert len(rows) == 1
    assert CANARY.encode() not in rows[0]["id"].encode() + rows[0]["fingerprint"] + rows[0]["answer"]


async def test_a_key_is_free_again_after_seven_days_and_its_answer_is_pruned(
    client: httpx.AsyncClient, db: Database, urls: SchemaUrls
) -> None:
    await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "x"})
    await client.post("/v1/deeds/a", headers=key("k2"), json={"name": "x"})
    owner = await asyncpg.connect(urls.owner, timeout=10)
    await owner.execute('update "probe".clock_offset set seconds = 7 * 86400 + 60')
    await owner.close(timeout=10)
    again = await client.post("/v1/deeds/a", headers=key("k1"), json={"name": "another"})
    assert (again.status_code, "idempotency-replayed" in again.headers) == (201, False)
    async with db.begin() as tx:
        assert await prune(tx) == 1
    assert await deeds(db) == 3
