"""Prints notes in processes of their own, a few at a time, each bounded in time, memory and size."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from hanro.errors import Rejected, Retryable

SCRIPT = Path(__file__).with_name("press.py")
TIME_LIMIT = timedelta(seconds=60)
LARGEST_FILE = 32 * 1024 * 1024
PRESSES = 2
LONGEST_QUEUE = 16
AT_ONCE = 50
"""Notes that are set at once: 130 MB of memory, a third of a second; all 500 of a file at once would take 1 GB."""


class PrintingFailed(Exception):
    """The press failed without running out of time: a bug of ours; what it said is not told, it would quote a buyer."""


class Press:
    """Print files; `presses` processes at once in this process, callers wait for a free one."""

    def __init__(
        self,
        *,
        time_limit: timedelta = TIME_LIMIT,
        largest_file: int = LARGEST_FILE,
        presses: int = PRESSES,
        longest_queue: int = LONGEST_QUEUE,
    ) -> None:
        self._time_limit = time_limit
        self._largest_file = largest_file
        self._free = asyncio.Semaphore(presses)
        self._longest_queue = longest_queue
        self._waiting = 0

    async def print(self, notes: Sequence[Mapping[str, Any]]) -> bytes:
        """Give a PDF of notes, as `delivery_notes.write` wrote them, each beginning on a page of its own.

        Raises:
            Retryable: too many wait for a press already (throttled).
            Rejected: it takes too long, or the file is too large (document-too-large).
            PrintingFailed: the press failed.
        """
        return await self._run("set", json.dumps(notes, ensure_ascii=False).encode())

    async def bind(self, files: Sequence[bytes]) -> bytes:
        """Give one PDF of several, in their order; raises as `print` does."""
        if len(files) == 1:
            return files[0]
        lengths = json.dumps([len(file) for file in files]).encode()
        return await self._run("bind", b"\n".join((lengths, b"".join(files))))

    async def _run(self, deed: Literal["set", "bind"], given: bytes) -> bytes:
        if self._waiting >= self._longest_queue:
            raise Retryable("Too many documents are being printed.", code="throttled")
        self._waiting += 1
        try:
            async with self._free:
                file = await self._press(deed, given)
        finally:
            self._waiting -= 1
        if len(file) > self._largest_file:
            raise _too_large()
        return file

    async def _press(self, deed: str, given: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(SCRIPT),
            deed,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # Nothing of what this process was told by its environment.
            env={},
        )
        try:
            async with asyncio.timeout(self._time_limit.total_seconds()):
                file, _ = await process.communicate(given)
        except TimeoutError:
            raise _too_large() from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if process.returncode:
            raise PrintingFailed(f"the press ended with {process.returncode}")
        return file


def _too_large() -> Rejected:
    return Rejected(
        "The document takes too long to print, or is too large: print fewer orders at once.", code="document-too-large"
    )
