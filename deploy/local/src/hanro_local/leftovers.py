"""Remembers which processes run, so that the next start can end what an unguarded death left behind."""

import json
from pathlib import Path

from hanro_local.process_table import Target, end, started_of

GRACE_SECONDS = 5.0


def remember(state: Path, name: str, target: Target) -> None:
    """Note a running child under its name; an older note of that name is replaced."""
    note = _note(state, name)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"pid": target.pid, "started": target.started, "signal": target.stop_signal}))


def forget(state: Path, name: str) -> None:
    """Remove the note of a child that has ended."""
    _note(state, name).unlink(missing_ok=True)


def sweep(state: Path) -> list[str]:
    """End what an earlier run left and return the names; a number that another process has now is left alone."""
    state.mkdir(parents=True, exist_ok=True)
    found: dict[str, Target] = {}
    for note in sorted((state / "pids").glob("*.json")):
        try:
            words = json.loads(note.read_text())
            target = Target(pid=int(words["pid"]), started=str(words["started"]), stop_signal=int(words["signal"]))
        except (ValueError, KeyError):
            # Cut off while it was written: it names no process.
            note.unlink()
            continue
        if started_of(target.pid) == target.started:
            found[note.stem] = target
        note.unlink()
    end(found.values(), grace_seconds=GRACE_SECONDS)
    return list(found)


def _note(state: Path, name: str) -> Path:
    return state / "pids" / f"{name}.json"
