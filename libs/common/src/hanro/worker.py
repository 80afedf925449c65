"""Runs a service's process: named loops and HTTP servers in one task group, drained in order at SIGTERM."""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI

from hanro.clock import Clock
from hanro.db import Database, is_passing, revision
from hanro.log import logger
from hanro.settings import SettingsRefused, refusals_told

DRAIN = timedelta(seconds=10)
REQUESTS_DRAIN_SECONDS = 10
RELAY_DRAIN = timedelta(seconds=10)
# Who stops a process kills it after this long; the servers and the relay come behind the loops.
GRACE = timedelta(seconds=75)
LONGEST_DRAIN = GRACE - timedelta(seconds=REQUESTS_DRAIN_SECONDS) - RELAY_DRAIN - timedelta(seconds=5)
CLOSE_SECONDS = 2.0
READY_SECONDS = 0.5
LARGEST_HEAD = 64 * 1024
BACKLOG = 512
BROKEN = 1

Loop = Callable[[asyncio.Event], Awaitable[None]]

_log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Be an application and where it listens; `name` is for logs ("public", "internal"); port 0 takes a free one."""

    name: str
    app: FastAPI
    host: str
    port: int


class PortTaken(SettingsRefused):
    """Another process listens where the settings say; the text is one line that names the address and the remedy."""


class LoopEnded(Exception):
    """A loop returned although nobody asked it to stop: a bug."""


class Readiness:
    """Know whether the database answered once, with a schema revision at or after `wanted`; never asks again.

    Revisions are compared as text: `0001` comes before `0002`.
    """

    def __init__(self, db: Database, *, wanted: str, clock: Clock) -> None:
        self._db = db
        self._wanted = wanted
        self._clock = clock
        self._missing: str | None = "the database has not answered yet"

    def missing(self) -> str | None:
        """Say what the process still waits for; None once it is ready, for good."""
        return self._missing

    async def wait(self, stop: asyncio.Event) -> bool:
        """Wait until ready, asking twice a second; False where `stop` was set first."""
        said: str | None = None
        while not stop.is_set():
            self._missing = await self._ask()
            if self._missing is None:
                _log.info("worker.ready", version=self._wanted)
                return True
            if self._missing != said:
                said = self._missing
                _log.warning("worker.waiting", why=said)
            await self._clock.sleep(READY_SECONDS)
        return False

    async def _ask(self) -> str | None:
        try:
            found = await revision(self._db)
        except Exception as error:
            if not is_passing(error):
                raise
            return "the database has not answered yet"
        if found is None or found < self._wanted:
            return f"the schema is at revision {found or 'none'}, {self._wanted} is needed: run migrate"
        return None


async def run(
    loops: Mapping[str, Loop],
    *,
    readiness: Readiness,
    early: Mapping[str, Loop] | None = None,
    listeners: Sequence[Listener] = (),
    relay: Loop | None = None,
    drain: timedelta = DRAIN,
    drains: Mapping[str, timedelta] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, or until a loop fails or ends by itself.

    Listeners and `early` loops are up at once, the others when ready. At a signal: `stop` is set for all loops, each
    has `drain` (or its own in `drains`, 50 s at most: a sender waits for its call's deadline), then is cancelled; then
    the servers finish; the relay stops last, so that what was recorded leaves: all in 75 s. A loop that raises ends it.

    Raises:
        PortTaken: a listener's port is in use.
        ExceptionGroup: a loop's bug.
    """
    calm_collector()
    bound = [(listener, _bind(listener)) for listener in listeners]
    told, servers_stop, relay_stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    with _signals(told):
        async with asyncio.TaskGroup() as group:
            serving = [group.create_task(_serve(listener, at, servers_stop)) for listener, at in bound]
            stopping = group.create_task(told.wait())
            running = [
                group.create_task(_guarded(name, loop, told, drain), name=name) for name, loop in (early or {}).items()
            ]
            if not await _first(readiness.wait(told), told):
                loops, relay = {}, None
            relaying = group.create_task(_guarded("relay", relay, relay_stop, RELAY_DRAIN)) if relay else None
            running += [
                group.create_task(
                    _guarded(name, loop, told, min((drains or {}).get(name, drain), LONGEST_DRAIN)), name=name
                )
                for name, loop in loops.items()
            ]
            await stopping
            await asyncio.gather(*running)
            servers_stop.set()
            await asyncio.gather(*serving)
            relay_stop.set()
            if relaying:
                await relaying
    _log.info("worker.stopped")


