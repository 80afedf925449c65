"""Routes the public paths of one port to the services of the local stack, as the Ingress does in a cluster.

Bodies stream both ways; size limits are the services' own. What a service does not answer becomes a problem of
RFC 9457: 404 no such path, 502 a broken answer, 503 nobody listens, 504 nobody answers.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from hanro_local import start_page
from hanro_local.gateway_routes import RoutesFileReader

RETRY_AFTER_SECONDS = 2
# Below the 5 s after which uvicorn closes an idle connection: a request on a connection that is being closed is lost.
IDLE_CONNECTION_SECONDS = 2.0
SERVICE_TIMEOUT = httpx.Timeout(connect=5.0, read=60.0, write=60.0, pool=5.0)

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# What a caller says about itself is replaced by what the gateway sees; `expect` is answered by the gateway.
_REPLACED = frozenset({b"forwarded", b"x-real-ip", b"expect"})

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Problem:
    """An answer in the form of RFC 9457 that the gateway gives itself."""

    status: int
    kind: str
    title: str
    detail: str
    retry_after_seconds: int | None = None

    def answer(self) -> Response:
        """Turn it into a response."""
        body = {
            "type": f"urn:hanro:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        headers = {} if self.retry_after_seconds is None else {"Retry-After": str(self.retry_after_seconds)}
        return Response(json.dumps(body), self.status, headers, media_type="application/problem+json")


NOT_FOUND = Problem(404, "not-found", "Not found", "No service answers under this path.")
METHOD_NOT_ALLOWED = Problem(405, "method-not-allowed", "Method not allowed", "This page can only be read.")
NOBODY_LISTENS = Problem(
    503,
    "unavailable",
    "Service unavailable",
    "The service of this path is not running. Try again shortly.",
    RETRY_AFTER_SECONDS,
)
TOO_BUSY = Problem(
    503,
    "unavailable",
    "Service unavailable",
    "Too many requests are under way. Try again shortly.",
    RETRY_AFTER_SECONDS,
)
NOBODY_ANSWERS = Problem(504, "timeout", "Service timed out", "The service of this path did not answer in time.")
BROKEN_ANSWER = Problem(
    502, "bad-gateway", "Bad gateway", "The service of this path broke off before it answered. Its outcome is unknown."
)


def _is_passed_on(name: bytes, named_by_connection: frozenset[bytes]) -> bool:
    return name not in _HOP_BY_HOP and name not in named_by_connection


def _named_by_connection(headers: list[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """Collect the header names that `Connection` declares to be of this hop. Source: RFC 9110 7.6.1."""
    values = [value for name, value in headers if name.lower() == b"connection"]
    return frozenset(token.strip().lower() for value in values for token in value.split(b","))


def _forwarded_headers(request: Request) -> list[tuple[bytes, bytes]]:
    sent = [(name.lower(), value) for name, value in request.headers.raw]
    hop = _named_by_connection(sent)
    kept = [
        (name, value)
        for name, value in sent
        if _is_passed_on(name, hop) and name not in _REPLACED and not name.startswith(b"x-forwarded-")
    ]
    host = request.headers.get("host", "")
    seen = {
        "x-forwarded-for": request.client.host if request.client else "",
        "x-forwarded-proto": request.url.scheme,
        "x-forwarded-host": host,
        "x-forwarded-port": str((request.scope.get("server") or ("", ""))[1]),
    }
    return [*kept, *((name.encode(), value.encode("latin-1")) for name, value in seen.items() if value)]


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


async def forward(client: httpx.AsyncClient, target: str, patience: httpx.Timeout, request: Request) -> Response:
    """Send a request on and answer with the head of the target's response; its body follows as it comes."""
    raw_path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    onward = httpx.Request(
        request.method,
        httpx.URL(target).copy_with(raw_path=raw_path + (b"?" + query if query else b"")),
        headers=_forwarded_headers(request),
        content=request.stream() if _has_body(request) else None,
        extensions={"timeout": patience.as_dict()},
    )
    try:
        response = await client.send(onward, stream=True)
    except httpx.ConnectError:
        return NOBODY_LISTENS.answer()
    except httpx.PoolTimeout:
        return TOO_BUSY.answer()
    except httpx.TimeoutException:
        return NOBODY_ANSWERS.answer()
    except httpx.TransportError:
        return BROKEN_ANSWER.answer()
    return _Passed(response)


class _Passed(Response):
    """Passes a target's response on, raw, and closes it whatever becomes of the caller."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passed = StreamingResponse(self.response.aiter_raw(), self.response.status_code)
        sent = [(name.lower(), value) for name, value in self.response.headers.raw]
        hop = _named_by_connection(sent)
        passed.raw_headers = [(name, value) for name, value in sent if _is_passed_on(name, hop)]
        try:
            await passed(scope, receive, send)
        except httpx.HTTPError as broken:
            # The head is out. Ending without the last chunk makes the server cut the connection, so the caller sees
            # that the body is not whole.
            print(f"gateway: a response broke off: {type(broken).__name__}", flush=True)
        finally:
            await self.response.aclose()


def create_app(routes_file: Path, clock: Clock, patience: httpx.Timeout = SERVICE_TIMEOUT) -> Starlette:
    """Build the gateway over a routes file, which is read again whenever it changes."""
    reader = RoutesFileReader.open(routes_file)
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=IDLE_CONNECTION_SECONDS)
    # One client for all callers: it must not keep one caller's cookies.
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    # The environment's proxies are for the world outside; every target is on this machine.
    client = httpx.AsyncClient(limits=limits, trust_env=False, follow_redirects=False, cookies=no_cookies)
    render = start_page.open_template()

    async def answer(request: Request) -> Response:
        raw_path: bytes = request.scope["raw_path"]
        routes = reader.refresh()
        if raw_path in {b"/", b"/healthz"}:
            if request.method not in {"GET", "HEAD"}:
                return METHOD_NOT_ALLOWED.answer()
            if raw_path == b"/healthz":
                return PlainTextResponse("ok\n")
            page = await start_page.look_around(client, routes, clock())
            return HTMLResponse(render(page, reader.complaint), headers=start_page.HEADERS)
        target = routes.target_of(raw_path)
        if target is None:
            return NOT_FOUND.answer()
        return await forward(client, target, patience, request)

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        with contextlib.suppress(ClientDisconnect):  # the caller left in the middle of its own request
            response = await answer(request)
            await response(scope, receive, send)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(routes=[Mount("/", app=endpoint)], lifespan=lifespan)


def configure(app: Starlette, host: str, port: int) -> uvicorn.Config:
    """Say how the gateway is served: it stands at the edge, so what callers say about forwarding is not believed."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )


def main(arguments: list[str]) -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m hanro_local.gateway", description="One port for all services.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--routes", type=Path, required=True, help="JSON file, read again when it changes")
    chosen = parser.parse_args(arguments)
    uvicorn.Server(configure(create_app(chosen.routes, lambda: datetime.now(UTC)), chosen.host, chosen.port)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
