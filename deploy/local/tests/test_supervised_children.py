"""A child is waited for, kept alive, reported and stopped in time."""

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hanro_local.child import Child, ChildFailed, Command, NotReady, Runner
from hanro_local.process_table import living
from hanro_local.supervisor import supervised

SERVE = "import pathlib, time; pathlib.Path('up').touch(); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SERVE}"


def child(folder: Path, script: str, *, name: str = "server", ready_seconds: float = 10) -> Child:
    async def probe() -> None:
        if not (folder / "up").exists():
            raise NotReady

    return Child(
        name=name,
        title=name.title(),
        command=Command((sys.executable, "-c", script), folder=folder),
        probe=probe,
        ready_seconds=ready_seconds,
    )


async def seen(lines: list[str], words: str) -> str:
    async with asyncio.timeout(10):
        while True:
            for line in lines:
                if words in line:
                    return line
            await asyncio.sleep(0.02)


async def test_a_child_that_dies_is_reported_and_comes_back(tmp_path: Path) -> None:
    lines: list[str] = []
    async with supervised(tmp_path / "state", lines.append) as supervisor:
        await supervisor.start([child(tmp_path, SERVE)])
        first = supervisor.pid("server")
        os.kill(first, signal.SIGKILL)
        reported = await seen(lines, "was killed (SIGKILL)")
        await seen(lines, "Server is back")
        second = supervisor.pid("server")
        assert supervisor.states() == {"server": "running"}
    assert str(supervisor.log("server")) in reported
    assert second != first
    assert second not in living()


async def test_a_child_that_dies_twice_comes_back_twice_and_later(tmp_path: Path) -> None:
    lines: list[str] = []
    async with supervised(tmp_path / "state", lines.append) as supervisor:
        await supervisor.start([child(tmp_path, SERVE)])
        for _ in range(2):
            os.kill(supervisor.pid("server"), signal.SIGKILL)
            await seen(lines, "is back")
            lines[:] = [line for line in lines if "is back" not in line]
    assert [line.split("starts again in ")[1].split(";")[0] for line in lines] == ["0.5 s", "1.0 s"]


async def test_a_child_that_ends_while_starting_is_one_line_with_its_log(tmp_path: Path) -> None:
    lines: list[str] = []
    with pytest.raises(ChildFailed) as failure:
        async with supervised(tmp_path / "state", lines.append) as supervisor:
            await supervisor.start([child(tmp_path, "print('no such option'); raise SystemExit(3)")])
    log = supervisor.log("server")
    assert str(failure.value) == f'Server ended with 3 while starting, saying "no such option": read {log}'
    assert log.read_text() == "no such option\n"
    assert lines == []


async def test_a_silent_child_fails_after_its_time_and_takes_its_siblings_down(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    good = child(tmp_path / "a", SERVE, name="good")
    silent = child(tmp_path / "b", "import time; time.sleep(600)", name="silent", ready_seconds=1)
    with pytest.raises(ChildFailed, match="Silent did not answer within 1 s"):
        async with supervised(tmp_path / "state", print) as supervisor:
            await supervisor.start([good, silent])
    assert supervisor.pid("good") not in living()
    assert supervisor.pid("silent") not in living()


async def test_children_that_ignore_the_request_are_killed_within_10_s(tmp_path: Path) -> None:
    async with supervised(tmp_path / "state", print) as supervisor:
        for name in ("one", "two", "three", "four"):
            (tmp_path / name).mkdir()
            await supervisor.start([child(tmp_path / name, STUBBORN, name=name)])
        pids = [supervisor.pid(name) for name in ("one", "two", "three", "four")]
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert not set(pids) & set(living())


async def test_stopping_does_not_wait_for_a_child_that_is_to_start_again(tmp_path: Path) -> None:
    lines: list[str] = []
    script = f"import pathlib, sys\nif pathlib.Path('up').exists(): sys.exit(1)\n{SERVE}"
    async with supervised(tmp_path / "state", lines.append) as supervisor:
        await supervisor.start([child(tmp_path, script)])
        os.kill(supervisor.pid("server"), signal.SIGKILL)
        await seen(lines, "starts again in 2.0 s")
        began = time.monotonic()
    assert time.monotonic() - began < 1


async def test_a_failed_preparation_is_reported_and_the_child_is_not_started(tmp_path: Path) -> None:
    async def prepare(run: Runner) -> None:
        await run(Command((sys.executable, "-c", "raise SystemExit(1)"), folder=tmp_path))

    described = child(tmp_path, SERVE)
    broken = Child(name="server", title="Server", command=described.command, probe=described.probe, prepare=prepare)
    with pytest.raises(ChildFailed, match="could not be prepared"):
        async with supervised(tmp_path / "state", print) as supervisor:
            await supervisor.start([broken])
    assert not (tmp_path / "up").exists()


async def test_a_child_that_is_ended_does_not_come_back_even_if_it_was_stopped(tmp_path: Path) -> None:
    lines: list[str] = []
    async with supervised(tmp_path / "state", lines.append) as supervisor:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            await supervisor.start([child(tmp_path / name, SERVE, name=name)])
        stopped = supervisor.pid("two")
        os.kill(stopped, signal.SIGSTOP)
        await supervisor.end("two")
        assert stopped not in living()
        assert supervisor.states() == {"one": "running"}
    assert lines == []


async def test_a_child_is_started_again_after_its_longest_pause_at_most(tmp_path: Path) -> None:
    lines: list[str] = []
    quick = replace(child(tmp_path, SERVE), longest_pause_seconds=0.1)
    async with supervised(tmp_path / "state", lines.append) as supervisor:
        await supervisor.start([quick])
        os.kill(supervisor.pid("server"), signal.SIGKILL)
        assert "starts again in 0.1 s" in await seen(lines, "was killed")
