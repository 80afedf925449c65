"""Tells a person at the terminal what happens: numbered steps with seconds, and never silence for long."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable

SECONDS_BETWEEN_LINES = 4.0


def say(line: str) -> None:
    """Write a line to standard output at once; a reader that has gone asks us to stop, as SIGTERM does."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        # What still comes goes nowhere, also what Python flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        os.kill(os.getpid(), signal.SIGTERM)


class Step:
    """One numbered step; what `detail` returns stands in each of its lines, `result` in its last."""

    def __init__(self) -> None:
        self.detail: Callable[[], str] = str
        self.result = "ready"


class Steps:
    """The numbered steps of one command. Steps may overlap: the number counts those that are done."""

    def __init__(self, count: int, report: Callable[[str], None], *, now: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._report = report
        self._now = now
        self._done = 0

    @contextlib.asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[Step]:
        """Report a step: a line every 4 s while it lasts, and one with its result and duration when it succeeds."""
        began = self._now()
        step = Step()

        async def tell() -> None:
            while True:
                await asyncio.sleep(SECONDS_BETWEEN_LINES)
                seen = f" {detail}," if (detail := step.detail()) else ""
                self._report(f"[{self._done + 1}/{self._count}] {title} …{seen} {self._now() - began:.0f} s")

        teller = asyncio.create_task(tell())
        try:
            yield step
        finally:
            teller.cancel()
        self._done += 1
        self._report(f"[{self._done}/{self._count}] {title}: {step.result}, {self._now() - began:.1f} s")
