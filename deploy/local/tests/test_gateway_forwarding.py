"""The gateway passes requests and answers on as they are, and explains what a service does not answer."""

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from hanro_local.gateway import configure, create_app

PATIENCE = httpx.Timeout(connect=1.0, read=0.5, write=1.0, pool=1.0)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@asynccontextmanager
async def serving(app: ASGIApp, config: uvicorn.Config | None = None) -> AsyncIterator[str]:
    """Serve an application on a free port, as a real server; yields its base URL."""
    plain = uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config or plain)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True


async def echo(request: Request) -> Response:
    """Tell what arrived, without the body itself."""
    body = await request.body()
    seen = {
        "method": request.method,
        "raw_path": request.scope["raw_path"].decode(),
        "query": request.scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode("latin-1")] for name, value in request.headers.raw],
        "digest": hashlib.sha256(body).hexdigest(),
    }
    answer = JSONResponse(seen, status_code=207, headers={"X-Own": "yes", "Connection": "x-hop", "X-Hop": "1"})
    answer.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    return answer


async def refuse_early(_: Request) -> Response:
    """Refuse by size without reading the body, as the services do."""
    return Response("too large", 413)


async def silence(_: Request) -> Response:
    await asyncio.sleep(5)
    return Response()


async def break_off(_: Request) -> Response:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError

    return StreamingResponse(half())


async def trickle(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"one,", b"two,", b"three"):
            yield part
            await asyncio.sleep(0.2)

    return StreamingResponse(parts(), media_type="text/plain")


SERVICE = Starlette(
    routes=[
        Route("/v1/orders/large", refuse_early, methods=METHODS),
        Route("/v1/orders/silence", silence),
        Route("/v1/orders/broken", break_off),
        Route("/v1/orders/trickle", trickle),
        Route("/{path:path}", echo, methods=METHODS),
    ]
)


@asynccontextmanager
async def gateway(tmp_path: Path, routes: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a gateway over `routes` and the echoing service under /v1/orders."""
    file = tmp_path / "routes.json"
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving(SERVICE))
        table = [{"prefix": prefix, "target": target} for prefix, target in ({"/v1/orders": service} | routes).items()]
        file.write_text(json.dumps({"routes": table, "issuer": service}))
        app = create_app(file, lambda: datetime.now(UTC), PATIENCE)
        base = await stack.enter_async_context(serving(app, configure(app, "127.0.0.1", 0)))
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=base, trust_env=False, timeout=10))


async def raw_request(client: httpx.AsyncClient, target: str) -> tuple[int, str, bytes]:
    """Send a request line as it is; answers status, media type and body."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: hub.example.invalid\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await asyncio.wait_for(reader.read(-1), 5)).partition(b"\r\n\r\n")
    writer.close()
    fields = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.decode().split("\r\n")[1:])
    }
    return int(head.split()[1]), fields["content-type"], body


async def test_a_request_arrives_as_it_was_sent(tmp_path: Path) -> None:
    body = "注文①髙㈱".encode()
    async with gateway(tmp_path, {}) as http:
        answer = await http.post(
            "/v1/orders/x?a=1&a=2&q=%E6%B3%A8+%20&empty=",
            content=body,
            headers={"Authorization": "Bearer t", "X-Forwarded-For": "203.0.113.9", "Forwarded": "for=x", "TE": "x"},
        )
    seen = answer.json()
    headers = dict(seen["headers"])
    assert answer.status_code == 207
    assert seen["method"] == "POST"
    assert seen["query"] == "a=1&a=2&q=%E6%B3%A8+%20&empty="
    assert seen["digest"] == hashlib.sha256(body).hexdigest()
    assert headers["authorization"] == "Bearer t"
    assert headers["host"] == http.base_url.netloc.decode()
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == headers["host"]
    assert headers["x-forwarded-port"] == str(http.base_url.port)
    assert headers["content-length"] == str(len(body))
    assert not {"forwarded", "te"} & headers.keys()


