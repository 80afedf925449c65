"""The command line that simulators share, as a process."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from simkit.command import Arguments, parse_arguments

SECONDS = 30
"""Far more than stopping takes, and far less than the client would be kept waiting."""

PROGRAM = """
import sys
from simkit.app import make_app
from simkit.command import parse_arguments, start
from simkit.exchange import Caller, Reply
from simkit.limits import Limit
from simkit.relay.desk import Rules

class Empty:
    def identify(self, request): return Caller()
    async def answer(self, request, caller): return Reply(204, ())
    def throttled(self, request, caller, wait_seconds): return Reply(429, ())
    def state(self): return None
    def reset(self): pass

sys.exit(start("Empty", parse_arguments("empty"), lambda kit: make_app("Empty", Empty(), kit),
               limit=Limit(1, 5), rules=Rules(recipient_pattern="*.example.invalid")))
"""


@contextmanager
def simulator(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the simulator and give process and first line."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603  own command
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_a_simulator_with_a_relay_is_ready_when_health_answers_and_stops_with_0(tmp_path: Path) -> None:
    certificate_file = tmp_path / "a.pem"
    arguments = ("--port", "0", "--smtp-port", "0", "--certificate-file", str(certificate_file))
    with simulator(*arguments) as (process, line):
        found = re.fullmatch(r"Empty: (http://\S+), smtp 127\.0\.0\.1:(\d+)\n", line)
        assert found is not None
        assert httpx.get(found[1] + "/_sim/health").json()["simulator"] == "Empty"
        assert httpx.get(found[1] + "/anything").status_code == 204
        assert httpx.get(found[1] + "/_sim/mails").json()["total"] == 0
        with socket.create_connection(("127.0.0.1", int(found[2])), 5) as smtp:
            assert smtp.recv(100).startswith(b"220 ")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, "")


def test_it_stops_while_it_keeps_a_client_waiting() -> None:
    with simulator("--port", "0") as (process, line):
        url = line.removeprefix("Empty: ").strip()
        httpx.post(url + "/_sim/faults", json={"kind": "silence", "seconds": 600}).raise_for_status()
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 5) as waiting:
            waiting.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def test_the_arguments_have_the_defaults_that_all_simulators_share() -> None:
    assert parse_arguments("empty", ["--port", "9101"]) == Arguments(
        host="127.0.0.1",
        port=9101,
        seed=0,
        assumptions=None,
        journal=None,
        smtp_port=None,
        certificate_file=None,
        mail_directory=None,
    )


@pytest.mark.parametrize("port", ["many", "65536", "-1"])
def test_a_wrong_argument_is_a_usage_line_and_2(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments("empty", ["--port", port])
    assert ended.value.code == 2
    assert "usage: empty" in capsys.readouterr().err
