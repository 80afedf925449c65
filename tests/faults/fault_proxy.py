"""Stands between clients and a server on TCP: refuses, is silent, cuts at a frame, resets, is slow."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from hanro_local import ports

CHUNK = 1 << 16
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 5.0
SSL_REQUEST = 80877103
PRODUCE = 0

Frames = Callable[[bytearray, int], int]
"""Give the length of the first frame of a client's bytes, 0 where it is not whole; the number counts from 0."""


def kafka_frames(octets: bytearray, _number: int) -> int:
    """Measure a request of Kafka's protocol: 4 octets of length, then that many."""
    return _whole(octets, 4 + struct.unpack(">i", octets[:4])[0]) if len(octets) >= 4 else 0


def postgres_frames(octets: bytearray, number: int) -> int:
    """Measure a message of Postgres's protocol: a type octet and a length; none before the start-up has been said."""
    is_starting = number == 0 or (number == 1 and octets[:1] == b"\0")
    offset = 0 if is_starting else 1
    if len(octets) < offset + 4:
        return 0
    return _whole(octets, offset + struct.unpack(">i", octets[offset : offset + 4])[0])


def smtp_frames(octets: bytearray, _number: int) -> int:
    """Take what has arrived for a frame: most of SMTP is encrypted here."""
    return len(octets)


def is_commit(frame: bytes) -> bool:
    """Tell whether a frame of Postgres commits."""
    return frame[:1] == b"Q" and b"COMMIT" in frame


def is_produce(frame: bytes) -> bool:
    """Tell whether a frame of Kafka is a produce request."""
    return len(frame) >= 6 and struct.unpack(">h", frame[4:6])[0] == PRODUCE


def _whole(octets: bytearray, length: int) -> int:
    return length if len(octets) >= length else 0


@dataclass
class Cut:
    """Be an order to cut connections at frames that fit, `count` times; `is_answer`: only the answer is lost.

    The first `after` frames that fit pass.
    """

    fits: Callable[[bytes], bool]
    is_answer: bool
    count: int = 1
    after: int = 0
    hits: int = 0

    def takes(self, frame: bytes) -> bool:
        """Tell whether this frame is to be cut, and count it."""
        if self.hits >= self.count or not self.fits(frame):
            return False
        if self.after:
            self.after -= 1
            return False
        self.hits += 1
        return True


@dataclass
class FaultProxy:
    """Hold a proxy's faults; change them while it runs, from the loop's own thread or another: plain fields."""

    target_port: int
    frames: Frames
    is_refusing: bool = False
    is_silent: bool = False
    latency_seconds: float = 0.0
    cut: Cut | None = None
    open_count: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve on a free port of the loopback address, and give it, while the block lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", ports.choose(1)[0])
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.reset()
            await server.wait_closed()

    def heal(self) -> None:
        """Let everything through again; what is open stays open."""
        self.is_refusing = self.is_silent = False
        self.latency_seconds, self.cut = 0.0, None

    def reset(self) -> None:
        """Reset every connection; called on the loop that it serves on."""
        for writer in list(self._writers):
            _abort(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_refusing:
            _abort(writer)
            return
        self._writers.add(writer)
        self.open_count += 1
        upstream: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                answers, upstream = await asyncio.open_connection("127.0.0.1", self.target_port)
            self._writers.add(upstream)
            lost = asyncio.Event()
            ways = [
                asyncio.create_task(self._requests(reader, upstream, lost)),
                asyncio.create_task(self._answers(answers, writer, lost)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            # The server is away, which is what its client must see.
            pass
        finally:
            for one in filter(None, (writer, upstream)):
                self._writers.discard(one)
                _abort(one)
            self.open_count -= 1

    async def _requests(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        held, number = bytearray(), 0
        while octets := await reader.read(CHUNK):
            held += octets
            while length := self.frames(held, number):
                frame = bytes(held[:length])
                del held[:length]
                number += 1
                await self._wait()
                if self.cut is not None and self.cut.takes(frame):
                    if not self.cut.is_answer:
                        return
                    # The answers' way ends the connection once the server has spoken.
                    lost.set()
                upstream.write(frame)
                await upstream.drain()
                if lost.is_set():
                    await asyncio.sleep(ANSWER_SECONDS)
                    return

    async def _answers(self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while octets := await answers.read(CHUNK):
            if lost.is_set():
                return
            await self._wait()
            writer.write(octets)
            await writer.drain()

    async def _wait(self) -> None:
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        while self.is_silent:
            await asyncio.sleep(0.05)


def _abort(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
