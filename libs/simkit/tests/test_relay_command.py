"""The relay as a process of its own: start, serve, stop, start again."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiosmtplib
import httpx
import pytest

MAIL = b"Subject: x\r\n\r\ny\r\n"
RECIPIENT = "a@pc.fw.rakuten.ne.jp"
SECONDS = 30
"""Far more than anything here takes."""


@contextmanager
def relay_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Run the relay on free ports and give process, SMTP port and base URL."""
    command = [sys.executable, "-W", "error", "-m", "simkit.relay", "--smtp-port", "0", "--http-port", "0"]
    command += ["--certificate-file", f"{folder}/a.pem", "--mail-directory", f"{folder}/mails"]
    command += ["--journal", f"{folder}/journal.jsonl"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603  own command
    try:
        assert process.stdout is not None
        found = re.fullmatch(
            r"mail relay: smtp 127\.0\.0\.1:(\d+), (http://[^/]+)/_sim/inbox\n", process.stdout.readline()
        )
        assert found is not None
        yield process, int(found[1]), found[2]
    finally:
        process.kill()
        process.communicate(timeout=10)


async def send(port: int, certificate_file: Path) -> None:
    """Send one mail."""
    trust = ssl.create_default_context(cafile=str(certificate_file))
    await aiosmtplib.send(
        MAIL,
        sender="shop@example.invalid",
        recipients=[RECIPIENT],
        hostname="localhost",
        port=port,
        start_tls=True,
        tls_context=trust,
        username="123456",
        password="synthetic",
        timeout=SECONDS,
    )


async def test_it_serves_stops_and_holds_its_mails_when_started_again(tmp_path: Path) -> None:
    login = {"shop": "1", "username": "123456", "password": "synthetic", "allowed_senders": ["shop@example.invalid"]}
    for round_number in (1, 2):
        with relay_process(tmp_path) as (process, port, url):
            async with httpx.AsyncClient(base_url=url, timeout=SECONDS) as controls:
                assert (await controls.get("/_sim/health")).status_code == 200
                home = await controls.get("/")
                assert (home.status_code, home.headers["location"]) == (307, "/_sim/inbox")
                shown = await controls.put("/_sim/relay/logins", json={"logins": [login]})
                assert "synthetic" not in shown.text
                await send(port, tmp_path / "a.pem")
                mails = (await controls.get("/_sim/mails")).json()
                assert [mail["id"] for mail in mails["mails"]] == list(range(1, round_number + 1))
                assert (await controls.get("/_sim/inbox")).text.count("<tr>") == round_number + 1
                assert (await controls.get("/_sim/inbox/1")).status_code == 200
                assert (await controls.get("/_sim/inbox/9")).status_code == 404
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=SECONDS)
            assert (process.returncode, errors) == (0, "")
    lines = (tmp_path / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["sequence"] for line in lines if line] == [1, 2]


async def test_it_stops_while_a_client_holds_a_conversation(tmp_path: Path) -> None:
    with relay_process(tmp_path) as (process, port, _url), socket.create_connection(("127.0.0.1", port), 5) as held:
        assert held.recv(100).startswith(b"220 ")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=SECONDS)
    assert process.returncode == 0


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "simkit.relay", "--smtp-port", str(port), "--http-port", "0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, cwd=tmp_path)  # noqa: S603  own command
    assert (done.returncode, done.stderr) == (
        1,
        f"cannot start: port {port} of 127.0.0.1: Address already in use\n",
    )


@pytest.mark.parametrize(
    "text", ["[{}]", "no", '[{"shop":"1","username":"u","password":["canary"],"allowed_senders":[]}]']
)
def test_unreadable_logins_are_refused_without_showing_a_password(tmp_path: Path, text: str) -> None:
    file = tmp_path / "logins.json"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "simkit.relay", "--smtp-port", "0", "--http-port", "0", "--logins", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=dict(os.environ))  # noqa: S603  own command
    assert done.returncode == 2
    assert "cannot read --logins" in done.stderr
    assert "canary" not in done.stderr
