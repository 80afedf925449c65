"""The whole stack as a person starts it: one command, real servers, nothing left behind."""

import asyncio
import json
import os
import pty
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hanro_local import ports

READY_SECONDS = 90.0
ORDER_LINE = (
    r"^\d\d:\d\d:\d\d  (?P<number>999001-\d{8}-\d{10})  \S+ \S+  \d+ lines?  reserved (\d+) of \2  mailed  \d+\.\d s$"
)


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
        self._queue: queue.SimpleQueue[str | None] | None = None

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read its lines until one has the pattern."""
        deadline = time.monotonic() + READY_SECONDS
        while (line := self._line(deadline - time.monotonic())) is not None:
            if found := re.search(pattern, line):
                return found
        pytest.fail(f"no line has {pattern}:\n" + "\n".join(self.lines))

    def wait_ready(self) -> None:
        """Read its lines until it says that it runs."""
        self.read_until("Ctrl-C stops everything")

    def wait_order(self) -> str:
        """Wait for the line of an order that has come through, and give its number."""
        return self.read_until(ORDER_LINE)["number"]

    def interrupt(self) -> tuple[int, float]:
        """Send what Ctrl-C sends, to all that a terminal would; returns the exit code and the seconds it took."""
        began = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        code = self.process.wait(timeout=20)
        seconds = time.monotonic() - began
        while self._line(5) is not None:
            pass
        return code, seconds

    def _line(self, seconds: float) -> str | None:
        """Give its next line, None at its end or after so long."""
        if self._queue is None:
            self._queue = queue.SimpleQueue()
            threading.Thread(target=self._read, args=(self._queue,), daemon=True).start()
        try:
            line = self._queue.get(timeout=max(0, seconds))
        except queue.Empty:
            return None
        if line is not None:
            self.lines.append(line)
        return line

    def _read(self, lines: "queue.SimpleQueue[str | None]") -> None:
        assert self.process.stdout
        with self.process.stdout:
            for line in self.process.stdout:
                lines.put(line.rstrip())
        lines.put(None)

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

    def postgres_url(self, database: str = "postgres") -> str:
        """Its database, password inside."""
        password = (self.folder / ".hanro" / "run" / "postgres" / "password").read_text()
        return f"postgresql://postgres:{password}@127.0.0.1:{self.chosen()['postgres']}/{database}"


@contextmanager
def started(folder: Path, port: int) -> Iterator[Run]:
    run = Run(folder, port)
    try:
        run.wait_ready()
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
        run.process.wait(timeout=20)


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


async def stored(run: Run) -> set[str]:
    connection = await asyncpg.connect(run.postgres_url("hanro"), timeout=5)
    rows = await connection.fetch("select external_id from orders.orders")
    await connection.close(timeout=5)
    return {row["external_id"] for row in rows}


def ordered(run: Run) -> str:
    """Wait for a buyer of this start, and give the order's number."""
    url = f"http://127.0.0.1:{run.chosen()['ichiba-http']}/_sim/shops/999001/orders"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        orders = httpx.get(url, timeout=5, trust_env=False).json()["orders"]
        if orders:
            return str(orders[0]["external_id"])
        time.sleep(0.1)
    pytest.fail("no buyer ordered")


async def read(run: Run) -> tuple[str, list[str]]:
    connection = await asyncpg.connect(run.postgres_url(), timeout=5)
    kept = await connection.fetchval("select order_number from kept")
    await connection.close(timeout=5)
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{run.chosen()['kafka']}")
    await admin.start()
    topics = await admin.list_topics()
    await admin.close()
    return kept, topics


def pasted(line: str) -> dict[str, Any]:
    told = subprocess.run(["/bin/bash", "-c", line], capture_output=True, text=True, check=True, timeout=20)
    answer: dict[str, Any] = json.loads(told.stdout or "{}")
    return answer


