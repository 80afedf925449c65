"""Waits: until time has passed or something was said, and longer after each failure."""

import asyncio
import random

from hanro.clock import Clock


async def rest(clock: Clock, seconds: float, *until: asyncio.Event) -> None:
    """Wait, but no longer than until one of the events is set."""
    if any(event.is_set() for event in until):
        return
    waits = [asyncio.ensure_future(clock.sleep(seconds)), *(asyncio.ensure_future(event.wait()) for event in until)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


class Backoff:
    """Give longer and longer pauses, in seconds, with jitter: those who failed together do not come back together."""

    def __init__(self, first: float = 0.1, most: float = 5.0) -> None:
        self._first = first
        self._most = most
        self._next = first

    def pause(self) -> float:
        """Give the next pause: between half and all of twice the one before, `most` at most."""
        pause = self._next
        self._next = min(self._most, 2 * self._next)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  no secret

    def reset(self) -> None:
        """Start again with the first: it worked."""
        self._next = self._first
