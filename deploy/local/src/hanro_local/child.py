"""Says what one process of the stack is: values that the supervisor acts on."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Probe = Callable[[], Awaitable[None]]
"""Returns when the child can be used; raises NotReady or OSError while it cannot."""


class NotReady(Exception):
    """The child does not answer yet."""


class ChildFailed(RuntimeError):
    """A child did not become ready; the text is one line with the place of its log."""


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and how it is run. `user` and `group` are numbers; None keeps ours."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    group: int | None = None


Runner = Callable[[Command], Awaitable[None]]
"""Runs a command to its end, logged and guarded like the child; raises ChildFailed if it ends with anything but 0."""


async def nothing_to_prepare(_run: Runner) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Child:
    """One process of the stack.

    `url` is what a person opens, empty for none; `prepare` runs before each start and is repeatable. One that dies
    again and again is started after pauses that grow up to `longest_pause_seconds`.
    """

    name: str
    title: str
    command: Command
    probe: Probe
    url: str = ""
    ready_seconds: float = 30.0
    stop_signal: int = signal.SIGTERM
    longest_pause_seconds: float = 15.0
    prepare: Callable[[Runner], Awaitable[None]] = nothing_to_prepare


def ending(code: int) -> str:
    """Say how a process ended: `ended with 1`, or `was killed (SIGKILL)`."""
    if code >= 0:
        return f"ended with {code}"
    try:
        return f"was killed ({signal.Signals(-code).name})"
    except ValueError:
        return f"was killed (signal {-code})"
