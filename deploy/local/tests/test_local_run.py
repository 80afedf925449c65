"""The whole stack as a person starts it: one command, real servers, nothing left behind."""

import asyncio
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hanro_local import ports

READY_SECONDS = 90.0


class Run:
    """One `run` in a folder of its own; its processes are known by a mark in their environment."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hanro_local", "run"],
            cwd=folder,
            env={**os.environ, "HANRO_PORT": str(port), "HANRO_STATE": "", "HANRO_MARK": self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def wait_ready(self) -> None:
        """Read its lines until it says that it runs."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if "Ctrl-C stops everything" in line:
                return
        pytest.fail("ended before it was ready:\n" + "\n".join(self.lines))

    def interrupt(self) -> tuple[int, float]:
        """Send what Ctrl-C sends; returns the exit code and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=20)
        self.lines += rest.splitlines()
        return self.process.returncode, time.monotonic() - began

    def family(self) -> list[str]:
        """The living processes that carry the mark, apart from the command itself."""
        found = []
        for process in psutil.process_iter():
            try:
                is_ours = process.environ().get("HANRO_MARK") == self.mark and process.pid != self.process.pid
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.pid} {process.name()}")
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def chosen(self) -> dict[str, int]:
        """Its ports by name."""
        kept: dict[str, int] = json.loads((self.folder / ".hanro" / "run" / "ports.json").read_text())
        return kept

    def postgres_url(self) -> str:
        """Its database, password inside."""
        password = (self.folder / ".hanro" / "run" / "postgres" / "password").read_text()
        return f"postgresql://postgres:{password}@127.0.0.1:{self.chosen()['postgres']}/postgres"


@contextmanager
def started(folder: Path, port: int) -> Iterator[Run]:
    run = Run(folder, port)
    try:
        run.wait_ready()
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
        run.process.communicate(timeout=20)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a run is started; its state below /var/tmp, if it has one, goes with it."""
    yield tmp_path
    clean(tmp_path)


async def write(run: Run) -> None:
    connection = await asyncpg.connect(run.postgres_url(), timeout=5)
    await connection.execute("create table kept (order_number text); insert into kept values ('①髙㈱〜')")
    await connection.close(timeout=5)
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{run.chosen()['kafka']}")
    await admin.start()
    await admin.create_topics([NewTopic("kept", 12, 1)])
    await admin.close()


async def read(run: Run) -> tuple[str, list[str]]:
    connection = await asyncpg.connect(run.postgres_url(), timeout=5)
    kept = await connection.fetchval("select order_number from kept")
    await connection.close(timeout=5)
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{run.chosen()['kafka']}")
    await admin.start()
    topics = await admin.list_topics()
    await admin.close()
    return kept, topics


def test_kill_minus_nine_leaves_no_child_and_the_next_start_has_the_same_rows_and_topics(folder: Path) -> None:
    port = ports.choose(1)[0]
    with started(folder, port) as first:
        asyncio.run(write(first))
        assert len(first.family()) >= 6
        first.process.kill()
        deadline = time.monotonic() + 10
        while first.family() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert first.family() == []
        before = first.chosen()
    # A port that someone took meanwhile is chosen anew: Kafka's log names the one before.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", before["kafka-controller"]))
        taken.listen()
        with started(folder, port) as second:
            assert asyncio.run(read(second)) == ("①髙㈱〜", ["kept"])
            after = second.chosen()
            code, seconds = second.interrupt()
    assert {name for name in before if before[name] != after[name]} == {"kafka-controller"}
    assert code == 0
    assert seconds < 10
    assert second.lines[-1] == "stopped, state kept in .hanro/"
    assert second.family() == []


def test_the_run_is_told_in_numbered_steps_and_a_table_and_every_url_answers(folder: Path) -> None:
    port = ports.choose(1)[0]
    with started(folder, port) as run:
        again = subprocess.run(
            [sys.executable, "-m", "hanro_local", "run"],
            cwd=folder,
            env={**os.environ, "HANRO_PORT": str(port), "HANRO_STATE": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        cleaned = clean(folder)
        urls = [line.split()[-1] for line in run.lines if line.startswith("  ") and "http://" in line]
        answers = {url: httpx.get(url, timeout=5, trust_env=False, follow_redirects=True).status_code for url in urls}
        code, _ = run.interrupt()
    steps = [line.split("]")[0] for line in run.lines if line.startswith("[") and "…" not in line]
    assert steps == [f"[{number}/7" for number in range(1, 8)]
    assert sum("  running  " in line for line in run.lines) == 5
    assert len(answers) == 3
    assert set(answers.values()) == {200}
    assert code == 0
    # While it ran, a second run and a clean were each refused in one line.
    assert again.returncode == 1
    assert again.stdout.startswith("a run is alive in ")
    assert len(again.stdout.splitlines()) == 1
    assert cleaned.returncode == 1
    assert cleaned.stdout.startswith("a run is alive in .hanro/run ")
    assert clean(folder).returncode == 0
    assert list(folder.iterdir()) == []


def test_a_run_that_is_interrupted_while_starting_ends_with_0_and_nothing_left(folder: Path) -> None:
    run = Run(folder, ports.choose(1)[0])
    log = folder / ".hanro" / "run" / "log" / "kafka.log"
    deadline = time.monotonic() + READY_SECONDS
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    code, seconds = run.interrupt()
    assert code == 0
    assert seconds < 10
    assert run.lines[-1] == "stopped, state kept in .hanro/"
    assert run.family() == []


def test_a_run_whose_reader_is_gone_stops_with_0_and_without_a_trace(folder: Path) -> None:
    run = Run(folder, ports.choose(1)[0])
    assert run.process.stdout
    run.process.stdout.readline()
    run.process.stdout.close()
    assert run.process.wait(timeout=60) == 0
    assert run.family() == []


def test_ctrl_c_in_a_terminal_ends_make_with_0(folder: Path) -> None:
    (folder / "Makefile").write_text(f"run:\n\t@exec {sys.executable} -m hanro_local run\n")
    environment = {**os.environ, "HANRO_PORT": str(ports.choose(1)[0]), "HANRO_STATE": ""}
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe("make", ["make", "run"], environment)  # noqa: S606, S607  make is what a person types
    seen = b""
    while b"Ctrl-C stops everything" not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    while b"state kept" not in seen:
        seen += os.read(terminal, 4096)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"***" not in seen


def clean(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hanro_local", "clean"],
        cwd=folder,
        env={**os.environ, "HANRO_STATE": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
