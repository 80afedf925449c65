"""Ports are chosen once, kept over restarts, and chosen anew only when someone else took them."""

import socket
from pathlib import Path

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
