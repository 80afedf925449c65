"""Carries what a marketplace itself sends to others over HTTP, beside the server and without holding it up."""

import asyncio
import http.client
import io
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

ANSWER_CAP_BYTES = 1024 * 1024
# More at a time would run out of ports where thousands of orders are placed at once.
_AT_A_TIME = 32
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Parcel:
    """State one POST; header names keep spelling and order. `timeout_seconds` are real seconds for the whole of it."""

    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    timeout_seconds: float


@dataclass(frozen=True)
class Outcome:
    """State what the receiver said; `status` is None when nothing was heard, `error` then says why."""

    status: int | None = None
    body: bytes = b""
    error: str | None = None


class _Heard:
    """Give received bytes to the standard library's reader, which asks a socket for a file."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        """Give the bytes."""
        return io.BytesIO(self._received)


class Courier:
    """Send parcels in the order in which they were handed over, side by side; `run` is to run beside the server."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[tuple[Parcel, Callable[[Outcome], None]]] = asyncio.Queue()

    def send(self, parcel: Parcel, done: Callable[[Outcome], None]) -> None:
        """Hand over a parcel; `done` is called once, on the loop, when it is known what became of it."""
        self._waiting.put_nowait((parcel, done))

    async def run(self) -> None:
        """Carry parcels; never returns."""
        free = asyncio.Semaphore(_AT_A_TIME)

        async def carry(parcel: Parcel, done: Callable[[Outcome], None]) -> None:
            try:
                done(await post(parcel))
            finally:
                free.release()

        async with asyncio.TaskGroup() as group:
            while True:
                parcel, done = await self._waiting.get()
                await free.acquire()
                group.create_task(carry(parcel, done))


async def post(parcel: Parcel) -> Outcome:
    """Send a parcel over a connection of its own and read the answer; whatever goes wrong is told, never raised."""
    try:
        async with asyncio.timeout(parcel.timeout_seconds):
            return _read(await _exchange(parcel))
    except TimeoutError:
        return Outcome(error="timeout")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Outcome(error=type(error).__name__)


async def _exchange(parcel: Parcel) -> bytes:
    target = urlsplit(parcel.url)
    if target.scheme not in _PORTS or target.hostname is None:
        raise ValueError("no URL of http or https")
    port = target.port or _PORTS[target.scheme]
    context = ssl.create_default_context() if target.scheme == "https" else None
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    names = {name.lower() for name, _ in parcel.headers}
    headers = [("Host", target.netloc.rpartition("@")[2])] if "host" not in names else []
    headers += [*parcel.headers, ("Content-Length", str(len(parcel.body))), ("Connection", "close")]
    head = "".join([f"POST {path} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in headers), "\r\n"])
    reader, writer = await asyncio.open_connection(target.hostname, port, ssl=context)
    try:
        writer.write(head.encode("latin-1") + parcel.body)
        await writer.drain()
        received = bytearray()
        while len(received) < ANSWER_CAP_BYTES and (octets := await reader.read(65536)):
            received += octets
        return bytes(received)
    finally:
        writer.close()


def _read(received: bytes) -> Outcome:
    response = http.client.HTTPResponse(cast("socket.socket", _Heard(received)), method="POST")
    response.begin()
    return Outcome(response.status, response.read())
