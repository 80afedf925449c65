"""What keeps the stack from starting is one line with its remedy."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hanro_local import preflight, run_lock, settings
from hanro_local.settings import SettingRefused, StackSettings

SOURCES = Path(preflight.__file__).parents[1]


def is_one_line(text: str | None) -> bool:
    return text is not None and "\n" not in text.strip() and ":" in text


def test_an_old_python_is_refused_with_the_remedy() -> None:
    problem = preflight.python_problem((3, 10))
    assert is_one_line(problem)
    assert "Python 3.10" in str(problem)
    assert "PYTHON=" in str(problem)
    assert preflight.python_problem((3, 11)) is None


def test_a_python_without_venv_is_refused_unless_there_is_a_virtual_environment() -> None:
    assert "python3-venv" in str(preflight.venv_problem(is_made=False, has_modules=False))
    assert preflight.venv_problem(is_made=True, has_modules=False) is None
    assert preflight.venv_problem(is_made=False, has_modules=True) is None


def test_windows_is_refused_with_the_remedy() -> None:
    assert "WSL" in str(preflight.platform_problem("Windows"))
    assert preflight.platform_problem("Darwin") is None


def test_a_full_disk_is_refused_with_the_remedy(tmp_path: Path) -> None:
    problem = preflight.disk_problem(tmp_path / "not" / "yet", bytes_needed=10**18)
    assert is_one_line(problem)
    assert "HANRO_STATE=" in str(problem)
    assert preflight.disk_problem(tmp_path, bytes_needed=1) is None


def test_no_java_is_refused_where_none_comes_with_the_packages(tmp_path: Path) -> None:
    problem = preflight.java_problem("Linux", "riscv64", search_path=str(tmp_path))
    assert is_one_line(problem)
    assert "install Java 17" in str(problem)
    assert preflight.java_problem("Linux", "x86_64", search_path=str(tmp_path)) is None


@pytest.mark.parametrize(
    ("version", "is_refused"), [("11.0.2", True), ("1.8.0_392", True), ("17.0.9", False), ("25", False)]
)
def test_java_on_the_path_must_be_17_or_newer(tmp_path: Path, version: str, *, is_refused: bool) -> None:
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n")
    program.chmod(0o755)
    problem = preflight.java_problem("Linux", "riscv64", search_path=str(tmp_path))
    assert (problem is not None) == is_refused
    assert problem is None or is_one_line(problem)


def test_a_taken_port_is_one_line_that_names_port_owner_and_remedy_before_anything_is_written(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        # Isolated from site-packages: before the first download there are none.
        answer = subprocess.run(
            [sys.executable, "-S", "-m", "hanro_local.preflight"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), "HANRO_PORT": str(port)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    assert answer.returncode == 1
    assert answer.stderr == ""
    assert len(answer.stdout.splitlines()) == 1
    assert f"port {port} is taken" in answer.stdout
    assert "HANRO_PORT=" in answer.stdout
    if sys.platform == "linux":
        assert f"pid {os.getpid()}," in answer.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_in_the_same_folder_is_refused_and_named(tmp_path: Path) -> None:
    assert preflight.run_problem(tmp_path) is None
    with run_lock.held(tmp_path):
        problem = preflight.run_problem(tmp_path)
    assert is_one_line(problem)
    assert f"pid {os.getpid()}" in str(problem)
    assert preflight.run_problem(tmp_path) is None


def test_this_machine_passes(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert list(preflight.problems(StackSettings(state=tmp_path, gateway_port=port), folder=tmp_path)) == []


@pytest.mark.parametrize("said", ["http", "0", "70000", "-1", "80 80"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(SettingRefused, match="is no port"):
        settings.read({"HANRO_PORT": said}, tmp_path)


def test_the_environment_moves_port_and_state(tmp_path: Path) -> None:
    assert settings.read({}, tmp_path) == StackSettings(state=tmp_path / ".hanro" / "run", gateway_port=8080)
    moved = settings.read({"HANRO_PORT": "9000", "HANRO_STATE": "/elsewhere"}, tmp_path, name="demo")
    assert moved == StackSettings(state=Path("/elsewhere/demo"), gateway_port=9000)