def check_lines_to_paste(run: Run) -> str:
    """Paste all lines that the run shows, let the key expire and mend it; gives the first order's number."""
    # The account works before every function is told.
    assert any(
        re.fullmatch("見本店①髙㈱〜 at Rakuten Ichiba: 有効, [1-9][0-9]? of 92 grants so far", line)
        for line in run.lines
    )
    number = run.wait_order()
    run.read_until("keys/expire")
    curls = [line.strip() for line in run.lines if line.startswith("  curl")]
    listed, accepted, refused = (pasted(line) for line in curls[:3])
    assert number in [order["external_id"] for order in listed["items"]]
    assert accepted["status"] == "accepted"
    assert (refused["status"], refused["errors"][0]["pointer"]) == (422, "/on_hand")
    pasted(curls[3])
    run.read_until("無効")
    run.read_until("remedy: .*新しいキー.* / .*new key")
    run.read_until("where: RMS > ")
    pasted(run.read_until("^  (curl .*keys/issue.*/credentials')$")[1])
    run.read_until(r"有効 \((active|degraded)\)")
    run.wait_order()
    return number


def check_what_is_refused_meanwhile(run: Run) -> None:
    """See a second run and a clean each refused in one line."""
    again = subprocess.run(
        [sys.executable, "-m", "hanro_local", "run"],
        cwd=run.folder,
        env={**os.environ, "HANRO_PORT": str(run.port), "HANRO_STATE": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert again.returncode == 1
    assert again.stdout.startswith("a run is alive in ")
    assert len(again.stdout.splitlines()) == 1
    cleaned = clean(run.folder)
    assert cleaned.returncode == 1
    assert cleaned.stdout.startswith("a run is alive in .hanro/run ")


def check_what_is_told(run: Run) -> None:
    """See the steps, the table of services, and each of its URLs answered."""
    steps = [line.split("]")[0] for line in run.lines if line.startswith("[") and "…" not in line]
    assert steps == [f"[{number}/13" for number in range(1, 14)]
    assert sum("  running  " in line for line in run.lines) == 10
    urls = [line.split()[-1] for line in run.lines if line.startswith("  ") and "http://" in line]
    answers = {url: httpx.get(url, timeout=30, trust_env=False, follow_redirects=True).status_code for url in urls}
    assert len(answers) == 8
    assert set(answers.values()) == {200}


def kill(run: Run) -> None:
    """Kill it with SIGKILL, and see that no child is left soon."""
    assert len(run.family()) >= 10
    run.process.kill()
    deadline = time.monotonic() + 10
    while run.family() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert run.family() == []


def test_a_run_tells_all_with_lines_to_paste_and_killed_it_starts_again_with_its_rows_topics_and_orders(
    folder: Path,
) -> None:
    port = ports.choose(1)[0]
    with started(folder, port) as first:
        check_what_is_refused_meanwhile(first)
        check_what_is_told(first)
        number = check_lines_to_paste(first)
        page = httpx.get(f"http://127.0.0.1:{port}/", timeout=10, trust_env=False).text
        assert number in page
        assert "TOWEL-M-WH" in page
        asyncio.run(write(first))
        kill(first)
        before = first.chosen()
    # A port that someone took meanwhile is chosen anew: Kafka's log names the one before.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", before["kafka-controller"]))
        taken.listen()
        with started(folder, port) as second:
            kept, topics = asyncio.run(read(second))
            assert (kept, "kept" in topics) == ("①髙㈱〜", True)
            assert number in asyncio.run(stored(second))
            # The simulator has forgotten its orders, and must not give their numbers to new ones.
            assert number < ordered(second)
            after = second.chosen()
            code, seconds = second.interrupt()
    assert {name for name in before if before[name] != after[name]} == {"kafka-controller"}
    assert code == 0
    assert seconds < 10
    assert second.lines[-1] == "stopped, state kept in .hanro/"
    assert second.family() == []
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
    # How it ends once all runs is shown above.
    while b"[3/" not in seen:
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
