"""Lists this machine's processes, and ends some of them for certain. Standard library alone: the guard uses it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05
PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One living process; `started` tells it from a later one with the same number, and is compared, never read."""

    pid: int
    parent_pid: int
    started: str


@dataclass(frozen=True)
class Target:
    """A process to end: leader of its own process group, asked with `stop_signal` before it is killed."""

    pid: int
    started: str
    stop_signal: int


def living() -> dict[int, Process]:
    """Every process by its number; those that are dead and only wait to be collected are left out."""
    return _living_by_proc() if (PROC / "self" / "stat").exists() else _living_by_ps()


def started_of(pid: int) -> str | None:
    """When the process began, or None if there is none of that number."""
    if (PROC / "self" / "stat").exists():
        process = _read_stat(PROC / str(pid))
        return process.started if process else None
    process = living().get(pid)
    return process.started if process else None


def with_descendants(table: Mapping[int, Process], pids: Iterable[int]) -> set[int]:
    """Return the given processes that live, and everything that descends from them."""
    found = {pid for pid in pids if pid in table}
    while more := {one.pid for one in table.values() if one.parent_pid in found and one.pid not in found}:
        found |= more
    return found


def end(targets: Iterable[Target], *, grace_seconds: float) -> None:
    """Ask every target to stop, wait at most `grace_seconds`, then kill what is left together with its descendants.

    Descendants count although they lead sessions of their own, as each Postgres backend does. A number that now
    belongs to another process is left alone.
    """
    table = living()
    alive = [one for one in targets if one.pid in table and table[one.pid].started == one.started]
    doomed = {pid: table[pid].started for pid in with_descendants(table, (one.pid for one in alive))}
    for target in alive:
        _signal_group(target.pid, target.stop_signal)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and _still(doomed):
        time.sleep(POLL_SECONDS)
    table = living()
    for pid in with_descendants(table, _still(doomed)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _still(doomed: Mapping[int, str]) -> list[int]:
    table = living()
    return [pid for pid, started in doomed.items() if pid in table and table[pid].started == started]


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _read_stat(folder: Path) -> Process | None:
    try:
        text = (folder / "stat").read_text(errors="replace")
    except OSError:
        # It ended between the listing and the look.
        return None
    # The name may hold blanks and brackets; only behind the last bracket do the fields count (proc(5)).
    fields = text[text.rfind(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return Process(pid=int(folder.name), parent_pid=int(fields[1]), started=fields[19])


def _living_by_proc() -> dict[int, Process]:
    seen = (_read_stat(folder) for folder in PROC.iterdir() if folder.name.isdecimal())
    return {process.pid: process for process in seen if process}


def _living_by_ps() -> dict[int, Process]:
    # macOS has no /proc. `lstart` has five words: the day, month, date, time and year.
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid=,stat=,lstart="], capture_output=True, text=True, check=True, timeout=10
    )
    table: dict[int, Process] = {}
    for line in listing.stdout.splitlines():
        pid, parent_pid, state, started = line.split(maxsplit=3)
        if not state.startswith("Z"):
            table[int(pid)] = Process(pid=int(pid), parent_pid=int(parent_pid), started=started)
    return table
