"""Proves cursors, ETags and what every service serves under its noun, on a real database."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest
from fastapi import Response
from pydantic import BaseModel
from starlette.requests import Request

from hanro import archive, breaker, dead_letters, operations, outbox, tables, web
from hanro.broker import Record
from hanro.db import Database, Transaction
from hanro.errors import Retryable
from hanro.events.envelope import Received, encode
from hanro.events.stock import StockChanged
from hanro.metrics import new_registry
from hanro.subscriptions import Subscription
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls

PROBE = web.ServiceInfo(noun="probe", name="probe-svc", title="Probe", description="A probe.", scope="probes:read")
READ = bearer("probes:read", "probes:write", "ops")
AT = datetime(2026, 1, 2, tzinfo=UTC)


class Numbers(BaseModel):
    """A page of numbers."""

    items: list[int]
    next: str | None


class Bench:
    """Be a consumer that fails until it is mended, and a store with a version."""

    def __init__(self) -> None:
        self.is_broken = True
        self.version = 3

    def decide(self, _known: None, _received: Received) -> int:
        """Fail until mended."""
        if self.is_broken:
            raise ZeroDivisionError("canary-51aa")
        return 1

    async def load(self, _tx: Transaction, _received: Sequence[Received]) -> Mapping[str, None]:
        """Know nothing."""
        return {}

    async def apply(self, _tx: Transaction, _changes: Sequence[int]) -> None:
        """Store nothing."""


def prepare(urls: SchemaUrls) -> None:
    async def create() -> None:
        connection = await asyncpg.connect(urls.owner, timeout=10)
        try:
            for statement in tables.create_3("probe"):
                await connection.execute(statement)
        finally:
            await connection.close(timeout=10)

    asyncio.run(create())


pytestmark = pytest.mark.schema("probe", prepare)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def client(db: Database, bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    cursors = web.Cursors(fixed_keyring())
    routes = web.router()

    @routes.get("/v1/numbers", dependencies=[web.require("probes:read")])
    async def numbers(
        request: Request,
        response: Response,
        limit: web.Limit = 3,
        cursor: web.CursorText = None,
        even: bool | None = None,  # noqa: FBT001  FastAPI passes by name
    ) -> Numbers:
        del cursor
        start = cursors.start(request)
        first = int(start[0]) + 1 if start else 0
        found = [number for number in range(first, 10) if even is None or (number % 2 == 0) == even]
        page = found[:limit]
        return Numbers(items=page, next=cursors.link(request, response, (page[-1],) if len(found) > limit else None))

    @routes.put("/v1/thing", dependencies=[web.require("probes:write")])
    async def change(request: Request, response: Response) -> None:
        web.require_match(request, bench.version)
        bench.version += 1
        response.headers["ETag"] = web.etag(bench.version)

    made = web.create_app(
        PROBE,
        routers=[routes],
        subscriptions=[
            Subscription(name="probe", facts=(StockChanged,), load=bench.load, decide=bench.decide, apply=bench.apply)
        ],
        authenticator=SpokenCallers(),
        db=db,
        cursors=cursors,
        clock=FixedClock(),
        registry=new_registry(),
        missing=lambda: None,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(made.public), base_url="http://probe", headers=READ
    ) as opened:
        yield opened


async def test_pages_follow_their_links_to_the_end(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    path: str | None = "/v1/numbers?even=true&limit=2"
    while path:
        answer = await client.get(path)
        seen += answer.json()["items"]
        link = answer.headers.get("link")
        assert link is None or link.endswith('; rel="next"')
        path = link[1 : link.index(">")] if link else None
    assert seen == [0, 2, 4, 6, 8]


async def test_a_cursor_goes_on_under_another_limit_but_not_other_filters(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/v1/numbers", params={"even": "true"})).json()["next"]
    longer = await client.get("/v1/numbers", params={"even": "true", "limit": 9, "cursor": cursor})
    other = await client.get("/v1/numbers", params={"even": "false", "cursor": cursor})
    assert longer.json()["items"] == [6, 8]
    assert (other.status_code, other.json()["code"]) == (400, "cursor-invalid")


@pytest.mark.parametrize("start", ["x", "AAAA", "é", "=" * 9])
async def test_a_changed_cursor_is_refused(client: httpx.AsyncClient, start: str) -> None:
    cursor = (await client.get("/v1/numbers")).json()["next"]
    for hostile in ("", start, start + cursor, cursor[:-2]):
        answer = await client.get("/v1/numbers", params={"cursor": hostile})
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid")


async def test_a_cursor_of_one_list_is_no_cursor_of_another(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/v1/numbers")).json()["next"]
    assert (await client.get("/v1/probe/operations", params={"cursor": cursor})).status_code == 400


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many"])
async def test_a_limit_out_of_bounds_is_422(client: httpx.AsyncClient, limit: str) -> None:
    answer = await client.get("/v1/numbers", params={"limit": limit})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "limit")


async def test_a_change_needs_the_version_that_is_stored(client: httpx.AsyncClient) -> None:
    without = await client.put("/v1/thing")
    wrong = await client.put("/v1/thing", headers={"If-Match": '"v2"'})
    right = await client.put("/v1/thing", headers={"If-Match": '"v2", "v3"'})
    repeated = await client.put("/v1/thing", headers={"If-Match": '"v3"'})
    assert [answer.status_code for answer in (without, wrong, right, repeated)] == [428, 412, 200, 412]
    assert right.headers["etag"] == '"v4"'
    assert without.json()["code"] == "precondition-required"


def test_a_star_matches_only_what_exists() -> None:
    request = Request({"type": "http", "headers": [(b"if-match", b"*")]})
    web.require_match(request, 9)
    with pytest.raises(web.Problem):
        web.require_match(request, None)


async def test_operations_are_listed_and_found(client: httpx.AsyncClient, db: Database) -> None:
    made = []
    for number in range(3):
        async with db.begin() as tx:
            made.append(
                await operations.accept(
                    tx, kind="accept", subject_id=f"ord_{number}", account_id="acc_1", asked={"a": 1}, by="tester"
                )
            )
        await asyncio.sleep(0.002)  # ids sort by the millisecond
    first = (await client.get("/v1/probe/operations", params={"limit": 2})).json()
    second = (await client.get("/v1/probe/operations", params={"limit": 2, "cursor": first["next"]})).json()
    one = await client.get(f"/v1/probe/operations/{made[0].id}")
    assert [row["id"] for row in first["items"] + second["items"]] == [each.id for each in reversed(made)]
    assert second["next"] is None
    assert (one.json()["status"], one.json()["asked"], "fence" in one.json()) == ("accepted", {"a": 1}, False)
    assert (await client.get("/v1/probe/operations/opr_none")).status_code == 404


async def test_a_caller_of_some_shops_does_not_see_others_operations(client: httpx.AsyncClient, db: Database) -> None:
    async with db.begin() as tx:
        made = await operations.accept(tx, kind="accept", subject_id="o", account_id="acc_1", asked={}, by="tester")
    limited = bearer("probes:read", shops=("shp_1",))
    assert (await client.get("/v1/probe/operations", headers=limited)).json()["items"] == []
    assert (await client.get(f"/v1/probe/operations/{made.id}", headers=limited)).status_code == 404
    assert (await client.get("/v1/probe/events", headers=limited)).status_code == 403


def changed(version: int) -> StockChanged:
    return StockChanged(
        id="sku_1",
        version=version,
        at=AT,
        sku="A-1",
        on_hand=version,
        committed=0,
        available=version,
        safety_buffer=0,
        short_count=0,
        cause="set",
    )


async def publish(db: Database, count: int) -> None:
    for version in range(1, count + 1):
        async with db.begin() as tx:
            await outbox.record(tx, changed(version))
    async with db.begin() as tx:
        rows = await tx.fetch("select id from outbox order by id")
        await archive.move(tx, [row["id"] for row in rows], "/probe-svc")


async def test_events_are_read_to_the_end_without_gaps(client: httpx.AsyncClient, db: Database) -> None:
    await publish(db, 3)
    first = (await client.get("/v1/probe/events", params={"limit": 2})).json()
    second = (await client.get("/v1/probe/events", params={"after": first["next"]})).json()
    third = (await client.get("/v1/probe/events", params={"after": second["next"]})).json()
    assert [event["data"]["version"] for event in first["items"] + second["items"]] == [1, 2, 3]
    assert (third["items"], third["next"]) == ([], second["next"])
    assert first["items"][0]["attributes"]["source"] == "/probe-svc"


async def test_a_reader_that_was_away_too_long_is_told(
    client: httpx.AsyncClient, db: Database, urls: SchemaUrls
) -> None:
    await publish(db, 3)
    owner = await asyncpg.connect(urls.owner, timeout=10)
    await owner.execute('delete from "probe".archive where position <= 2')
    await owner.close(timeout=10)
    answers = [await client.get("/v1/probe/events", params={"after": after}) for after in (0, 1, 2)]
    assert [answer.status_code for answer in answers] == [200, 410, 200]


async def bury(db: Database) -> None:
    key, value, headers = encode(changed(1), event_id="evt_1", source="/probe-svc", context={})
    record = Record(topic="t", partition=0, offset=7, key=key, value=value, headers=headers, timestamp=0)
    async with db.begin() as tx:
        await dead_letters.save(tx, "probe", [(record, ZeroDivisionError("canary-51aa"))])


async def test_a_dead_letter_is_seen_redriven_after_the_mend_and_gone(
    client: httpx.AsyncClient, db: Database, bench: Bench
) -> None:
    await bury(db)
    [listed] = (await client.get("/v1/probe/dead-letters")).json()["items"]
    path = f"/v1/probe/dead-letters/{listed['id']}"
    shown = await client.get(path)
    before = await client.post(f"{path}:redrive")
    bench.is_broken = False
    after = await client.post(f"{path}:redrive")
    assert b'"version":1' in b64decode(shown.json()["value_base64"])
    assert "canary-51aa" not in shown.text
    assert (before.json()["state"], before.json()["letter"]["attempts"]) == ("failed", 2)
    assert after.json() == {"state": "handled", "letter": None}
    assert (await client.post(f"{path}:redrive")).status_code == 404
    assert (await client.get("/v1/probe/dead-letters")).json()["items"] == []


async def test_a_dead_letter_is_dropped_once(client: httpx.AsyncClient, db: Database) -> None:
    await bury(db)
    [listed] = (await client.get("/v1/probe/dead-letters")).json()["items"]
    path = f"/v1/probe/dead-letters/{listed['id']}"
    assert [(await client.delete(path)).status_code for _ in range(2)] == [204, 404]


async def test_dead_letters_are_for_ops_alone(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/probe/dead-letters", headers=bearer("probes:read"))
    assert (answer.status_code, "ops" in answer.json()["detail"]) == (403, True)


async def test_breakers_are_visible_to_ops_page_by_page(client: httpx.AsyncClient, db: Database) -> None:
    assert (await client.get("/v1/probe/breakers")).json() == {"items": [], "next": None}
    async with db.begin() as tx:
        for account_id, group in (("acc_2", "a"), ("acc_1", "b"), ("acc_1", "a")):
            await breaker.failed(tx, account_id, [group], Retryable("away", code="unavailable"))
    first = await client.get("/v1/probe/breakers?limit=2")
    second = await client.get(first.links["next"]["url"])
    shown = [(one["account_id"], one["api_group"]) for one in (*first.json()["items"], *second.json()["items"])]
    assert shown == [("acc_1", "a"), ("acc_1", "b"), ("acc_2", "a")]
    assert (await breaker.count_open(db), second.json()["next"]) == ({}, None)
