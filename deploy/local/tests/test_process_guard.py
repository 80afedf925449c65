"""What a killed command started is ended, however stubborn it is; nothing else is touched."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hanro_local import leftovers
from hanro_local.process_table import Target, end, living, started_of

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
# A child with a grandchild that leads a session of its own, as Postgres backends do; both ignore SIGTERM.
FAMILY = f"""
import subprocess, sys, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], start_new_session=True)
print(grandchild.pid, flush=True)
grandchild.wait()
"""
PARENT = f"""
import subprocess, sys, time
from hanro_local.guard import guarding
from hanro_local.process_table import Target, started_of
with guarding() as guard:
    family = [sys.executable, "-c", {FAMILY!r}]
    child = subprocess.Popen(family, start_new_session=True, stdout=subprocess.PIPE, text=True)
    guard.add(Target(pid=child.pid, started=started_of(child.pid), stop_signal=15))
    guard.remove_at_end(__import__("pathlib").Path(sys.argv[1]))
    print(child.pid, child.stdout.readline().strip(), guard.pid, flush=True)
    if sys.argv[2] == "guard-dies":
        __import__("os").kill(guard.pid, 9)
        other = subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True)
        time.sleep(0.5)
        for _ in range(2):
            guard.drop(other.pid)
        print("told", flush=True)
    time.sleep(600)
"""


def wait_until(is_so: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.05)
    return is_so()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("case", ["plain", "guard-dies"])
def test_kill_minus_nine_of_the_parent_ends_stubborn_children_and_grandchildren_within_10_s(
    tmp_path: Path, case: str
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), case], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout
        pids = [int(word) for word in parent.stdout.readline().split()]
        if case == "guard-dies":
            assert parent.stdout.readline() == "told\n"
        assert all(psutil.pid_exists(pid) for pid in pids[:2])
        parent.kill()
    try:
        assert wait_until(lambda: not any(pid in living() for pid in pids), 10)
        assert wait_until(lambda: not folder.exists(), 2)
    finally:
        for pid in set(pids) & set(living()):
            os.kill(pid, signal.SIGKILL)


def test_a_number_that_another_process_has_now_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    end([Target(pid=sleeper.pid, started="another time", stop_signal=signal.SIGKILL)], grace_seconds=0)
    assert sleeper.poll() is None


def test_the_next_start_ends_what_an_earlier_run_left(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    target = Target(pid=sleeper.pid, started=started_of(sleeper.pid) or "", stop_signal=signal.SIGTERM)
    leftovers.remember(tmp_path, "kafka", target)
    assert leftovers.sweep(tmp_path) == ["kafka"]
    assert sleeper.wait(timeout=5) == -signal.SIGTERM
    assert leftovers.sweep(tmp_path) == []


def test_the_sweep_leaves_strangers_and_torn_notes_alone(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    leftovers.remember(tmp_path, "kafka", Target(pid=sleeper.pid, started="before", stop_signal=signal.SIGKILL))
    (tmp_path / "pids" / "postgres.json").write_text('{"pid": 1')
    assert leftovers.sweep(tmp_path) == []
    assert sleeper.poll() is None


def test_the_table_of_processes_knows_parents_and_forgets_the_dead(sleeper: subprocess.Popen[bytes]) -> None:
    assert living()[sleeper.pid].parent_pid == os.getpid()
    sleeper.kill()
    # Not collected yet: a zombie counts as dead.
    assert wait_until(lambda: sleeper.pid not in living(), 5)
