"""Tells the time to those who are given a clock; nobody else reads one."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

SECONDS_BETWEEN_LOOKS = 0.05


class Clock(Protocol):
    """Tell wall time and passing time."""

    def now(self) -> datetime:
        """Give the time, aware, UTC."""

    def monotonic(self) -> float:
        """Give seconds that never go back, from an arbitrary start; for leases and pacing."""

    async def sleep(self, seconds: float) -> None:
        """Wait; 0 or less only lets others run."""


class SystemClock:
    """Be the machine's clock, moved by an offset where a test names a file that holds one.

    `offset_file` holds seconds as text; it is read again when it changes, at most every 50 ms. Only wall time moves.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file
        self._offset = timedelta()
        self._looked_at = float("-inf")

    def now(self) -> datetime:
        """Give the time, aware, UTC."""
        return datetime.now(UTC) + self._read_offset()

    def monotonic(self) -> float:
        """Give the machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(max(0.0, seconds))

    def _read_offset(self) -> timedelta:
        if self._offset_file is None:
            return self._offset
        looked_at = time.monotonic()
        if looked_at - self._looked_at >= SECONDS_BETWEEN_LOOKS:
            self._looked_at = looked_at
            # A file that is not there yet says nothing: the test has not moved time.
            text = self._offset_file.read_text() if self._offset_file.exists() else ""
            self._offset = timedelta(seconds=float(text)) if text.strip() else self._offset
        return self._offset
