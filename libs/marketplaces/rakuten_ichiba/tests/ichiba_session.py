"""Gives tests a real session: HTTP over a socket in a thread, a pacer that never waits, a clock that tests move."""

import asyncio
import http.client
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from ichiba_wire import Shop

from hanro.errors import InDoubt, Retryable
from hanro.marketplace.port import Http, Secrets, Session, Turn
from hanro.marketplace.types import HttpAnswer, HttpRequest

SECONDS = 5.0


class MovedClock:
    """Tell real time plus what a test added; sleeping adds and waits for nothing."""

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = timedelta() if start is None else start - datetime.now(UTC)
        self._slept = 0.0

    def now(self) -> datetime:
        """Give the time, aware, UTC."""
        return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        """Give the seconds that a sleep or a test let pass: nothing else lasts."""
        return self._slept

    def pass_time(self, seconds: float) -> None:
        """Let monotonic time pass."""
        self._slept += seconds

    async def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.pass_time(seconds)
        await asyncio.sleep(0)


@dataclass
class FreePacer:
    """Give turns at once and remember them: groups, what was throttled, and the errors that left a turn."""

    groups: list[tuple[str, ...]] = field(default_factory=list)
    throttled: list[timedelta | None] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def turn(self, *groups: str) -> AsyncIterator[Turn]:
        """Give a turn."""
        self.groups.append(groups)
        try:
            yield FreeTurn(self)
        except Exception as error:
            self.errors.append(type(error).__name__)
            raise


@dataclass
class FreeTurn:
    """Be a turn of that pacer."""

    pacer: FreePacer

    def throttled(self, after: timedelta | None) -> None:
        """Remember it."""
        self.pacer.throttled.append(after)


@dataclass
class SocketHttp:
    """Send to a port of this machine; knows, as the port asks, whether bytes had left."""

    port: int
    sent: list[HttpRequest] = field(default_factory=list, repr=False)

    async def send(self, request: HttpRequest, turn: Turn) -> HttpAnswer:
        """Send once."""
        return await asyncio.to_thread(self._send, request, turn)

    def _send(self, request: HttpRequest, _turn: Turn) -> HttpAnswer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            try:
                connection.connect()
            except OSError:
                raise Retryable("not reached", code="unavailable") from None
            self.sent.append(request)
            sent_at = datetime.now(UTC)
            try:
                connection.request(
                    request.method, _target(request), body=request.body or None, headers=dict(request.headers)
                )
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                if request.has_effect:
                    raise InDoubt("no answer", code="answer-lost") from None
                raise Retryable("no answer", code="unavailable") from None
            return HttpAnswer(status=answer.status, headers=dict(answer.getheaders()), body=body, sent_at=sent_at)
        finally:
            connection.close()


def _target(request: HttpRequest) -> str:
    return request.path + (f"?{urlencode(request.query)}" if request.query else "")


@dataclass
class CannedHttp:
    """Answer from what a test says of each request; remembers them."""

    answer: Callable[[HttpRequest], HttpAnswer | Exception]
    sent: list[HttpRequest] = field(default_factory=list, repr=False)

    async def send(self, request: HttpRequest, _turn: Turn) -> HttpAnswer:
        """Answer or raise."""
        self.sent.append(request)
        answer = self.answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer


def answered(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    """Make an answer; JSON unless its headers say otherwise."""
    known = {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}
    return HttpAnswer(status=status, headers=known, body=body, sent_at=datetime(2026, 5, 31, 3, tzinfo=UTC))


@dataclass(frozen=True)
class Opened:
    """Hold a session with the parts that a test looks into."""

    session: Session
    pacer: FreePacer
    clock: MovedClock
    http: Http


def open_session(
    http: Http,
    values: Mapping[str, str] | None = None,
    *,
    now: datetime | None = None,
    key_age: timedelta = timedelta(days=1),
) -> Opened:
    """Open a session; the key is a day old unless the test says otherwise."""
    pacer, clock = FreePacer(), MovedClock(now)
    secrets = Secrets(
        values={"service_secret": "SP999001_secret", "license_key": "SL999001_key"} if values is None else values,
        version=1,
        stored_at=clock.now() - key_age,
    )
    session = Session(secrets=secrets, http=http, pacer=pacer, clock=clock)
    return Opened(session=session, pacer=pacer, clock=clock, http=http)


def open_shop_session(
    shop: Shop,
    *,
    now: datetime | None = None,
    key_age: timedelta = timedelta(days=1),
    values: Mapping[str, str] | None = None,
) -> Opened:
    """Open a session of a simulator's shop with its key; `values` add to or replace what is stored."""
    stored = {"service_secret": shop.service_secret, "license_key": shop.license_key, **(values or {})}
    return open_session(SocketHttp(shop.simulator.port), stored, now=now, key_age=key_age)
