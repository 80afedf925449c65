"""What a service says when its environment is wrong: plain lines that name the variable, no traceback, no value."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

CANARY = "canary-55d0"
SECONDS = 30
REFUSED = 2


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """Say everything that a service needs; nobody listens at its addresses."""
    (folder / "keys").mkdir(exist_ok=True)
    for name in ("kek-1.key", "index.key"):
        (folder / "keys" / name).write_text(secrets.token_hex(32))
    said = {
        "HANRO_DATABASE_URL": f"postgresql://nobody:{CANARY}@127.0.0.1:1/none",
        "HANRO_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "HANRO_ISSUER": "http://127.0.0.1:1",
        "HANRO_JWKS_URL": "http://127.0.0.1:1/jwks",
        "HANRO_KEYS_DIR": str(folder / "keys"),
    }
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HANRO_")}
    return kept | said | changes


def end_of(command: str, said: Mapping[str, str]) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "catalog_svc", command],
        env=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert CANARY not in done.stdout + done.stderr
    return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.mark.parametrize("broken", ["missing", "not hexadecimal", "two and none is named"])
def test_keys_that_cannot_be_read_are_one_line(tmp_path: Path, broken: str) -> None:
    said = environment(tmp_path)
    match broken:
        case "missing":
            said |= {"HANRO_KEYS_DIR": str(tmp_path / "nothing")}
        case "not hexadecimal":
            (tmp_path / "keys" / "kek-1.key").write_text(CANARY)
        case _:
            (tmp_path / "keys" / "kek-2.key").write_text(secrets.token_hex(32))
    code, lines = end_of("all", said)
    assert (code, len(lines)) == (REFUSED, 1), lines
    assert lines[0].startswith("HANRO_KEYS_DIR: ")


def test_a_trace_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    code, lines = end_of("api", environment(tmp_path, HANRO_TRACE_FILE=str(tmp_path / "nothing" / "spans")))
    assert (code, len(lines)) == (REFUSED, 1), lines
    assert lines[0].startswith("HANRO_TRACE_FILE: ")


@pytest.mark.parametrize("command", ["all", "migrate"])
def test_each_missing_variable_is_a_line(tmp_path: Path, command: str) -> None:
    said = environment(tmp_path)
    del said["HANRO_ISSUER"], said["HANRO_KEYS_DIR"]
    code, lines = end_of(command, said)
    assert (code, [line.partition(":")[0] for line in lines]) == (REFUSED, ["HANRO_ISSUER", "HANRO_KEYS_DIR"])


def test_spans_are_written_to_the_file_that_was_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = [str(held.getsockname()[1]) for held in (one, two)]
    file = tmp_path / "spans.jsonl"
    said = environment(tmp_path, HANRO_TRACE_FILE=str(file), HANRO_PORT=ports[0], HANRO_INTERNAL_PORT=ports[1])
    with subprocess.Popen([sys.executable, "-m", "catalog_svc", "api"], env=said) as process:
        try:
            refused = ask(f"http://127.0.0.1:{ports[0]}/v1/stock")
        finally:
            process.send_signal(signal.SIGTERM)
            ended = process.wait(SECONDS)
    spans = [json.loads(line) for line in file.read_text().splitlines()]
    assert (refused, ended) == (401, 0)
    assert "http public" in {span["name"] for span in spans}
    assert {span["resource"]["attributes"]["service.name"] for span in spans} == {"catalog-svc"}


def ask(url: str) -> int:
    """Ask until the process listens; give the status."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  loopback
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
