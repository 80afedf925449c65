"""Speaks HTTP with one host: sends a request once, and knows whether any of it had left when something fails.

Source: httpx 0.28 "trace" extension: `http11.send_request_headers.started` comes after connecting and TLS, immediately
before the first byte; what fails before it has sent nothing.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote, urlencode

import httpx

from hanro.clock import Clock
from hanro.errors import ContractBroken, InDoubt, Retryable
from hanro.log import logger
from hanro.marketplace.types.exchange import HttpAnswer, HttpRequest
from hanro.trace import span

CONNECT_SECONDS = 5.0
POOL_SECONDS = 5.0
CONNECTION_COUNT = 100
# Characters that stand for themselves in a path, and escapes that the plug-in made.
PATH_CHARACTERS = "/:@!$&'()*+,;=-._~%"

log = logger(__name__)


async def _at_once() -> None:
    """Let a request leave."""


def _nothing() -> None:
    """Be told that a request has left, and do nothing."""


class Wire:
    """Hold the connections to one base URL; it never connects anywhere else, follows no redirect, keeps no cookie."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        context: ssl.SSLContext,
        max_answer_bytes: int,
    ) -> None:
        self.base = httpx.URL(base_url)
        if self.base.scheme not in {"http", "https"} or not self.base.host or self.base.userinfo:
            raise ValueError("a base URL is http:// or https://, a host, and no login")
        self.clock = clock
        self.max_answer_bytes = max_answer_bytes
        self.client = httpx.AsyncClient(
            verify=context,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": "hanro", "Accept-Encoding": "gzip"},
            limits=httpx.Limits(max_connections=CONNECTION_COUNT),
        )

    async def exchange(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta,
        leaving: Callable[[], Awaitable[None]] = _at_once,
        left: Callable[[], None] = _nothing,
        **labels: str,
    ) -> HttpAnswer:
        """Send once and read the whole answer, both within `deadline` of the first byte; any status is an answer.

        `leaving` is awaited when the connection stands, before the first byte; what it raises keeps the request here.
        `left` is called when the head is written. `labels` are log fields that tell whose call it is.

        Raises:
            Retryable: no byte left, or no answer to a read; code "unavailable".
            InDoubt: no answer to a request with an effect, code "answer-lost"; or one that cannot be read,
                "answer-unreadable".
            ContractBroken: the answer to a read is too large or cannot be decoded; code "unreadable".
            ValueError: the path leaves the base URL, or a header cannot be written: our mistake.
        """
        call = _Call(self, request, deadline, leaving, left)
        began_at = self.clock.monotonic()
        fields = {"method": request.method, "path": _shown(request), "host": self.base.host, **labels}
        with span(
            f"{request.method} {self.base.host}", {"http.request.method": request.method, "url.path": request.path}
        ):
            try:
                answer = await call.run()
            except (Retryable, InDoubt, ContractBroken) as failure:
                log.warning("http.failed", code=failure.code, duration_ms=self._since(began_at), **fields)
                raise
        log.info("http.answered", http_status=answer.status, duration_ms=self._since(began_at), **fields)
        return answer

    async def close(self) -> None:
        """Close all connections; calls in flight fail."""
        await self.client.aclose()

    def _since(self, began_at: float) -> int:
        return round((self.clock.monotonic() - began_at) * 1000)


class _Call:
    """Be one exchange and how far it came."""

    def __init__(
        self,
        wire: Wire,
        request: HttpRequest,
        deadline: timedelta,
        leaving: Callable[[], Awaitable[None]],
        left: Callable[[], None],
    ) -> None:
        self._wire = wire
        self._request = request
        self._deadline = deadline
        self._leaving = leaving
        self._left = left
        self._sent_at: datetime | None = None
        self._timeout = asyncio.timeout(None)

    async def run(self) -> HttpAnswer:
        try:
            async with self._timeout:
                return await self._exchange()
        except httpx.LocalProtocolError as error:
            raise ValueError("a request of ours cannot be written as HTTP") from error
        except (TimeoutError, httpx.TransportError) as error:
            raise self._lost(error) from error
        except (httpx.DecodingError, _TooLargeError) as error:
            raise self._unreadable() from error

    async def _exchange(self) -> HttpAnswer:
        seconds = self._deadline.total_seconds()
        client = self._wire.client
        request = client.build_request(
            self._request.method,
            _url(self._wire.base, self._request),
            headers=dict(self._request.headers),
            content=self._request.body,
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=POOL_SECONDS),
            extensions={"trace": self._trace},
        )
        response = await client.send(request, stream=True)
        try:
            body = await self._read(response)
        finally:
            await response.aclose()
        if self._sent_at is None:
            raise RuntimeError("an answer came to a request that was not seen to leave")
        return HttpAnswer(status=response.status_code, headers=dict(response.headers), body=body, sent_at=self._sent_at)

    async def _read(self, response: httpx.Response) -> bytes:
        parts = bytearray()
        async for part in response.aiter_bytes():
            parts += part
            if len(parts) > self._wire.max_answer_bytes:
                raise _TooLargeError
        return bytes(parts)

    async def _trace(self, event: str, details: Mapping[str, object]) -> None:
        match event:
            case "connection.connect_tcp.started":
                base = self._wire.base
                port = base.port or {"http": 80, "https": 443}[base.scheme]
                if (details.get("host"), details.get("port")) != (base.raw_host.decode(), port):
                    raise ValueError("a request was about to leave for a host that is not configured")
            case "http11.send_request_headers.started":
                await self._leaving()
                self._sent_at = self._wire.clock.now()
                self._timeout.reschedule(asyncio.get_running_loop().time() + self._deadline.total_seconds())
            case "http11.send_request_headers.complete":
                self._left()

    def _lost(self, error: Exception) -> Retryable | InDoubt:
        kind = type(error).__name__
        if self._sent_at is None:
            return Retryable(f"No connection could be made ({kind}).", code="unavailable")
        if self._request.has_effect:
            return InDoubt(f"The request left, and its answer was lost ({kind}).", code="answer-lost")
        return Retryable(f"No whole answer came ({kind}).", code="unavailable")

    def _unreadable(self) -> ContractBroken | InDoubt:
        if self._request.has_effect:
            return InDoubt("The answer is too large or cannot be decoded.", code="answer-unreadable")
        return ContractBroken("The answer is too large or cannot be decoded.", code="unreadable")


class _TooLargeError(Exception):
    """Say that an answer is larger than allowed."""


def _url(base: httpx.URL, request: HttpRequest) -> httpx.URL:
    if not request.path.startswith("/") or ".." in request.path.split("/"):
        raise ValueError("a path begins with / and stays below the base URL")
    target = base.path.rstrip("/") + quote(request.path, safe=PATH_CHARACTERS)
    if request.query:
        target += "?" + urlencode(request.query, quote_via=quote)
    return base.copy_with(raw_path=target.encode("ascii"))


def _shown(request: HttpRequest) -> str:
    """Give the path for a log: of the query the names alone, because keys and buyers' data stand in the values."""
    return request.path + ("?" + "&".join(f"{name}=…" for name, _ in request.query) if request.query else "")
