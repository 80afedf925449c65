"""Wraps every application: correlation, bounds of the request's head, last answers to failures, the count of it all."""

import re
import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hanro import trace
from hanro.log import logger
from hanro.web import problems
from hanro.web.answers import Answer
from hanro.web.problems import Problem

CORRELATION = "X-Correlation-Id"
LARGEST_HEADERS = 16 * 1024
LARGEST_QUERY = 4 * 1024
SERVER_ERROR = 500

_CORRELATION_FORM = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
_log = logger(__name__)


class RequestMetrics:
    """Count requests by method, route and status, with their seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "hanro_http_request_seconds",
            "Time of answered requests",
            ["app", "method", "route", "status"],
            registry=registry,
        )

    def note(self, app: str, scope: Scope, status: int, seconds: float) -> None:
        """Note one answered request; its route is the template, never the address that was asked for."""
        route = getattr(scope.get("route"), "path", "unmatched")
        # A stranger may send any method.
        method = scope["method"] if scope.get("route") else "any"
        self._seconds.labels(app, method, route, str(status)).observe(seconds)


class Edge:
    """Be the outermost layer of an application called `name` ("public", "internal")."""

    def __init__(self, app: ASGIApp, *, name: str, metrics: RequestMetrics) -> None:
        self._app = app
        self._name = name
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get(CORRELATION, "")
        known = given if _CORRELATION_FORM.fullmatch(given) else None
        with trace.following(known, traceparent=request.headers.get("traceparent"), name=f"http {self._name}") as named:
            await self._serve(scope, receive, send, named)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, correlation: str) -> None:
        began = time.monotonic()
        status = SERVER_ERROR
        is_started = False

        async def send_on(message: Message) -> None:
            nonlocal status, is_started
            if message["type"] == "http.response.start":
                is_started = True
                status = message["status"]
                message["headers"] = _complete(message.get("headers", ()), scope, correlation)
            await send(message)

        try:
            _check_head(scope)
            await self._app(scope, receive, send_on)
        except Exception as error:
            if is_started:
                raise
            await _last_answer(error, scope, correlation).response()(scope, receive, send_on)
        finally:
            self._metrics.note(self._name, scope, status, time.monotonic() - began)


async def handle_failure(_request: Request, error: Exception) -> Response:
    """Answer a failure that is expected: FastAPI's handler for the six errors, its own and Starlette's refusals."""
    answer = problems.answer_of(error, instance=trace.correlation_id())
    if answer is None:
        raise error
    return answer.response()


def _last_answer(error: Exception, scope: Scope, correlation: str) -> Answer:
    answer = problems.answer_of(error, instance=correlation)
    if answer is not None:
        return answer
    route = getattr(scope.get("route"), "path", "unmatched")
    _log.error("http.bug", exc_info=error, method=scope["method"], route=route, request_id=correlation)
    return problems.internal(correlation)


def _check_head(scope: Scope) -> None:
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEADERS:
        raise Problem(
            status=431, code="headers-too-large", detail=f"The headers hold more than {LARGEST_HEADERS} bytes."
        )
    if len(scope["query_string"]) > LARGEST_QUERY:
        raise Problem(status=414, code="query-too-large", detail=f"The query holds more than {LARGEST_QUERY} bytes.")
    if "\0" in scope["path"] or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        raise Problem(status=400, code="request-malformed", detail="The address holds U+0000.")


def _complete(headers: Iterable[tuple[bytes, bytes]], scope: Scope, correlation: str) -> list[tuple[bytes, bytes]]:
    found = list(headers)
    there = {name.lower() for name, _ in found}
    own = {CORRELATION: correlation, **scope.get("state", {}).get("answer_headers", {})}
    found += [(name.lower().encode(), text.encode()) for name, text in own.items()]
    return found + [(name, value) for name, value in _SAFE if name not in there]
