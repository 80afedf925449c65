"""Proves that a failpoint does what the environment says at its turn, in a real process, and else nothing."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hanro import failpoints
from hanro.failpoints import Failpoint, FailpointReached, armed, parse

THREE_TIMES = (
    "from hanro.failpoints import reach\nfor turn in (1, 2, 3):\n    reach('a.b')\n    print(turn, flush=True)"
)


def run(armed_with: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", THREE_TIMES],
        env=os.environ | {"HANRO_FAILPOINTS": armed_with},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_process_kills_itself_at_the_third_time() -> None:
    done = run("a.b=kill@3")
    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["1", "2"])


def test_a_process_exits_at_once_without_cleaning_up() -> None:
    assert (run("a.b=exit").returncode, run("a.b=exit").stdout) == (failpoints.EXIT_STATUS, "")


@pytest.mark.parametrize("text", ["", "another=kill"])
def test_points_that_nobody_armed_do_nothing(text: str) -> None:
    assert (run(text).returncode, run(text).stdout.split()) == (0, ["1", "2", "3"])


def test_a_point_raises_each_time_from_its_turn_on() -> None:
    reach = armed(parse("a=raise@2"))
    reach("a")
    for _ in range(2):
        with pytest.raises(FailpointReached, match="a"):
            reach("a")


def test_a_point_slows_down() -> None:
    began = time.monotonic()
    armed(parse("a=sleep:0.05"))("a")
    assert time.monotonic() - began >= 0.05


def test_several_points_are_read() -> None:
    assert parse(" a.b=kill@3, c=sleep:1.5 ,") == {
        "a.b": Failpoint(deed="kill", turn=3),
        "c": Failpoint(deed="sleep", seconds=1.5),
    }


@pytest.mark.parametrize(
    "text", ["a", "a=", "=kill", "a=stop", "a=sleep", "a=kill:3", "a=kill@x", "a=sleep:x", "a=kill@0"]
)
def test_a_point_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


def test_unarmed_the_name_is_bound_to_nothing_at_all() -> None:
    assert armed({}) is armed({})
