"""Ports are chosen once, kept over restarts, and chosen anew only when someone else took them."""

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hanro_local import ports


def test_a_second_start_has_the_same_ports(tmp_path: Path) -> None:
    file = tmp_path / "stack" / "ports.json"
    first = ports.keep(file, ["postgres", "kafka"])
    assert ports.keep(file, ["postgres", "kafka"]) == first
    assert len(set(first.values())) == 2


def test_only_a_taken_port_is_chosen_anew(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports.keep(file, ["postgres", "kafka"])
    with socket.socket() as taken:
        taken.bind((ports.HOST, first["kafka"]))
        taken.listen()
        second = ports.keep(file, ["postgres", "kafka"])
    assert second["postgres"] == first["postgres"]
    assert second["kafka"] != first["kafka"]
    assert ports.keep(file, ["postgres", "kafka"]) == second


def test_an_unreadable_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text('{"postgres": 20')
    assert set(ports.keep(file, ["postgres"])) == {"postgres"}


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    assert all(ports.FIRST <= port < ports.LAST for port in ports.choose(20))


CHOOSER = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from hanro_local import ports
ports.LAST = ports.FIRST + int(sys.argv[2])
print(*ports.choose(int(sys.argv[3])), flush=True)
sys.stdin.read()
"""
# So few that chance alone would let two choices meet.
FEW, HALF = 100, 40


@contextmanager
def another_stack(folder: Path) -> Iterator[set[int]]:
    """Give the ports that another process has chosen, and does not listen on yet, while it lives."""
    with subprocess.Popen(
        [sys.executable, "-c", CHOOSER, str(folder), str(FEW), str(HALF)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield set(map(int, process.stdout.readline().split()))
        # Its input ends, and so does it.
        process.communicate()


@pytest.fixture
def few_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ports, "LAST", ports.FIRST + FEW)
    return tmp_path


def test_two_stacks_that_start_at_once_share_no_port_and_one_that_ended_claims_none(few_ports: Path) -> None:
    with another_stack(few_ports) as taken:
        assert len(taken) == HALF
        assert taken.isdisjoint(ports.choose(HALF))
        with pytest.raises(OSError, match="free ports"):
            ports.choose(HALF)
    # Its own are kept for this process, which lives.
    assert set(ports.choose(HALF)) & taken


def test_what_was_kept_is_chosen_anew_where_another_stack_claims_it(few_ports: Path) -> None:
    file = few_ports / "ports.json"
    with another_stack(few_ports) as taken:
        file.write_text(json.dumps({"postgres": min(taken)}))
        assert ports.keep(file, ["postgres"])["postgres"] not in taken
    first = ports.keep(file, ["postgres"])
    assert ports.keep(file, ["postgres"]) == first
