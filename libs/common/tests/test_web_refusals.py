"""Proves what the edge refuses before and after a route, and that a refusal says enough and nothing more."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request

from hanro import web
from hanro.db import Database, connect
from hanro.errors import (
    ContractBroken,
    InDoubt,
    LocalizedText,
    NeedsSeller,
    Refusal,
    Rejected,
    Retryable,
    Unsupported,
)
from hanro.metrics import new_registry
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro.testing.clock import FixedClock
from hanro.web import bodies

CANARY = "canary-7c1e"
PROBE = web.ServiceInfo(noun="probe", name="probe-svc", title="Probe", description="A probe.", scope="probes:read")
READ = bearer("probes:read", "probes:write")
REMEDY = LocalizedText(ja="鍵を更新してください。", en="Renew the key.")
FAILURES: dict[str, Exception] = {
    "retryable": Retryable("Wait.", code="throttled", after=timedelta(seconds=7)),
    "needs-seller": NeedsSeller("The key has expired.", code="credential-expired", grant_id="orders", remedy=REMEDY),
    "rejected": Rejected(
        "The order is cancelled.",
        code="order-cancelled",
        refusal=Refusal(code="ORDER_EXT_API_X", message="cancelled", request_id="r-1"),
        field="/lines/0",
    ),
    "not-found": Rejected("There is no such order.", code="not-found"),
    "contract-broken": ContractBroken("Their answer is unreadable.", code="unreadable"),
    "in-doubt": InDoubt("Their answer was lost.", code="answer-lost"),
    "unsupported": Unsupported("Cannot be expressed there.", code="absent"),
    "bug": ZeroDivisionError(CANARY),
}


class Line(BaseModel):
    """A line of the probe's order."""

    sku: str = Field(max_length=10)
    count: int = Field(ge=1)


class Order(BaseModel):
    """The probe's order."""

    lines: list[Line]


def probe_routes(db: Database) -> APIRouter:
    routes = web.router(["probes"])

    @routes.get("/v1/probes/{name}", dependencies=[web.require("probes:read")])
    async def fail(name: str) -> dict[str, str]:
        if name in FAILURES:
            raise FAILURES[name]
        return {"name": name}

    @routes.post("/v1/probes", dependencies=[web.require("probes:write")])
    async def place(request: Request, order: Order) -> dict[str, Any]:
        return {"by": web.caller(request).subject, "lines": len(order.lines)}

    @routes.post("/v1/small", dependencies=[web.require("probes:write"), web.body_limit(100)])
    async def small(order: Order) -> None: ...

    @routes.get("/v1/stored", dependencies=[web.require("probes:read")])
    async def stored() -> None:
        async with db.begin():
            pass

    return routes


def apps(requests_per_minute: int = 600) -> web.Apps:
    # Nobody listens there: a database that is away.
    db = connect("postgresql://nobody@127.0.0.1:1/probe", schema="probe")
    return web.create_app(
        PROBE,
        routers=[probe_routes(db)],
        authenticator=SpokenCallers(),
        db=db,
        cursors=web.Cursors(fixed_keyring()),
        clock=FixedClock(),
        registry=new_registry(),
        missing=lambda: None,
        requests_per_minute=requests_per_minute,
    )


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://probe")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(apps().public) as made:
        yield made


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["type"] == f"urn:hanro:problem:{found['code']}"
    return found


