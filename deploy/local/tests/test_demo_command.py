"""The demo as a person asks for it: what it is told, one order through real parts, and kills that find work in hand."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hanro_local.child import Child, Command
from hanro_local.demo.holdings import Holding, Watch
from hanro_local.demo.kills import kill_at_work, wait_ready
from hanro_local.settings import DemoWish, SettingRefused, read_wish
from hanro_local.supervisor import supervised


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ({}, DemoWish(orders=200, kills=4, broken="")),
        ({"ORDERS": "", "KILLS": "", "BREAK": ""}, DemoWish(orders=200, kills=4, broken="")),
        ({"ORDERS": "1", "KILLS": "0", "BREAK": "ledger"}, DemoWish(orders=1, kills=0, broken="ledger")),
    ],
)
def test_a_demo_is_asked_for_in_the_environment(said: dict[str, str], wish: DemoWish) -> None:
    assert read_wish(said) == wish


@pytest.mark.parametrize("said", [{"ORDERS": "0"}, {"ORDERS": "many"}, {"KILLS": "-1"}, {"BREAK": "everything"}])
def test_what_no_demo_can_be_is_refused_in_one_line(said: dict[str, str]) -> None:
    with pytest.raises(SettingRefused) as refused:
        read_wish(said)
    assert "\n" not in str(refused.value)
    assert "give " in str(refused.value)


async def any_moment() -> None:
    await asyncio.sleep(0.01)


async def ready() -> None:
    """Be ready at once."""


async def test_a_service_is_killed_only_with_work_in_hand_and_while_it_stands_still(tmp_path: Path) -> None:
    looks: list[str] = []
    async with supervised(tmp_path / "state", lambda _line: None) as supervisor:
        sleeper = Command((sys.executable, "-c", "import time; time.sleep(600)"), folder=tmp_path)
        await supervisor.start([Child(name="sleeper", title="Sleeper", command=sleeper, probe=ready)])
        pid = supervisor.pid("sleeper")

        async def look() -> Holding:
            looks.append(psutil.Process(pid).status())
            return Holding(7 if len(looks) == 3 else 0, "things")

        kill = await kill_at_work(supervisor, "sleeper", Watch(look, any_moment, seconds=0))
        await wait_ready(supervisor, kill, 10)
        assert supervisor.pid("sleeper") != pid
    assert (kill.pid, kill.in_hand) == (pid, Holding(7, "things"))
    assert looks == [psutil.STATUS_STOPPED] * 3


async def test_a_service_that_is_not_killed_goes_on(tmp_path: Path) -> None:
    async with supervised(tmp_path / "state", lambda _line: None) as supervisor:
        sleeper = Command((sys.executable, "-c", "import time; time.sleep(600)"), folder=tmp_path)
        await supervisor.start([Child(name="sleeper", title="Sleeper", command=sleeper, probe=ready)])
        pid = supervisor.pid("sleeper")

        async def look() -> Holding:
            raise OSError("the database is away")

        with pytest.raises(OSError, match="away"):
            await kill_at_work(supervisor, "sleeper", Watch(look, any_moment, seconds=0))
        await asyncio.sleep(0.1)
        assert psutil.Process(pid).status() == psutil.STATUS_SLEEPING


def test_a_demo_of_a_few_orders_and_a_kill_ends_with_0_and_its_line(tmp_path: Path) -> None:
    environment = {**os.environ, "HANRO_STATE": "", "ORDERS": "8", "KILLS": "1", "BREAK": ""}
    command = [sys.executable, "-m", "hanro_local"]
    told = subprocess.run(
        [*command, "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    lines = told.stdout.splitlines()
    cleaned = subprocess.run([*command, "clean"], cwd=tmp_path, env=environment, check=False, timeout=30)
    assert told.returncode == 0, told.stdout + told.stderr
    assert lines[-1] == "demo: 8 of 8 stored, reserved and mailed, 1 kills, 0 lost, 0 double"
    assert any(line.startswith("  catalog-svc") and "unread facts" in line for line in lines)
    assert cleaned.returncode == 0


def test_a_demo_that_is_stopped_says_so(tmp_path: Path) -> None:
    environment = {**os.environ, "HANRO_STATE": "", "ORDERS": "1", "KILLS": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "hanro_local", "demo"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    process.stdout.readline()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert rest.splitlines()[-1] == "stopped, state kept in .hanro/"
    assert process.returncode != 0
