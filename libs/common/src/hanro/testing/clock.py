"""Tells the time that a test says."""

import asyncio
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FixedClock:
    """Stand still until a test moves it; who sleeps wakes when the clock passes the time, earliest first.

    With `is_moved_by_sleep` a sleep takes no real time and moves the clock itself: for one loop that waits and repeats.
    """

    def __init__(self, start: datetime = EPOCH, *, is_moved_by_sleep: bool = False) -> None:
        if start.utcoffset() is None:
            raise ValueError("a clock starts at an aware time")
        self._start = start.astimezone(UTC)
        self._passed = timedelta()
        self._is_moved_by_sleep = is_moved_by_sleep
        self._sleepers: list[tuple[timedelta, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Give the time, aware, UTC."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Give the seconds that were advanced since the start."""
        return self._passed.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced that far; 0 or less only lets others run."""
        if seconds <= 0:
            await asyncio.sleep(0)
        elif self._is_moved_by_sleep:
            self.advance(seconds)
            await asyncio.sleep(0)
        else:
            woken = asyncio.get_running_loop().create_future()
            self._sleepers.append((self._passed + timedelta(seconds=seconds), woken))
            await woken

    def advance(self, by: timedelta | float) -> None:
        """Move the clock forward (seconds or a timedelta) and wake whose time has come."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if step < timedelta():
            raise ValueError("a clock never goes back")
        self._passed += step
        self._sleepers.sort(key=lambda sleeper: sleeper[0])
        while self._sleepers and self._sleepers[0][0] <= self._passed:
            _, woken = self._sleepers.pop(0)
            if not woken.done():  # its task may have been cancelled
                woken.set_result(None)

    @property
    def sleeper_count(self) -> int:
        """Tell how many sleep now; a test waits for it before it advances."""
        return sum(not woken.done() for _, woken in self._sleepers)
