"""Something is kept open on a loop of its own: opened once, used from outside, closed at the end, failures told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from hanro_local.background import in_background


@contextlib.asynccontextmanager
async def opening(seen: list[str], *, fails: str = "") -> AsyncIterator[str]:
    if fails == "at start":
        raise LookupError(fails)
    # A task group demands to be left by the task that entered it.
    async with asyncio.TaskGroup():
        seen.append("open")
        yield "value"
        seen.append("closed")
    if fails == "at end":
        raise LookupError(fails)


def test_what_is_open_is_used_from_outside_and_closed_at_the_end() -> None:
    seen: list[str] = []

    async def shout(text: str) -> str:
        await asyncio.sleep(0)
        return text.upper()

    with in_background(opening(seen), name="kept") as kept:
        assert kept.do(shout(kept.value)) == "VALUE"
        assert seen == ["open"]
    assert seen == ["open", "closed"]
    assert kept.loop.is_closed()


@pytest.mark.parametrize("fails", ["at start", "at end"])
def test_a_failure_to_open_or_to_close_is_told(fails: str) -> None:
    with pytest.raises(LookupError, match=fails), in_background(opening([], fails=fails), name="kept"):
        pass
