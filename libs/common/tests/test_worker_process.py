"""Proves how a service's process starts, drains and ends: in real processes, with real signals and sockets."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from hanro.clock import SystemClock
from hanro.db import connect
from hanro.worker import Readiness
from hanro_local import ports
from hanro_local.databases import SchemaUrls

# What the process does is told by its arguments: the database's URL, the port, and the name of a scene.
PROGRAM = """
import asyncio, sys
from datetime import timedelta
from hanro import log, web
from hanro.clock import SystemClock
from hanro.db import connect
from hanro.metrics import new_registry
from hanro.testing.callers import SpokenCallers, fixed_keyring
from hanro.worker import Listener, Readiness, main, run

url, port, scene = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def say(text):
    print(text, flush=True)

async def steady(stop):
    say("steady began")
    await stop.wait()
    say("steady ended")

async def slow(stop):
    await stop.wait()
    await asyncio.sleep(0.5)
    say("slow ended")

async def deaf(stop):
    try:
        await asyncio.sleep(60)
    finally:
        say("deaf was cancelled")

async def broken(stop):
    await asyncio.sleep(0.1)
    raise ZeroDivisionError("canary-b0b0")

async def quitting(stop):
    return

async def relay(stop):
    await stop.wait()
    say("relay ended")

async def service():
    log.configure("probe-svc")
    db = connect(url, schema="probe")
    readiness = Readiness(db, wanted="0002", clock=SystemClock())
    info = web.ServiceInfo(noun="probe", name="probe-svc", title="P", description="P", scope="probes:read")
    routes = web.router()

    @routes.get("/v1/slow", dependencies=[web.require("probes:read")])
    async def answer_slowly() -> str:
        say("request began")
        await asyncio.sleep(1)
        say("request ended")
        return "done"

    apps = web.create_app(info, routers=[routes], authenticator=SpokenCallers(), db=db,
        cursors=web.Cursors(fixed_keyring()), clock=SystemClock(), registry=new_registry(), missing=readiness.missing)
    loops = {"steady": steady, "slow": slow}
    if scene != "plain":
        loops[scene] = {"deaf": deaf, "broken": broken, "quitting": quitting}[scene]
    listeners = [Listener(name="public", app=apps.public, host="127.0.0.1", port=port),
        Listener(name="internal", app=apps.internal, host="127.0.0.1", port=port + 1)]
    try:
        await run(loops, readiness=readiness, listeners=listeners, relay=relay, drain=timedelta(seconds=2))
    finally:
        await db.close()

