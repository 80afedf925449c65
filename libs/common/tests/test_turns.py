"""Turns on a loop: one at a time, in their order, and a loop of its own has its own."""

import asyncio

from hanro.turns import turn


async def test_who_computes_is_followed_by_the_next_only_when_done_and_others_answer_meanwhile() -> None:
    told: list[str] = []

    async def compute(name: str) -> None:
        async with turn():
            for _ in range(3):
                told.append(name)
                await asyncio.sleep(0)

    async def answer() -> None:
        told.append("answer")

    await asyncio.gather(compute("a"), compute("b"), answer())
    assert told == ["a", "answer", "a", "a", "b", "b", "b"]


async def test_whoever_is_cancelled_or_fails_gives_the_turn_back() -> None:
    async def hang() -> None:
        async with turn():
            await asyncio.sleep(60)

    async def fail() -> None:
        async with turn():
            raise ZeroDivisionError

    first, second = asyncio.create_task(hang()), asyncio.create_task(fail())
    await asyncio.sleep(0)
    first.cancel()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(one) for one in results] == [asyncio.CancelledError, ZeroDivisionError]
    async with asyncio.timeout(20), turn():
        pass


def test_each_loop_has_its_own_turn() -> None:
    async def contend() -> asyncio.Lock:
        async def take() -> None:
            async with turn():
                await asyncio.sleep(0)

        await asyncio.gather(take(), take())
        return turn()

    assert asyncio.run(contend()) is not asyncio.run(contend())