async def test_no_token_is_401_with_a_challenge(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/probes/a")
    assert problem(answer, 401)["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"] == 'Bearer realm="hanro"'


@pytest.mark.parametrize("given", ["Bearer", "Bearer ", "Basic abc", "Bearer not-a-token", "bearer\tx"])
async def test_a_token_that_says_nothing_is_401(client: httpx.AsyncClient, given: str) -> None:
    problem(await client.get("/v1/probes/a", headers={"Authorization": given}), 401)


async def test_a_missing_scope_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/probes", headers=bearer("probes:read"), json={"lines": []})
    assert "probes:write" in problem(answer, 403)["detail"]
    assert 'scope="probes:write"' in answer.headers["www-authenticate"]


def test_a_route_without_a_scope_stops_the_start() -> None:
    routes = web.router()

    @routes.get("/v1/open")
    async def open_to_all() -> None: ...

    with pytest.raises(web.ScopeUndeclared, match="/v1/open"):
        web.document(
            PROBE,
            routers=[routes],
            db=connect("postgresql://nobody@127.0.0.1:1/probe", schema="probe"),
            cursors=web.Cursors(fixed_keyring()),
        )


def test_a_route_of_a_bare_router_stops_the_start() -> None:
    routes = APIRouter()

    @routes.get("/v1/bare", dependencies=[web.require("probes:read")])
    async def bare() -> None: ...

    with pytest.raises(web.ScopeUndeclared, match="/v1/bare"):
        web.document(
            PROBE,
            routers=[routes],
            db=connect("postgresql://nobody@127.0.0.1:1/probe", schema="probe"),
            cursors=web.Cursors(fixed_keyring()),
        )


async def test_a_body_that_announces_too_much_is_not_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/probes", headers=READ, content=b"[" * (1024 * 1024 + 1))
    assert problem(answer, 413)["code"] == "body-too-large"


async def test_a_length_of_thousands_of_digits_is_too_large(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/probes", headers=READ | {"Content-Length": "9" * 5000}, content=b"{}")
    problem(answer, 413)


async def test_a_body_that_does_not_announce_its_size_is_cut_off(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So much of what is still coming is dropped, so that whoever sends it sees the answer.
    monkeypatch.setattr(bodies, "LINGER_BYTES", 100)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 50
            yield b" " * 50

    problem(await client.post("/v1/small", headers=READ, content=endless()), 413)
    assert sent <= 150 + 100


async def test_a_stranger_s_body_is_not_read_at_all(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" "

    problem(await client.post("/v1/probes", content=endless()), 401)
    assert sent <= 1


async def test_another_media_type_is_415(client: httpx.AsyncClient) -> None:
    headers = READ | {"Content-Type": "text/plain"}
    problem(await client.post("/v1/probes", headers=headers, content=b'{"lines": []}'), 415)


async def test_a_malformed_body_is_pointed_at_and_not_repeated(client: httpx.AsyncClient) -> None:
    body = {"lines": [{"sku": "A", "count": 1}, {"sku": CANARY * 9, "count": CANARY}]}
    answer = await client.post("/v1/probes", headers=READ, json=body)
    found = problem(answer, 422)
    assert [fault["pointer"] for fault in found["errors"]] == ["/lines/1/sku", "/lines/1/count"]
    assert CANARY not in answer.text


async def test_a_body_that_is_no_json_is_422(client: httpx.AsyncClient) -> None:
    headers = READ | {"Content-Type": "application/json"}
    answer = await client.post("/v1/probes", headers=headers, content=b'{"lines": [' + CANARY.encode())
    assert problem(answer, 422)["errors"][0]["pointer"] == ""
    assert CANARY not in answer.text


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\uD800"])
async def test_a_text_that_cannot_be_stored_is_pointed_at(client: httpx.AsyncClient, escape: str) -> None:
    headers = READ | {"Content-Type": "application/json"}
    body = f'{{"lines": [{{"sku": "a{escape}", "count": 1}}]}}'
    assert problem(await client.post("/v1/probes", headers=headers, content=body), 422)["errors"][0]["pointer"] == (
        "/lines/0/sku"
    )


async def test_a_body_that_nests_too_deep_to_be_looked_through_is_422(client: httpx.AsyncClient) -> None:
    headers = READ | {"Content-Type": "application/json"}
    body = '["\\u0000", ' + "[" * 100_000 + "]" * 100_000 + "]"
    problem(await client.post("/v1/probes", headers=headers, content=body), 422)


async def test_an_escaped_backslash_before_u0000_is_only_text(client: httpx.AsyncClient) -> None:
    headers = READ | {"Content-Type": "application/json"}
    body = '{"lines": [{"sku": "a\\\\u0000", "count": 1}, {"sku": "\\ud83d\\ude00", "count": 1}]}'
    answer = await client.post("/v1/probes", headers=headers, content=body)
    assert (answer.status_code, answer.json()["lines"]) == (200, 2)


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/internal/v1/x", "/docs", "/openapi.json", "/v1/probes/"])
async def test_an_unknown_path_is_a_404_problem(client: httpx.AsyncClient, path: str) -> None:
    assert problem(await client.get(path, headers=READ), 404)["code"] == "not-found"


async def test_an_unknown_method_is_a_405_problem_that_names_the_others(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/probes/a", headers=READ)
    problem(answer, 405)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/v1/probes/a?x=%00", "/v1/probes/a%00"])
async def test_u0000_in_an_address_is_refused(client: httpx.AsyncClient, path: str) -> None:
    problem(await client.get(path, headers=READ), 400)


async def test_a_long_query_is_414(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/probes/a", headers=READ, params={"x": "y" * 5000}), 414)


async def test_long_headers_are_431(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/probes/a", headers=READ | {"X-Long": "y" * 20_000}), 431)


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("retryable", 503, "retryable"),
        ("needs-seller", 409, "needs-seller"),
        ("rejected", 409, "rejected"),
        ("not-found", 404, "rejected"),
        ("contract-broken", 502, "contract-broken"),
        ("in-doubt", 202, "in-doubt"),
        ("unsupported", 501, "unsupported"),
    ],
)
async def test_each_of_the_six_errors_says_who_acts(
    client: httpx.AsyncClient, name: str, status: int, kind: str
) -> None:
    found = problem(await client.get(f"/v1/probes/{name}", headers=READ), status)
    assert (found["kind"], found["retryable"]) == (kind, kind == "retryable")


async def test_a_retryable_says_when(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/probes/retryable", headers=READ)).headers["retry-after"] == "7"


async def test_the_seller_is_told_the_grant_and_the_remedy(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/v1/probes/needs-seller", headers=READ), 409)
    assert (found["grant_id"], found["remedy"]) == ("orders", {"ja": REMEDY.ja, "en": REMEDY.en})


async def test_a_refusal_carries_the_marketplace_s_words(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/v1/probes/rejected", headers=READ), 409)
    assert found["marketplace"] == {"code": "ORDER_EXT_API_X", "message": "cancelled", "request_id": "r-1"}
    assert found["errors"][0]["pointer"] == "/lines/0"


async def test_a_bug_shows_nothing_but_where_to_look(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/v1/probes/bug", headers=READ | {"X-Correlation-Id": "cor-1"})
    assert problem(answer, 500)["instance"] == "urn:hanro:request:cor-1"
    assert "ZeroDivision" not in answer.text
    assert CANARY not in answer.text
    assert CANARY not in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_a_database_that_is_away_is_503_and_says_when(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/stored", headers=READ)
    assert problem(answer, 503)["code"] == "unavailable"
    assert int(answer.headers["retry-after"]) >= 1


async def test_the_shared_routes_answer_503_too(client: httpx.AsyncClient) -> None:
    for path in ("operations", "operations/opr_1", "events", "dead-letters", "dead-letters/x", "breakers"):
        problem(await client.get(f"/v1/probe/{path}", headers=bearer("probes:read", "ops")), 503)


async def test_a_caller_that_asks_too_often_is_held_back_and_others_are_not() -> None:
    async with client_of(apps(requests_per_minute=2).public) as client:
        answers = [await client.get("/v1/probes/a", headers=READ) for _ in range(3)]
        other = await client.get("/v1/probes/a", headers=bearer("probes:read", subject="other"))
    assert [answer.headers["ratelimit"] for answer in answers[:2]] == ['"caller";r=1;t=0', '"caller";r=0;t=30']
    assert problem(answers[2], 429)["retryable"] is True
    assert answers[2].headers["retry-after"] == "30"
    assert other.status_code == 200


async def test_every_answer_names_its_correlation_and_forbids_keeping(client: httpx.AsyncClient) -> None:
    given = await client.get("/v1/probes/a", headers=READ | {"X-Correlation-Id": "mine-1"})
    hostile = await client.get("/v1/nothing", headers={"X-Correlation-Id": "<script>"})
    assert given.headers["x-correlation-id"] == "mine-1"
    assert hostile.headers["x-correlation-id"].startswith("cor_")
    assert given.headers["cache-control"] == "no-store"


async def test_the_document_names_scope_and_problems_of_every_route(client: httpx.AsyncClient) -> None:
    document = (await client.get("/v1/probe/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    operations = [found for path in document["paths"].values() for found in path.values()]
    assert len(operations) == 12
    for operation in operations:
        assert operation["security"][0]["bearer"]
        assert {"401", "403", "422", "429", "503", "default"} <= set(operation["responses"])
    assert "HTTPValidationError" not in json.dumps(document)


async def test_the_docs_page_lists_every_operation_without_script(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/probe/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.count("<details>") == 12
    assert "<script" not in answer.text


async def test_the_internal_port_serves_health_and_metrics_without_a_token() -> None:
    made = apps()
    async with client_of(made.internal) as client, client_of(made.public) as public:
        await public.get("/v1/probes/a", headers=READ)
        await public.get("/v1/nothing-at-all")
        alive, ready, metrics = [await client.get(path) for path in ("/livez", "/readyz", "/metrics")]
        assert (await public.get("/metrics")).status_code == 404
    assert (alive.status_code, ready.status_code) == (200, 200)
    assert 'hanro_http_request_seconds_count{app="public",method="GET",route="/v1/probes/{name}"' in metrics.text
    assert "nothing-at-all" not in metrics.text


async def test_a_process_that_waits_is_not_ready() -> None:
    db = connect("postgresql://nobody@127.0.0.1:1/probe", schema="probe")
    made = web.create_app(
        PROBE,
        routers=[],
        authenticator=SpokenCallers(),
        db=db,
        cursors=web.Cursors(fixed_keyring()),
        clock=FixedClock(),
        registry=new_registry(),
        missing=lambda: "the schema",
    )
    async with client_of(made.internal) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["for"]) == (503, "the schema")
