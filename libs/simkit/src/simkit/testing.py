"""Lets a test serve a simulator in its own process and speak to it in plain bytes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from simkit.server import Companion, bind, serve

DEADLINE_SECONDS = 10


@asynccontextmanager
async def serving(app: ASGIApp, beside: Sequence[Companion] = ()) -> AsyncIterator[int]:
    """Serve `app` on a free port of 127.0.0.1 for the length of the block, and give the port."""
    listening = bind("127.0.0.1", 0)
    port: int = listening.getsockname()[1]
    stop = asyncio.Event()
    server = asyncio.create_task(serve(app, listening, beside, stop))
    try:
        yield port
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await server


@dataclass(frozen=True)
class RawAnswer:
    """Hold the bytes that came before the connection ended, and how: by RST (`was_reset`) or by FIN."""

    received: bytes
    was_reset: bool

    @property
    def head(self) -> list[str]:
        """Give the status line and the header lines, spelt as sent."""
        return self.received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")

    @property
    def body(self) -> bytes:
        """Give what followed the head, chunk marks included."""
        return self.received.partition(b"\r\n\r\n")[2]


async def send_raw(port: int, request: bytes) -> RawAnswer:
    """Send bytes as they are and read until the other side ends the connection (so say `Connection: close`).

    Raises:
        TimeoutError: the connection was open for 10 s.
    """
    received = bytearray()
    async with asyncio.timeout(DEADLINE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        was_reset = False
        try:
            writer.write(request)
            await writer.drain()
            while octets := await reader.read(65536):
                received += octets
        except ConnectionResetError:
            was_reset = True
        finally:
            writer.close()
            try:
                await writer.wait_closed()
            except ConnectionError:
                was_reset = True
    return RawAnswer(bytes(received), was_reset)
