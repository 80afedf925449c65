"""What a simulator sends itself: one POST on a connection of its own, and what became of it."""

import asyncio
from collections.abc import Awaitable, Callable

from simkit.courier import Courier, Outcome, Parcel, post

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def parcel(port: int, *, path: str = "/notices?a=1", timeout_seconds: float = 10) -> Parcel:
    headers = [("Content-Type", "text/xml"), ("x-Odd", "1")]
    return Parcel(f"http://127.0.0.1:{port}{path}", headers, b"<a/>", timeout_seconds)


async def sent_to(answering: Answering, *, timeout_seconds: float = 10) -> Outcome:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answering(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server:
        return await post(parcel(server.sockets[0].getsockname()[1], timeout_seconds=timeout_seconds))


def saying(answer: bytes, seen: list[bytes] | None = None) -> Answering:
    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.readuntil(b"<a/>")
        if seen is not None:
            seen.append(heard)
        writer.write(answer)
        await writer.drain()

    return answering


async def test_a_parcel_is_one_post_with_its_headers_as_they_are_spelt() -> None:
    seen: list[bytes] = []
    outcome = await sent_to(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<b/>", seen))
    assert outcome == Outcome(200, b"<b/>")
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "POST /notices?a=1 HTTP/1.1"
    assert lines[1].startswith("Host: 127.0.0.1:")
    assert lines[2:] == ["Content-Type: text/xml", "x-Odd: 1", "Content-Length: 4", "Connection: close", "", "<a/>"]


async def test_an_answer_in_chunks_and_one_without_a_length_are_read() -> None:
    chunked = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    assert await sent_to(saying(chunked)) == Outcome(503, b"abc")
    assert await sent_to(saying(b"HTTP/1.0 200 OK\r\n\r\nabc")) == Outcome(200, b"abc")


async def test_what_goes_wrong_is_told() -> None:
    assert await sent_to(saying(b"no HTTP\r\n")) == Outcome(error="BadStatusLine")
    assert await sent_to(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")) == Outcome(error="IncompleteRead")
    assert await post(parcel(1)) == Outcome(error="ConnectionRefusedError")
    assert await post(Parcel("ftp://127.0.0.1/", (), b"", 1)) == Outcome(error="ValueError")

    async def waiting(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    assert await sent_to(waiting, timeout_seconds=0.1) == Outcome(error="timeout")


async def test_a_slow_receiver_holds_nobody_up() -> None:
    free = asyncio.Event()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if b"slow" in line:
            await free.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    courier, told = Courier(), asyncio.Queue[str]()
    running = asyncio.create_task(courier.run())
    async with server:
        port = server.sockets[0].getsockname()[1]
        for name in ("slow", "fast"):
            courier.send(parcel(port, path=f"/{name}"), lambda _, name=name: told.put_nowait(name))  # type: ignore[misc]
        assert await asyncio.wait_for(told.get(), 10) == "fast"
        free.set()
        assert await asyncio.wait_for(told.get(), 10) == "slow"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
