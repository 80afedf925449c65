"""Lets one piece of long computing of a process go on at a time, while short answers come in between."""

import asyncio
from weakref import WeakKeyDictionary

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def turn() -> asyncio.Lock:
    """Give the one turn of the running loop, to be held around computing that yields now and then (`sleep(0)`).

    Two that compute by turns of a millisecond end together, and then wait for the database together while the processor
    idles: one after the other, each one's waiting is the other one's computing. Never wait for I/O inside.
    """
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
