"""Says in one line why the stack cannot start, before anything is downloaded.

Standard library alone: it runs before the venv is made. `python3 -m hanro_local.preflight` prints the first problem
with its remedy and ends with 1, or says nothing and ends with 0.
"""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from hanro_local import java, ports, run_lock, settings

OLDEST_PYTHON = (3, 11)
BYTES_NEEDED = 2_000_000_000


def python_problem(version: tuple[int, int]) -> str | None:
    """Refuse a Python older than 3.11."""
    if version >= OLDEST_PYTHON:
        return None
    seen = ".".join(map(str, version))
    return f"Python {seen} is too old: install Python 3.11 or newer, or say PYTHON=/path/to/python3.11 make run"


def platform_problem(system: str) -> str | None:
    """Refuse systems without process groups and file locks as Linux and macOS have them."""
    return (
        None if system in ("Linux", "Darwin") else f"{system} is not supported: run it in WSL 2, or on Linux or macOS"
    )


def venv_problem(*, is_made: bool, has_modules: bool) -> str | None:
    """Refuse a Python that cannot make a virtual environment, unless there is one already."""
    return (
        None
        if is_made or has_modules
        else "this Python has no venv module: install python3-venv (or your system's name for it)"
    )


def disk_problem(folder: Path, *, bytes_needed: int = BYTES_NEEDED) -> str | None:
    """Refuse a disk with less than 2 GB free where the state will lie."""
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(existing).free
    if free >= bytes_needed:
        return None
    seen, needed = f"{free / 1e9:.1f} GB", f"{bytes_needed / 1e9:.0f} GB"
    return f"only {seen} free at {existing}, {needed} are needed: make room, or say HANRO_STATE=/other/disk make run"


def java_problem(system: str, machine: str, *, search_path: str | None = None) -> str | None:
    """Refuse a platform without a packaged Java runtime and without Java 17 on the search path (default: PATH)."""
    if java.has_wheel(system, machine):
        return None
    try:
        java.find_on_path(search_path)
    except java.JavaMissing as missing:
        return str(missing)
    return None


def port_problem(port: int) -> str | None:
    """Refuse a gateway port that something listens on, and name it where that is cheap."""
    if ports.is_free(port):
        return None
    owner = ports.owner(port)
    by = f" by {owner}" if owner else ""
    return f"port {port} is taken{by}: stop that, or say HANRO_PORT={ports.choose(1)[0]} make run"


def run_problem(state: Path) -> str | None:
    """Refuse a state folder that another run holds."""
    pid = run_lock.holder(state)
    return run_lock.refusal(state, pid) if pid else None


def problems(wanted: settings.StackSettings, *, folder: Path) -> Iterator[str]:
    """Yield what stands in the way, the most basic first; the folder is the workspace's, where the venv lies.

    Nothing is looked at before it is asked for: who holds a port is found by a walk through all processes.
    """
    has_modules = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    is_made = (folder / ".venv" / "bin" / "python").exists() or sys.prefix != sys.base_prefix
    looks: tuple[Callable[[], str | None], ...] = (
        lambda: python_problem((sys.version_info.major, sys.version_info.minor)),
        lambda: platform_problem(platform.system()),
        lambda: venv_problem(is_made=is_made, has_modules=has_modules),
        lambda: java_problem(platform.system(), platform.machine()),
        lambda: disk_problem(wanted.state),
        lambda: run_problem(wanted.state),
        lambda: port_problem(wanted.gateway_port),
    )
    yield from (problem for look in looks if (problem := look()))


def main() -> None:
    """Print the first problem and end with 1, or be silent."""
    try:
        problem = next(problems(settings.read(os.environ, Path.cwd()), folder=Path.cwd()), None)
    except settings.SettingRefused as refused:
        problem = str(refused)
    if problem:
        print(problem)
        sys.exit(1)


if __name__ == "__main__":
    main()