main(service)
"""


def prepare(urls: SchemaUrls) -> None:
    async def create() -> None:
        connection = await asyncpg.connect(urls.owner, timeout=10)
        await connection.execute('create table "probe".alembic_version (version_num text)')
        await connection.execute("insert into \"probe\".alembic_version values ('0002')")
        await connection.close(timeout=10)

    asyncio.run(create())


pytestmark = pytest.mark.schema("probe", prepare)


@pytest.fixture
def port() -> int:
    # Not what the system hands out: it may be a connection's before the process listens there.
    while True:
        (found,) = ports.choose(1)
        if ports.is_free(found + 1):
            return found


@contextmanager
def process(url: str, port: int, scene: str = "plain") -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603  our own interpreter
        [sys.executable, "-W", "error", "-c", PROGRAM, url, str(port), scene],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={name: text for name, text in os.environ.items() if not name.startswith("HANRO_")},
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def read_until(started: subprocess.Popen[str], text: str) -> str:
    """Read what it says up to a line that holds `text`; fails at its end."""
    assert started.stdout
    seen = ""
    for line in started.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(seen)


def end_of(started: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = started.communicate(timeout=30)
    return started.returncode, said


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)


def test_a_process_that_is_told_to_stop_drains_loops_then_servers_then_the_relay(urls: SchemaUrls, port: int) -> None:
    with process(urls.runtime, port) as started:
        read_until(started, "steady began")
        assert get(port + 1, "/readyz").status_code == 200
        started.send_signal(signal.SIGTERM)
        code, said = end_of(started)
    order = [said.index(text) for text in ("worker.draining", "steady ended", "slow ended", "relay ended")]
    assert code == 0
    assert order == sorted(order)


def test_a_request_in_hand_is_answered_while_the_process_drains(urls: SchemaUrls, port: int) -> None:
    asking = (
        "import httpx, sys\n"
        "from hanro.testing.callers import bearer\n"
        "print(httpx.get(sys.argv[1], headers=bearer('probes:read'), timeout=10).text)"
    )
    with process(urls.runtime, port) as started:
        read_until(started, "steady began")
        with subprocess.Popen(  # noqa: S603  our own interpreter
            [sys.executable, "-c", asking, f"http://127.0.0.1:{port}/v1/slow"], stdout=subprocess.PIPE, text=True
        ) as client:
            read_until(started, "request began")
            started.send_signal(signal.SIGTERM)
            answer, _ = client.communicate(timeout=30)
        code, said = end_of(started)
    assert (code, answer.strip()) == (0, '"done"')
    assert said.index("request ended") < said.index("relay ended")


def test_a_loop_that_does_not_listen_is_cancelled_after_its_time(urls: SchemaUrls, port: int) -> None:
    with process(urls.runtime, port, "deaf") as started:
        read_until(started, "steady began")
        began = time.monotonic()
        started.send_signal(signal.SIGINT)
        code, said = end_of(started)
    assert (code, "deaf was cancelled" in said, "relay ended" in said) == (0, True, True)
    assert 1.9 < time.monotonic() - began < 8


@pytest.mark.parametrize("scene", ["broken", "quitting"])
def test_a_loop_s_bug_ends_the_process_and_stands_in_the_log(urls: SchemaUrls, port: int, scene: str) -> None:
    with process(urls.runtime, port, scene) as started:
        code, said = end_of(started)
    failed = [json.loads(line) for line in said.splitlines() if "worker.loop_failed" in line]
    assert (code, failed[0]["loop"], failed[0]["exception"]["type"].rpartition(".")[2]) == (
        1,
        scene,
        {"broken": "ZeroDivisionError", "quitting": "LoopEnded"}[scene],
    )
    assert "canary-b0b0" not in said


def test_a_taken_port_is_one_line(urls: SchemaUrls, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), process(urls.runtime, port) as started:
        code, said = end_of(started)
    assert (code, len(said.splitlines())) == (2, 1)
    assert f"127.0.0.1:{port}" in said


def test_without_a_database_the_process_stays_up_says_so_and_stops_well(port: int) -> None:
    with process("postgresql://nobody@127.0.0.1:1/x", port) as started:
        read_until(started, "worker.waiting")
        ready, alive = get(port + 1, "/readyz"), get(port + 1, "/livez")
        started.send_signal(signal.SIGTERM)
        code, said = end_of(started)
    assert (ready.status_code, alive.status_code) == (503, 200)
    assert ready.json()["for"] == "the database has not answered yet"
    assert (code, "steady began" in said) == (0, False)


async def readiness_at(urls: SchemaUrls, wanted: str) -> tuple[bool, str | None]:
    db = connect(urls.runtime, schema="probe")
    readiness = Readiness(db, wanted=wanted, clock=SystemClock())
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(timedelta(seconds=1).total_seconds(), stop.set)
    is_ready = await readiness.wait(stop)
    await db.close()
    return is_ready, readiness.missing()


@pytest.mark.parametrize(("wanted", "is_ready"), [("0001", True), ("0002", True), ("0003", False)])
async def test_a_schema_at_or_after_the_wanted_revision_is_enough(
    urls: SchemaUrls, wanted: str, *, is_ready: bool
) -> None:
    found, missing = await readiness_at(urls, wanted)
    assert (found, missing is None) == (is_ready, is_ready)


async def test_a_database_that_comes_up_later_makes_the_process_ready(urls: SchemaUrls) -> None:
    proxy_port: list[int] = []
    target: list[Any] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, rest = urls.runtime.rpartition("@")[2].partition(":")
        if not target:
            writer.close()
            return
        up_reader, up_writer = await asyncio.open_connection(host, int(rest.partition("/")[0]))

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while chunk := await source.read(65536):
                sink.write(chunk)
            sink.close()

        await asyncio.gather(copy(reader, up_writer), copy(up_reader, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    proxy_port.append(server.sockets[0].getsockname()[1])
    user, _, _ = urls.runtime.rpartition("@")
    name = Path(urls.runtime).name
    db = connect(f"{user}@127.0.0.1:{proxy_port[0]}/{name}", schema="probe")
    readiness = Readiness(db, wanted="0002", clock=SystemClock())
    waiting = asyncio.create_task(readiness.wait(asyncio.Event()))
    await asyncio.sleep(0.7)
    before = readiness.missing()
    target.append(True)
    async with asyncio.timeout(30):
        assert await waiting
    await db.close()
    server.close()
    assert before is not None
