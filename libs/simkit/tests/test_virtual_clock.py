"""The virtual clock: jumps, timers, monotonic time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from simkit.clock import Clock

START = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


def frozen_clock() -> Clock:
    return Clock(real_now=lambda: START, real_monotonic=lambda: 100.0)


def test_a_jump_fires_what_it_passes_in_order_of_time_and_leaves_the_rest() -> None:
    clock = frozen_clock()
    fired: list[tuple[str, datetime]] = []
    clock.at(START + timedelta(hours=2), lambda due: fired.append(("second", due)))
    clock.at(START + timedelta(hours=1), lambda due: fired.append(("first", due)))
    clock.at(START + timedelta(hours=1), lambda due: fired.append(("also first, later set", due)))
    clock.at(START + timedelta(hours=9), lambda due: fired.append(("never", due)))
    clock.advance(timedelta(hours=3))
    assert fired == [
        ("first", START + timedelta(hours=1)),
        ("also first, later set", START + timedelta(hours=1)),
        ("second", START + timedelta(hours=2)),
    ]


def test_a_timer_fires_once_although_time_goes_back_and_comes_again() -> None:
    clock = frozen_clock()
    fired: list[datetime] = []
    clock.at(START + timedelta(seconds=1), fired.append)
    clock.advance(timedelta(seconds=2))
    clock.advance(timedelta(seconds=-2))
    clock.advance(timedelta(seconds=2))
    assert fired == [START + timedelta(seconds=1)]


def test_a_timer_set_by_a_timer_fires_in_the_same_jump_when_it_is_due() -> None:
    clock = frozen_clock()
    fired: list[datetime] = []

    def ship(due: datetime) -> None:
        fired.append(due)
        clock.at(due + timedelta(days=1), fired.append)

    clock.at(START + timedelta(days=1), ship)
    clock.advance(timedelta(days=5))
    assert fired == [START + timedelta(days=1), START + timedelta(days=2)]


def test_a_cancelled_timer_stays_silent() -> None:
    clock = frozen_clock()
    fired: list[datetime] = []
    clock.at(START, fired.append).cancel()
    clock.advance(timedelta(days=1))
    assert fired == []


def test_monotonic_time_goes_on_with_jumps_forward_and_never_back() -> None:
    clock = frozen_clock()
    clock.advance(timedelta(seconds=30))
    clock.advance(timedelta(seconds=-20))
    assert clock.now() == START + timedelta(seconds=10)
    assert clock.monotonic() == 130.0


def test_listeners_learn_the_jump_after_the_timers_ran() -> None:
    clock = frozen_clock()
    seen: list[object] = []
    clock.at(START + timedelta(seconds=5), lambda _due: seen.append("timer"))
    clock.listen(seen.append)
    clock.set_now(START + timedelta(seconds=5))
    assert seen == ["timer", timedelta(seconds=5)]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        frozen_clock().set_now(datetime(2026, 1, 1))  # noqa: DTZ001  this is what is refused


async def test_a_timer_fires_by_real_passage_also_when_it_was_set_while_waiting() -> None:
    clock = Clock()
    fired = asyncio.Event()
    running = asyncio.create_task(clock.run())
    await asyncio.sleep(0.01)
    clock.at(clock.now() + timedelta(milliseconds=30), lambda _due: fired.set())
    async with asyncio.timeout(20):
        await fired.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
