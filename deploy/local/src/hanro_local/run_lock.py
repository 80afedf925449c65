"""Lets one run at a time use a state folder. Standard library alone: preflight uses it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

FILE = "lock"


class RunAlive(RuntimeError):
    """Another run holds the state folder; the text is one line with the remedy."""


def holder(state: Path) -> str | None:
    """Return the process number of the run that holds this state folder, or None."""
    try:
        file = os.open(state / FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(file, 20).decode(errors="replace").strip() or "unknown"
    finally:
        os.close(file)
    return None


def refusal(state: Path, pid: str) -> str:
    """One line for a person who starts a second run."""
    where = f"a run is alive in {state} (pid {pid})"
    return f"{where}: stop it with Ctrl-C there, or give this one HANRO_STATE and HANRO_PORT of its own"


@contextlib.contextmanager
def held(state: Path) -> Iterator[None]:
    """Hold the state folder while the block lasts; the system lets go of it when the process dies, however that comes.

    Raises:
        RunAlive: another process holds it.
    """
    state.mkdir(parents=True, exist_ok=True)
    file = os.open(state / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunAlive(refusal(state, os.read(file, 20).decode(errors="replace").strip() or "unknown")) from None
        os.truncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield
    finally:
        os.close(file)