async def test_the_gateway_adds_no_header_of_its_client(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http:
        _, _, body = await raw_request(http, "/v1/orders")
    names = {name for name, _ in json.loads(body)["headers"]}
    assert names == {"host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"}


async def test_an_answer_comes_back_as_it_was_given(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http:
        answer = await http.get("/v1/orders")
        again = await http.get("/v1/orders", headers={"Cookie": ""})
    assert answer.headers["x-own"] == "yes"
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert "x-hop" not in answer.headers
    assert len(answer.headers.get_list("content-length")) == 1
    assert again.status_code == 207


async def test_cookies_of_one_caller_reach_no_other(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http:
        await http.get("/v1/orders")
        _, _, body = await raw_request(http, "/v1/orders")
    assert "cookie" not in dict(json.loads(body)["headers"])


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_is_passed_on(tmp_path: Path, method: str) -> None:
    async with gateway(tmp_path, {}) as http:
        answer = await http.request(method, "/v1/orders")
    assert answer.status_code == 207
    if method != "HEAD":
        assert answer.json()["method"] == method


@pytest.mark.parametrize(
    "path", ["/v1/orders/a%2Fb", "/v1/orders/%E6%B3%A8:accept", "/v1/orders/100%25", "/v1/orders/a+b;c=1,2"]
)
async def test_the_path_keeps_its_encoding(tmp_path: Path, path: str) -> None:
    async with gateway(tmp_path, {}) as http:
        _, _, body = await raw_request(http, path)
    assert json.loads(body)["raw_path"] == path


@pytest.mark.parametrize(
    "path",
    [
        "/internal",
        "//internal",
        "/%69nternal",
        "/INTERNAL/v1",
        "/v1/../internal",
        "/v1/orders/../../internal",
        "/v1/orders/%2e%2e/%2e%2e/internal",
        "/livez",
        "/readyz",
        "/metrics",
        "/metrics/x",
        "/v2/unknown",
    ],
)
async def test_what_is_not_public_is_a_problem_404(tmp_path: Path, path: str) -> None:
    async with gateway(tmp_path, {}) as http, serving(SERVICE) as other:
        rewritten = {"routes": [{"prefix": "/internal", "target": other}, {"prefix": "/metrics", "target": other}]}
        (tmp_path / "routes.json").write_text(json.dumps(rewritten))
        status, media_type, body = await raw_request(http, path)
    problem = json.loads(body)
    assert (status, media_type) == (404, "application/problem+json")
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert problem["status"] == 404


@pytest.mark.parametrize("path", ["/token", "/jwks", "/.well-known/openid-configuration"])
async def test_the_issuer_is_reached_through_the_gateway(tmp_path: Path, path: str) -> None:
    async with gateway(tmp_path, {}) as http:
        assert (await http.get(path)).json()["raw_path"] == path


async def test_a_large_body_streams_both_ways(tmp_path: Path) -> None:
    chunk = b"x" * 65_536

    async def body() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield chunk

    async with gateway(tmp_path, {}) as http:
        chunked = await http.post("/v1/orders", content=body())
    assert chunked.json()["digest"] == hashlib.sha256(chunk * 100).hexdigest()
    assert dict(chunked.json()["headers"])["transfer-encoding"] == "chunked"


async def test_an_answer_is_passed_on_while_it_grows(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http, http.stream("GET", "/v1/orders/trickle") as answer:
        parts = [part async for part in answer.aiter_raw()]
    assert parts == [b"one,", b"two,", b"three"]


@pytest.mark.parametrize("size", [1_000, 8_000_000])
async def test_a_refusal_that_comes_before_the_body_was_read_reaches_the_caller(tmp_path: Path, size: int) -> None:
    async with gateway(tmp_path, {}) as http:
        for _ in range(5):
            answer = await http.post("/v1/orders/large", content=b"x" * size)
            assert (answer.status_code, answer.text) == (413, "too large")


async def test_a_target_that_refuses_is_a_problem_503_with_a_time_to_come_back(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        async with gateway(tmp_path, {"/v1/stock": f"http://127.0.0.1:{port}"}) as http:
            answer = await http.get("/v1/stock")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0
    assert str(port) not in answer.text


async def test_a_silent_target_is_a_problem_504(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http:
        answer = await http.get("/v1/orders/silence")
    assert (answer.status_code, answer.headers["content-type"]) == (504, "application/problem+json")


async def test_a_target_that_hangs_up_is_a_problem_502(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as target:
        url = f"http://127.0.0.1:{target.sockets[0].getsockname()[1]}"
        async with gateway(tmp_path, {"/v1/stock": url}) as http:
            answer = await http.get("/v1/stock")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/problem+json")


async def test_an_answer_that_breaks_off_does_not_look_whole(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/v1/orders/broken")
        assert (await http.get("/v1/orders")).status_code == 207


async def test_callers_that_leave_in_the_middle_keep_no_connection(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http:
        for _ in range(220):  # more than the gateway's pool holds
            async with http.stream("GET", "/v1/orders/trickle") as answer:
                assert answer.status_code == 200
        assert (await http.get("/v1/orders")).status_code == 207


async def test_a_caller_that_leaves_in_the_middle_of_its_body_harms_nobody(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http:
        _, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
        writer.write(b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()
        assert (await http.get("/v1/orders")).status_code == 207


async def test_a_service_that_comes_later_is_reached_without_a_restart(tmp_path: Path) -> None:
    async with gateway(tmp_path, {}) as http, serving(SERVICE) as later:
        before = await http.get("/v1/stock")
        (tmp_path / "routes.json").write_text(json.dumps({"routes": [{"prefix": "/v1/stock", "target": later}]}))
        after = await http.get("/v1/stock")
    assert (before.status_code, after.status_code) == (404, 207)


async def test_the_gateway_says_that_it_is_there_even_without_a_routes_file(tmp_path: Path) -> None:
    app = create_app(tmp_path / "none.json", lambda: datetime.now(UTC), PATIENCE)
    async with serving(app) as base, httpx.AsyncClient(base_url=base, trust_env=False) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/")).status_code == 200
        assert (await http.post("/")).status_code == 405
        assert (await http.get("/v1/orders")).status_code == 404
