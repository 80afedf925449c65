"""Keeps something open on an event loop in a thread of its own: a test's own loop comes and goes."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

START_SECONDS = 400.0
STOP_SECONDS = 400.0

Value = TypeVar("Value")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Background(Generic[Value]):
    """Be what stays open, and the loop that it lives on."""

    value: Value
    loop: asyncio.AbstractEventLoop = field(repr=False)

    def do(self, work: Coroutine[object, object, Result]) -> Result:
        """Run a coroutine on that loop, from another thread, and give its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(START_SECONDS)


@contextlib.contextmanager
def in_background(opening: contextlib.AbstractAsyncContextManager[Value], *, name: str) -> Iterator[Background[Value]]:
    """Keep `opening` entered while the block lasts; `name` is its thread's.

    Raises:
        TimeoutError: it did not open or not close within 400 s.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    closing = asyncio.Event()
    opened: asyncio.Future[Value] = loop.create_future()
    # One task both enters and leaves, because a task group demands it.
    holding = asyncio.run_coroutine_threadsafe(_hold(opening, opened, closing), loop)
    try:
        yield Background(asyncio.run_coroutine_threadsafe(_result(opened), loop).result(START_SECONDS), loop)
    finally:
        loop.call_soon_threadsafe(closing.set)
        holding.result(STOP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _hold(
    opening: contextlib.AbstractAsyncContextManager[Value], opened: "asyncio.Future[Value]", closing: asyncio.Event
) -> None:
    try:
        async with opening as value:
            opened.set_result(value)
            await closing.wait()
    except BaseException as error:
        if opened.done():
            raise
        opened.set_exception(error)


async def _result(opened: "asyncio.Future[Value]") -> Value:
    return await opened
