"""Proves that clocks tell UTC, that a file moves the system's, and that a fixed one wakes its sleepers."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hanro.clock import SECONDS_BETWEEN_LOOKS, Clock, SystemClock
from hanro.testing.clock import FixedClock

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def drift(clock: Clock) -> timedelta:
    """Tell how far a clock is from the machine's."""
    return clock.now() - datetime.now(UTC)


def test_the_system_clock_tells_utc() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta()
    assert abs(drift(clock)) < timedelta(seconds=1)


async def test_an_offset_file_moves_wall_time_alone_and_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = SystemClock(file)
    assert abs(drift(clock)) < timedelta(seconds=1)
    for seconds in (3600.5, -7200.0):
        file.write_text(f"{seconds}\n")
        await clock.sleep(SECONDS_BETWEEN_LOOKS * 1.5)
        monotonic = clock.monotonic()
        assert abs(drift(clock) - timedelta(seconds=seconds)) < timedelta(seconds=1)
        assert 0 <= clock.monotonic() - monotonic < 1


async def test_an_offset_file_that_is_emptied_for_a_moment_moves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    file.write_text("60")
    clock = SystemClock(file)
    clock.now()
    file.write_text("")
    await clock.sleep(SECONDS_BETWEEN_LOOKS * 1.5)
    assert abs(drift(clock) - timedelta(seconds=60)) < timedelta(seconds=1)


def test_a_fixed_clock_stands_until_it_is_advanced() -> None:
    clock = FixedClock(START)
    assert (clock.now(), clock.monotonic()) == (START, 0.0)
    clock.advance(timedelta(minutes=1))
    clock.advance(0.5)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=60.5), 60.5)


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = FixedClock(START)
    woken: list[int] = []

    async def sleep(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for seconds in (3, 1, 2):
            tasks.create_task(sleep(seconds))
        await asyncio.sleep(0)
        assert clock.sleeper_count == 3
        clock.advance(2)
        await asyncio.sleep(0)
        assert woken == [1, 2]
        clock.advance(1)
    assert woken == [1, 2, 3]


async def test_a_sleeper_that_was_cancelled_hinders_nobody() -> None:
    clock = FixedClock(START)
    gone, there = asyncio.create_task(clock.sleep(1)), asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    assert clock.sleeper_count == 1
    clock.advance(1)
    await asyncio.wait_for(there, 20)


async def test_a_clock_that_sleep_moves_takes_no_real_time() -> None:
    clock = FixedClock(START, is_moved_by_sleep=True)
    async with asyncio.timeout(20):
        await clock.sleep(3600)
        await clock.sleep(-1)
    assert clock.now() == START + timedelta(hours=1)


def test_a_fixed_clock_refuses_a_naive_start_and_the_way_back() -> None:
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001  that is what is refused
    with pytest.raises(ValueError, match="never goes back"):
        FixedClock(START).advance(-1)
