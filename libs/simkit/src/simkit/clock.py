"""Tells a simulator's time: real time plus an offset that tests move, with timers that fire when it passes them."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Action = Callable[[datetime], None]

# A timer further away than this is looked at again: real clocks are stepped by the machine's own keeping of time.
_LONGEST_WAIT = timedelta(seconds=60)
# Far from the ends of the calendar: what a simulator plans from a moment (a key's end, a night) exists too.
EARLIEST_YEAR, LATEST_YEAR = 1970, 2199


def _real_now() -> datetime:
    return datetime.now(UTC)


@dataclass(order=True)
class Timer:
    """Hold one action that is due at `due_at`; equal times fire in the order in which they were set."""

    due_at: datetime
    number: int
    action: Action = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Keep the action from running; harmless when it ran already."""
        self.is_cancelled = True


class Clock:
    """Keep virtual time: aware UTC, real time plus an offset.

    `monotonic` never goes back: jumps forward count, jumps back do not. A jump runs the timers that it passes, in the
    order of their times, before it returns. `real_now` and `real_monotonic` are replaced only to test the clock itself.
    """

    def __init__(
        self, real_now: Callable[[], datetime] = _real_now, real_monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._real_now = real_now
        self._real_monotonic = real_monotonic
        self._offset = timedelta()
        self._forward = 0.0
        self._timers: list[Timer] = []
        self._numbers = itertools.count(1)
        self._listeners: list[Callable[[timedelta], None]] = []
        self._changed = asyncio.Event()
        self._is_firing = False

    @property
    def offset(self) -> timedelta:
        """Tell how far virtual time is ahead of real time; negative when behind."""
        return self._offset

    def now(self) -> datetime:
        """Tell the virtual time, aware UTC."""
        return self._real_now() + self._offset

    def monotonic(self) -> float:
        """Tell seconds that never go back; only differences mean something."""
        return self._real_monotonic() + self._forward

    def set_offset(self, offset: timedelta) -> None:
        """Move virtual time to real time plus `offset`, run what became due, then tell the listeners the jump.

        Raises:
            OverflowError: EARLIEST_YEAR to LATEST_YEAR would be left; nothing has changed.
        """
        if not EARLIEST_YEAR <= (self._real_now() + offset).year <= LATEST_YEAR:
            raise OverflowError(f"only the years {EARLIEST_YEAR} to {LATEST_YEAR} can be played")
        jump = offset - self._offset
        self._offset = offset
        self._forward += max(0.0, jump.total_seconds())
        self.fire_due()
        self._changed.set()
        for listener in tuple(self._listeners):
            listener(jump)

    def set_now(self, now: datetime) -> None:
        """Move virtual time to `now`.

        Raises:
            ValueError: `now` has no zone.
        """
        if now.tzinfo is None:
            raise ValueError("now must have a zone, like 2026-01-31T09:00:00Z")
        self.set_offset(now - self._real_now())

    def advance(self, step: timedelta) -> None:
        """Move virtual time by `step` from where it is; negative goes back."""
        self.set_offset(self._offset + step)

    def listen(self, listener: Callable[[timedelta], None]) -> None:
        """Call `listener` with the size of each jump, after the timers that the jump made due."""
        self._listeners.append(listener)

    def at(self, due_at: datetime, action: Action) -> Timer:
        """Run `action(due_at)` once virtual time reaches `due_at`, by passing or by a jump.

        A time that has passed already fires at the next look, never inside this call.

        Raises:
            ValueError: `due_at` has no zone.
        """
        if due_at.tzinfo is None:
            raise ValueError("due_at must have a zone")
        timer = Timer(due_at=due_at.astimezone(UTC), number=next(self._numbers), action=action)
        heapq.heappush(self._timers, timer)
        self._changed.set()
        return timer

    def fire_due(self) -> int:
        """Run every timer that is due, earliest first, and tell how many ran.

        An action may set further timers; those already due run in the same call.
        """
        if self._is_firing:
            # An action that moves the clock: the outer loop goes on with the new time.
            return 0
        self._is_firing = True
        fired = 0
        try:
            while self._timers and self._timers[0].due_at <= self.now():
                timer = heapq.heappop(self._timers)
                if not timer.is_cancelled:
                    timer.action(timer.due_at)
                    fired += 1
        finally:
            self._is_firing = False
        return fired

    def reset(self) -> None:
        """Forget offset and timers; listeners stay, monotonic time goes on."""
        self._timers.clear()
        self._offset = timedelta()
        self._changed.set()

    async def run(self) -> None:
        """Fire timers as time passes; never returns."""
        while True:
            self._changed.clear()
            self.fire_due()
            wait = _LONGEST_WAIT
            if self._timers:
                wait = min(wait, max(timedelta(), self._timers[0].due_at - self.now()))
            try:
                async with asyncio.timeout(wait.total_seconds()):
                    await self._changed.wait()
            except TimeoutError:
                continue