def main(service: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an async function as the process, on uvloop where it exists; exit 0, 1 after a bug, 2 for settings or port.

    What is refused at start is said in plain lines on standard error; a bug stands in the log.
    """
    try:
        with refusals_told(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(service())
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    except Exception as error:  # noqa: BLE001  the last one to say it
        _log.error("worker.bug", exc_info=error)
        raise SystemExit(BROKEN) from None


def calm_collector() -> None:
    """Leave what was imported out of garbage collection, and collect less often.

    Consumers decode thousands of short-lived facts a second: with Python's own thresholds each batch is looked through
    many times, which cost nearly half of their rate.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _first(work: Coroutine[Any, Any, bool], told: asyncio.Event) -> bool:
    """Give what `work` gives, False as soon as the process is told to stop."""
    task = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(told.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return task.done() and task.result()
    finally:
        for pending in (task, stopping):
            pending.cancel()
        await asyncio.gather(task, stopping, return_exceptions=True)


async def _guarded(name: str, loop: Loop, stop: asyncio.Event, drain: timedelta) -> None:
    """Run a loop to its end after `stop`; cancel it when it takes longer than `drain`."""
    running = asyncio.ensure_future(loop(stop))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            await running
            raise LoopEnded(f"the loop {name} ended by itself")  # noqa: TRY301  logged like what a loop raises
        await asyncio.wait({running}, timeout=drain.total_seconds())
        if not running.done():
            _log.warning("worker.loop_cancelled", loop=name, seconds=drain.total_seconds())
            running.cancel()
            await asyncio.wait({running})
        if not running.cancelled():
            await running
    except Exception as error:
        _log.error("worker.loop_failed", loop=name, exc_info=error)
        raise
    finally:
        for pending in (running, stopping):
            pending.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)


async def _serve(listener: Listener, at: socket.socket, stop: asyncio.Event) -> None:
    config = uvicorn.Config(
        listener.app,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_graceful_shutdown=REQUESTS_DRAIN_SECONDS,
        timeout_keep_alive=30,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[at]))
    stopping = asyncio.ensure_future(stop.wait())
    host, port = at.getsockname()[:2]
    _log.info("worker.listening", listener=listener.name, host=host, port=port)
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        if not stop.is_set():
            raise LoopEnded(f"the server {listener.name} ended by itself")
    finally:
        # Cancelled outright it would leave its sockets open.
        server.should_exit = server.force_exit = True
        await asyncio.wait({serving}, timeout=CLOSE_SECONDS)
        stopping.cancel()
        serving.cancel()
        await asyncio.gather(serving, stopping, return_exceptions=True)
        at.close()


class _Server(uvicorn.Server):
    """Leave signals to `run`: uvicorn would stop the servers before the loops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _signals(told: asyncio.Event) -> Iterator[None]:
    running = asyncio.get_running_loop()

    def tell() -> None:
        _log.info("worker.draining")
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, tell)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            running.remove_signal_handler(number)


def _bind(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    at = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        at.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        at.bind((listener.host, listener.port))
        # Listening already here: a second process that binds the same port would only fail then.
        at.listen(BACKLOG)
    except OSError as error:
        at.close()
        if error.errno not in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
            raise
        where = f"{listener.host}:{listener.port}"
        raise PortTaken(
            f"cannot listen on {where} ({listener.name}): {error.strerror}; free it or set another port"
        ) from None
    at.setblocking(False)  # noqa: FBT003  the socket module's own signature
    return at


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415  not on every platform

    return uvloop.new_event_loop
