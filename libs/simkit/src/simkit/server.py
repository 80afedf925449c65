"""Runs an application on one port until SIGTERM, with its timers and its relay beside it."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

TRANSPORT = "simkit.transport"
_LAST_PORT = 65_535

Companion = Callable[[], Coroutine[Any, Any, None]]


class _Server(uvicorn.Server):
    """Serve until a signal, and then return: uvicorn raises the signal again, which skips what comes after."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT while serving, where the thread may."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class ExactProtocol(H11Protocol):
    """Hand the transport to the application.

    h11 keeps the spelling of header names and writes `Connection: close` alone by itself; httptools is never used, so
    that all machines answer alike.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        inner = self.app

        async def exact(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = self.transport
            await inner(scope, receive, send)

        self.app = exact

    def _should_upgrade(self) -> bool:
        """Never upgrade, and say nothing: Java's client asks for HTTP/2 with each of its requests."""
        return False


def read_port(text: str) -> int:
    """Read a port of a command line; 0 asks for a free one.

    Raises:
        argparse.ArgumentTypeError: no whole number, or none that a port has.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_LAST_PORT)) and int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return int(text)


def bind(host: str, port: int) -> socket.socket:
    """Take a listening socket; port 0 takes a free one.

    Raises:
        OSError: the port is taken or the address is not ours.
    """
    try:
        listening = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        # Errors of name resolution have negative numbers and words of their own.
        number = error.errno or 0
        why = os.strerror(number) if number > 0 else error.strerror
        raise OSError(error.errno, f"port {port} of {host}: {why}") from error
    listening.settimeout(0)
    return listening


async def _stop_with(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


async def serve(
    app: ASGIApp, listening: socket.socket, beside: Sequence[Companion] = (), stop: asyncio.Event | None = None
) -> None:
    """Serve until SIGTERM, SIGINT or `stop`; what is under way has 1 s then, before all connections are closed.

    `beside` makes what runs as long as the server does; an exception in it ends the process: a simulator with a dead
    timer would give answers that nobody may trust.
    """
    config = uvicorn.Config(
        app,
        http=ExactProtocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    # What a client cut off on purpose is no error of ours.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        companions = [group.create_task(companion()) for companion in beside]
        if stop is not None:
            companions.append(group.create_task(_stop_with(server, stop)))
        await server.serve(sockets=[listening])
        for companion in companions:
            companion.cancel()


def run(main: Coroutine[Any, Any, None]) -> int:
    """Run a simulator's `main` and give the exit code; a taken port is one line on standard error."""
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(main)
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        sys.stderr.write(f"cannot start: {where}{error.strerror or error}\n")
        return 1
    return 0
