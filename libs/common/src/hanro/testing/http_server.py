"""Serves bytes as a test says: an HTTP server of bare sockets that can fall silent, cut, drip or lie."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """Be one request as it came: the head's lines, as sent, and the whole body."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: float

    @property
    def path(self) -> str:
        """Give the path without its query, still escaped."""
        return urlsplit(self.line.split(" ")[1]).path

    def header(self, name: str) -> str | None:
        """Give a header by its name in any spelling, None where it was not sent."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)


Behaviour = Callable[[Arrived, asyncio.StreamWriter], Awaitable[None]]


@dataclass(kw_only=True)
class HttpServer:
    """Be a server on a port of its own; `behave` is what it does with each request."""

    behave: Behaviour
    arrived: list[Arrived] = field(default_factory=list)
    connection_count: int = 0
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Give its base URL."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client ends it or the behaviour closes it."""
        self.connection_count += 1
        try:
            while not writer.is_closing():
                arrived = await _read(reader)
                self.arrived.append(arrived)
                await self.behave(arrived, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def answer(body: bytes = b"", *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Behaviour:
    """Answer each request so, with its length."""

    async def behave(_arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        lines = [
            f"HTTP/1.1 {status} Said",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return behave


@asynccontextmanager
async def http_server(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpServer]:
    """Serve on loopback for the length of a block."""
    served = HttpServer(behave=behave, scheme="https" if tls else "http")
    open_connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a callback of asyncio runs in a task
        open_connections.add(task)
        try:
            await served.accept(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            open_connections.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in list(open_connections):
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Arrived:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:]))
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    body = await reader.readexactly(length)
    return Arrived(line=head[0], headers=headers, body=body, at=asyncio.get_running_loop().time())
