"""The commands of the local stack: `run` starts it and lives until Ctrl-C, `clean` wipes its state."""

import asyncio
import os
import platform
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from hanro_local import jars, leftovers, postgres, preflight, probes, run_lock, settings, stack, terminal
from hanro_local.child import ChildFailed
from hanro_local.jars import JarsRefused
from hanro_local.java import JavaMissing
from hanro_local.postgres import PlaceRefused
from hanro_local.progress import Steps, say
from hanro_local.run_lock import RunAlive
from hanro_local.settings import SettingRefused, StackSettings

REFUSALS = (RunAlive, JarsRefused, JavaMissing, PlaceRefused, ChildFailed, SettingRefused)
USAGE = "usage: python -m hanro_local run | clean"


def run(environ: dict[str, str], folder: Path) -> int:
    """Start the stack and live until Ctrl-C or SIGTERM; returns the exit code, 0 also when stopped while starting."""
    try:
        wanted = settings.read(environ, folder)
    except SettingRefused as refused:
        say(str(refused))
        return 1
    with terminal.foreground():
        return asyncio.run(_run(wanted, folder))


async def _run(wanted: StackSettings, folder: Path) -> int:
    probes.quiet_clients()
    steps = Steps(1 + stack.step_count(), report=say)
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel if task else loop.stop)
    try:
        async with steps.step("Machine") as step:
            problem = next(preflight.problems(wanted, folder=folder), None)
            step.result = f"Python {platform.python_version()}, port {wanted.gateway_port} is free"
            if problem:
                raise SettingRefused(problem)
        async with stack.running(wanted, report=say, steps=steps) as running:
            _show(running)
            await asyncio.Event().wait()
    except REFUSALS as refusal:
        say(str(refusal))
        return 1
    except asyncio.CancelledError:
        say(f"stopped, state kept in {_readable(wanted.state.parent, folder)}/")
    return 0


def _show(running: stack.Stack) -> None:
    say("")
    for line in stack.table(running):
        say(line)
    say("")
    say(f"open {running.gateway}/ in a browser; Ctrl-C stops everything and keeps its state")


def clean(environ: dict[str, str], folder: Path, *, report: Callable[[str], None] = say) -> int:
    """Wipe the state of every stack, also what lies below /var/tmp; refuse while one runs. Returns the exit code."""
    root = settings.state_root(environ, folder)
    # Only what a run has marked as its own: HANRO_STATE may name a folder that holds more than our state.
    states = sorted(lock.parent for lock in root.glob(f"*/{run_lock.FILE}"))
    for state in states:
        pid = run_lock.holder(state)
        if pid:
            report(f"a run is alive in {_readable(state, folder)} (pid {pid}): stop it with Ctrl-C there, then clean")
            return 1
    for state in states:
        leftovers.sweep(state)
        elsewhere = postgres.elsewhere(state / "postgres")
        if elsewhere:
            shutil.rmtree(elsewhere, ignore_errors=True)
        shutil.rmtree(state)
    if root.exists() and not any(root.iterdir()):
        root.rmdir()
    report(
        f"wiped {_readable(root, folder)}/; Kafka's jars stay in {jars.repository()}" if states else "nothing to wipe"
    )
    return 0


def _readable(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def main(words: list[str]) -> int:
    """Run the command that the words name; returns the exit code."""
    match words:
        case ["run"]:
            return run(dict(os.environ), Path.cwd())
        case ["clean"]:
            return clean(dict(os.environ), Path.cwd())
        case _:
            print(USAGE, file=sys.stderr)
            return 2
