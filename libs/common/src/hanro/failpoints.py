"""Lets a fault test stop, slow or kill this process at a named point; nothing at all where the environment is silent.

`HANRO_FAILPOINTS="relay.after_ack=kill,consume.before_commit=sleep:5"`: `kill` (SIGKILL to itself), `exit` (status 70),
`raise`, `sleep:<seconds>` (blocks the whole process); `@3` behind it waits for the third time it is reached.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

VARIABLE = "HANRO_FAILPOINTS"
EXIT_STATUS = 70

Deed = Literal["kill", "exit", "raise", "sleep"]
DEEDS = ("kill", "exit", "raise", "sleep")


class FailpointReached(Exception):
    """A test asked this point to fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failpoint:
    """Be what happens at a point: `turn` is the first time (from 1) at which it does; `exit`, `kill` happen once."""

    deed: Deed
    seconds: float = 0.0
    turn: int = 1


def parse(text: str) -> dict[str, Failpoint]:
    """Read `name=deed[:seconds][@turn]`, separated by commas.

    Raises:
        ValueError: a part that is none.
    """
    found: dict[str, Failpoint] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, is_given, rest = part.partition("=")
        rest, _, turn = rest.partition("@")
        deed, _, seconds = rest.partition(":")
        if not name or not is_given or deed not in DEEDS or (deed == "sleep") != bool(seconds):
            raise ValueError("a failpoint is name=kill|exit|raise|sleep:<seconds>, with @<turn> or without")
        point = Failpoint(deed=cast("Deed", deed), seconds=float(seconds or 0), turn=int(turn or 1))
        if point.turn < 1 or point.seconds < 0:
            raise ValueError("a failpoint's turn counts from 1, and its seconds are not negative")
        found[name] = point
    return found


def armed(points: Mapping[str, Failpoint]) -> Callable[[str], None]:
    """Give a `reach` for those points; one that does nothing for none."""
    if not points:
        return _pass_by
    times: dict[str, int] = {}

    def reach_armed(name: str) -> None:
        point = points.get(name)
        if point is None:
            return
        times[name] = times.get(name, 0) + 1
        if times[name] >= point.turn:
            _act(name, point)

    return reach_armed


def _pass_by(name: str) -> None:
    """Do nothing: no point is armed."""


def _act(name: str, point: Failpoint) -> None:
    match point.deed:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(EXIT_STATUS)
        case "raise":
            raise FailpointReached(name)
        case "sleep":
            time.sleep(point.seconds)


# Read here and not in settings: its callers are everywhere, and unarmed it must cost nothing.
reach = armed(parse(os.environ.get(VARIABLE, "")))
