"""Waiting for the broker: whatever aiokafka lets out, the caller hears one word and never dies in silence."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from hanro.broker import BrokerAway
from hanro.broker.answers import answered


async def _give(value: int) -> int:
    return value


async def _fail(error: BaseException) -> int:
    raise error


async def test_an_answer_is_passed_on() -> None:
    assert await answered("asking", _give(7), 1.0) == 7


@pytest.mark.parametrize("error", [KafkaConnectionError(), ConnectionResetError(), asyncio.CancelledError()])
async def test_what_breaks_inside_means_away(error: BaseException) -> None:
    with pytest.raises(BrokerAway, match="asking"):
        await answered("asking", _fail(error), 1.0)


async def test_silence_means_away() -> None:
    with pytest.raises(BrokerAway, match="no answer"):
        await answered("asking", asyncio.Event().wait(), 0.05)


async def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(KeyError):
        await answered("asking", _fail(KeyError("x")), 1.0)


async def test_who_is_cancelled_takes_the_work_along() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.ensure_future(answered("asking", work(), 10.0))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert ended.is_set()
