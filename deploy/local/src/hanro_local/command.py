"""The commands of the local stack: `run` lives until Ctrl-C, `demo` proves it under kills; `doors`, `clean`."""

import asyncio
import json
import os
import platform
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx

from hanro_local import jars, leftovers, ports, postgres, preflight, probes, run_lock, settings, stack, terminal
from hanro_local.child import ChildFailed
from hanro_local.demo import marketplace, tokens
from hanro_local.demo.api import Refused
from hanro_local.demo.conduct import conduct, step_count
from hanro_local.demo.kills import NothingInHand
from hanro_local.demo.live import show
from hanro_local.jars import JarsRefused
from hanro_local.java import JavaMissing
from hanro_local.postgres import PlaceRefused
from hanro_local.progress import Steps, say
from hanro_local.run_lock import RunAlive
from hanro_local.settings import SettingRefused, StackSettings

REFUSALS = (
    *(RunAlive, JarsRefused, JavaMissing, PlaceRefused, ChildFailed, SettingRefused),
    *(Refused, NothingInHand, httpx.HTTPError, TimeoutError, ValueError),
)
USAGE = "usage: python -m hanro_local run | demo | doors | clean"
DEMO = "demo"
BREAK_WRAPPER = "hanro_local.demo.broken"
BREAK_VARIABLE = "HANRO_BREAK"
# Sellers wait a quarter of a minute for an order; who watches one come in should not.
RUN_PACE = {"HANRO_NEW_EVERY": "PT3S"}
DEMO_PACE = {
    "HANRO_NEW_EVERY": "PT2S",
    "HANRO_SWEEP_EVERY": "PT20S",
    "HANRO_MAIL_DEADLINE_SECONDS": "10",
    "HANRO_REQUESTS_PER_MINUTE": "100000",
}


Live = Callable[[stack.Stack, Steps], Awaitable[bool]]
"""Uses a stack that runs, and reports its own steps; False: what it was for has failed."""


def run(environ: dict[str, str], folder: Path) -> int:
    """Start the stack and live until Ctrl-C or SIGTERM; returns the exit code, 0 also when stopped while starting."""
    try:
        wanted = settings.read(environ, folder)
    except SettingRefused as refused:
        say(str(refused))
        return 1

    async def live(running: stack.Stack, steps: Steps) -> bool:
        await show(running, steps, say)
        return True

    with terminal.foreground():
        return asyncio.run(_run(replace(wanted, service_environment=RUN_PACE), folder, live, step_count=1))


def demo(environ: dict[str, str], folder: Path) -> int:
    """Conduct a demo on a stack of its own, beside others; returns 0 when every check held, 1 otherwise, also stopped.

    Its state is wiped at the start and kept at the end, to be looked at.
    """
    state = settings.state_root(environ, folder) / DEMO
    try:
        wish = settings.read_wish(environ)
    except SettingRefused as refused:
        say(str(refused))
        return 1
    if pid := run_lock.holder(state):
        say(f"a demo is alive in {_readable(state, folder)} (pid {pid}): wait for it, or stop it with Ctrl-C there")
        return 1
    _wipe(state)
    wanted = StackSettings(
        state=state,
        gateway_port=ports.choose(1)[0],
        service_environment=DEMO_PACE | ({BREAK_VARIABLE: wish.broken} if wish.broken else {}),
        service_wrapper=BREAK_WRAPPER if wish.broken else "",
    )

    async def live(running: stack.Stack, steps: Steps) -> bool:
        return await conduct(running, wish, steps, say)

    with terminal.foreground():
        return asyncio.run(_run(wanted, folder, live, step_count=step_count(wish), code_when_stopped=1))


async def _run(wanted: StackSettings, folder: Path, live: Live, *, step_count: int, code_when_stopped: int = 0) -> int:
    probes.quiet_clients()
    steps = Steps(1 + stack.step_count() + step_count, report=say)
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
        async with stack.running(wanted, report=say, steps=steps, set_up=marketplace.open_at) as running:
            is_well = await live(running, steps)
    except REFUSALS as refusal:
        say(str(refusal) or type(refusal).__name__)
        return 1
    except asyncio.CancelledError:
        say(f"stopped, state kept in {_readable(wanted.state.parent, folder)}/")
        return code_when_stopped
    return 0 if is_well else 1


def doors(environ: dict[str, str], folder: Path) -> int:
    """Print where the stack that runs is, as a shell takes it: hanro, the simulator, a token; returns the exit code."""
    try:
        wanted = settings.read(environ, folder)
    except SettingRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    if not run_lock.holder(wanted.state):
        print("nothing runs: start it by `make run`, and keep it running", file=sys.stderr)
        return 1
    chosen = json.loads((wanted.state / "ports.json").read_text(encoding="ascii"))
    simulator = f"http://{ports.HOST}:{chosen['ichiba-http']}"
    print(f"H='http://{ports.HOST}:{wanted.gateway_port}' S='{simulator}' T='{tokens.mint(wanted.state)}'")
    return 0


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
        _wipe(state)
    if root.exists() and not any(root.iterdir()):
        root.rmdir()
    report(
        f"wiped {_readable(root, folder)}/; Kafka's jars stay in {jars.repository()}" if states else "nothing to wipe"
    )
    return 0


def _wipe(state: Path) -> None:
    if not state.exists():
        return
    leftovers.sweep(state)
    elsewhere = postgres.elsewhere(state / "postgres")
    if elsewhere:
        shutil.rmtree(elsewhere, ignore_errors=True)
    shutil.rmtree(state)


def _readable(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def main(words: list[str]) -> int:
    """Run the command that the words name; returns the exit code."""
    match words:
        case ["run"]:
            return run(dict(os.environ), Path.cwd())
        case ["demo"]:
            return demo(dict(os.environ), Path.cwd())
        case ["doors"]:
            return doors(dict(os.environ), Path.cwd())
        case ["clean"]:
            return clean(dict(os.environ), Path.cwd())
        case _:
            print(USAGE, file=sys.stderr)
            return 2
