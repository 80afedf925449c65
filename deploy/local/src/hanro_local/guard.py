"""Ends every child once the command that started them is gone, whatever ended it. Standard library alone.

The guard is a process of its own that reads a pipe whose other end only its parent holds. A parent that ends, also
by SIGKILL, closes the pipe; then the guard asks all registered children to stop, kills after `GRACE_SECONDS` what is
left, and ends.
"""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hanro_local.process_table import Target, end

GRACE_SECONDS = 5.0
REMOVE_SECONDS = 300.0
"""Deleting the databases and logs of a whole run takes half a minute where others keep disk and processor busy."""


class Guard:
    """The parent's end of the pipe; a guard that was killed is replaced at the next word to it."""

    def __init__(self) -> None:
        self._targets: dict[int, Target] = {}
        self._folders: list[Path] = []
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The guard's own process number."""
        return self._process.pid

    def add(self, target: Target) -> None:
        """End this child too when the parent is gone."""
        self._targets[target.pid] = target
        self._say({"add": target.pid, "started": target.started, "signal": target.stop_signal})

    def drop(self, pid: int) -> None:
        """Forget a child that has ended."""
        self._targets.pop(pid, None)
        self._say({"drop": pid})

    def remove_at_end(self, folder: Path) -> None:
        """Delete the folder when the parent is gone and its children have ended: for the state of tests."""
        self._folders.append(folder)
        self._say({"remove": str(folder)})

    def close(self) -> None:
        """Let go: the guard ends what is still registered, deletes folders and ends itself; returns when it has."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(timeout=GRACE_SECONDS + REMOVE_SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own keeps the terminal's Ctrl-C away from it.
        return subprocess.Popen(
            [sys.executable, "-m", "hanro_local.guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _say(self, word: dict[str, object]) -> None:
        try:
            self._write(word)
        except BrokenPipeError:
            self._process.wait(timeout=GRACE_SECONDS)
            self._process = self._start()
            for target in self._targets.values():
                self._write({"add": target.pid, "started": target.started, "signal": target.stop_signal})
            for folder in self._folders:
                self._write({"remove": str(folder)})

    def _write(self, word: dict[str, object]) -> None:
        if self._process.stdin is None:
            raise BrokenPipeError
        self._process.stdin.write(json.dumps(word).encode() + b"\n")
        self._process.stdin.flush()


@contextlib.contextmanager
def guarding() -> Iterator[Guard]:
    """Run a guard for as long as the block lasts."""
    guard = Guard()
    try:
        yield guard
    finally:
        guard.close()


def main() -> None:
    """Read what to watch until the parent is gone, then end it all."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    targets: dict[int, Target] = {}
    folders: list[str] = []
    for line in sys.stdin.buffer:
        try:
            word = json.loads(line)
        except ValueError:
            # The parent was killed in the middle of a word.
            continue
        if "add" in word:
            targets[word["add"]] = Target(pid=word["add"], started=word["started"], stop_signal=word["signal"])
        elif "drop" in word:
            targets.pop(word["drop"], None)
        else:
            folders.append(word["remove"])
    end(targets.values(), grace_seconds=GRACE_SECONDS)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
