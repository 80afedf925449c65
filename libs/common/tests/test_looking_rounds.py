"""Tests of rounds: at once while there is work, after a rest when there is none, and on while the database is away."""

import asyncio

import pytest

from hanro.log import logger
from hanro.rounds import keep_looking
from hanro.testing.clock import FixedClock

LOG = logger(__name__)
SECONDS = 7.0


async def looked(*said: int | Exception) -> tuple[float, int]:
    """Look until all was said; give the seconds that were rested and how often it looked."""
    clock, stop, left = FixedClock(is_moved_by_sleep=True), asyncio.Event(), list(said)

    async def look() -> int:
        answer = left.pop(0)
        if not left:
            stop.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    await keep_looking(
        look,
        clock=clock,
        seconds=SECONDS,
        stop=stop,
        log=LOG,
        trouble="the database is away",
        is_borne=lambda error: isinstance(error, ConnectionError),
    )
    return clock.monotonic(), len(said) - len(left)


async def test_work_is_looked_for_again_at_once_and_after_a_rest_where_there_was_none() -> None:
    assert await looked(1, 5, 1) == (0, 3)
    assert await looked(1, 0, 0, 1) == (2 * SECONDS, 4)


async def test_an_error_that_is_borne_is_as_no_work_and_any_other_ends_it() -> None:
    assert await looked(ConnectionError(), 1) == (SECONDS, 2)
    with pytest.raises(ZeroDivisionError):
        await looked(ZeroDivisionError(), 1)
