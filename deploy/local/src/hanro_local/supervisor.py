"""Starts the processes of a stack, brings back those that die, and stops them all in time."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

from hanro_local import leftovers
from hanro_local.child import Child, ChildFailed, Command, NotReady, ending
from hanro_local.guard import Guard, guarding
from hanro_local.process_table import Target, started_of

PROBE_PAUSE_SECONDS = 0.05
PROBE_TIMEOUT_SECONDS = 5.0
STOP_SECONDS = 8.0
LONGEST_CHILD_STOP_SECONDS = 4.0
FIRST_BACKOFF_SECONDS = 0.5
# A child that lived this long starts again with the shortest pause.
STEADY_SECONDS = 60.0
LONGEST_SAYING = 300

Around = Callable[[Child], contextlib.AbstractAsyncContextManager[object]]
"""Surrounds the start of a child, to report it."""


def _nothing_around(_child: Child) -> contextlib.AbstractAsyncContextManager[object]:
    return contextlib.nullcontext()


@dataclass
class _Running:
    child: Child
    process: asyncio.subprocess.Process
    began: float
    is_ready: bool = False
    deaths: int = 0


class Supervisor:
    """The children of one stack; made by `supervised`."""

    def __init__(self, state: Path, guard: Guard, tasks: asyncio.TaskGroup, report: Callable[[str], None]) -> None:
        self._state = state
        self._guard = guard
        self._tasks = tasks
        self._report = report
        self._stages: list[list[_Running]] = []
        self._keepers: dict[str, asyncio.Task[None]] = {}

    @property
    def guard(self) -> Guard:
        """The guard that outlives this process and ends the children."""
        return self._guard

    def states(self) -> dict[str, str]:
        """Tell for each child, in the order of starting, `running` or `down`."""
        running = [one for stage in self._stages for one in stage]
        return {
            one.child.name: "running" if one.is_ready and one.process.returncode is None else "down" for one in running
        }

    def pid(self, name: str) -> int:
        """Return the process number that a child has now."""
        return next(one.process.pid for stage in self._stages for one in stage if one.child.name == name)

    def log(self, name: str) -> Path:
        """Return the file that holds what a child wrote; the one of the run before ends in `.1`."""
        return self._state / "log" / f"{name}.log"

    async def start(self, children: Sequence[Child], *, around: Around = _nothing_around) -> None:
        """Start children side by side and return when all are ready; from then on they are kept alive.

        `around` is entered for each child while it starts. Children started by a later call are stopped earlier.

        Raises:
            ChildFailed: one ended or was silent for its `ready_seconds`.
        """
        stage: list[_Running] = []
        self._stages.append(stage)
        starting = [asyncio.create_task(self._begin(child, stage, around)) for child in children]
        try:
            await asyncio.gather(*starting)
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)

    async def end(self, name: str) -> None:
        """Kill a child that is ready and forget it: it does not come back."""
        keeper = self._keepers.pop(name)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        for stage in self._stages:
            for one in [running for running in stage if running.child.name == name]:
                stage.remove(one)
                await self._stop_one(one, seconds=0)

    async def stop(self) -> None:
        """Stop all, the last stage first, in at most 10 s; what does not obey is killed."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        deadline = time.monotonic() + STOP_SECONDS
        for stage in reversed(self._stages):
            seconds = max(0.2, min(LONGEST_CHILD_STOP_SECONDS, deadline - time.monotonic()))
            await asyncio.gather(*(self._stop_one(one, seconds) for one in stage))

    async def _begin(self, child: Child, stage: list[_Running], around: Around) -> None:
        log = self.log(child.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        async with around(child):
            running = await self._launch(child)
            stage.append(running)
            await self._wait_ready(running)
        self._keepers[child.name] = self._tasks.create_task(self._keep_alive(running))

    async def _launch(self, child: Child) -> _Running:
        async def run(command: Command) -> None:
            preparing = await self._spawn(f"{child.name}-prepare", command, child)
            try:
                code = await asyncio.wait_for(preparing.wait(), child.ready_seconds)
            except TimeoutError:
                code = None
            finally:
                if preparing.returncode is None:
                    preparing.kill()
                    await preparing.wait()
                self._ended(f"{child.name}-prepare", preparing.pid)
            if code != 0:
                raise ChildFailed(f"{child.title} could not be prepared: read {self.log(child.name)}")

        await child.prepare(run)
        process = await self._spawn(child.name, child.command, child)
        return _Running(child=child, process=process, began=time.monotonic())

    async def _spawn(self, name: str, command: Command, child: Child) -> asyncio.subprocess.Process:
        with self.log(child.name).open("ab") as log:
            process = await _not_half(
                asyncio.create_subprocess_exec(
                    *command.arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=asyncio.subprocess.STDOUT,
                    cwd=command.folder,
                    env={**os.environ, **command.environment},
                    # Away from the terminal: Ctrl-C must reach us alone, who stop the children in order.
                    start_new_session=True,
                    user=command.user,
                    group=command.group,
                    extra_groups=None if command.user is None else [],
                )
            )
        target = Target(pid=process.pid, started=started_of(process.pid) or "", stop_signal=child.stop_signal)
        self._guard.add(target)
        leftovers.remember(self._state, name, target)
        return process

    async def _wait_ready(self, running: _Running) -> None:
        child, process = running.child, running.process
        deadline = running.began + child.ready_seconds
        while True:
            if process.returncode is not None:
                said = _last_line(self.log(child.name))
                how = f"{ending(process.returncode)} while starting{said}"
                raise ChildFailed(f"{child.title} {how}: read {self.log(child.name)}")
            if time.monotonic() > deadline:
                raise ChildFailed(
                    f"{child.title} did not answer within {child.ready_seconds:.0f} s: read {self.log(child.name)}"
                )
            try:
                await asyncio.wait_for(child.probe(), PROBE_TIMEOUT_SECONDS)
            except (NotReady, OSError):  # TimeoutError is an OSError
                await asyncio.sleep(PROBE_PAUSE_SECONDS)
            else:
                running.is_ready = True
                return

    async def _keep_alive(self, running: _Running) -> None:
        child = running.child
        while True:
            code = await running.process.wait()
            self._ended(child.name, running.process.pid)
            if running.is_ready and time.monotonic() - running.began > STEADY_SECONDS:
                running.deaths = 0
            pause = min(child.longest_pause_seconds, FIRST_BACKOFF_SECONDS * 2**running.deaths)
            running.deaths += 1
            running.is_ready = False
            self._report(
                f"{child.title} {ending(code)}, starts again in {pause:.1f} s; its log: {self.log(child.name)}"
            )
            await asyncio.sleep(pause)
            await self._bring_back(running)

    async def _bring_back(self, running: _Running) -> None:
        child = running.child
        try:
            again = await self._launch(child)
            running.process, running.began = again.process, again.began
            await self._wait_ready(running)
        except (ChildFailed, OSError) as failure:
            self._report(f"{child.title} is still down: {failure}")
            if running.process.returncode is None:
                running.process.kill()
        else:
            self._report(f"{child.title} is back, {time.monotonic() - running.began:.1f} s")

    async def _stop_one(self, running: _Running, seconds: float) -> None:
        process = running.process
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(running.child.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), seconds)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        self._ended(running.child.name, process.pid)

    def _ended(self, name: str, pid: int) -> None:
        self._guard.drop(pid)
        leftovers.forget(self._state, name)


@contextlib.asynccontextmanager
async def supervised(state: Path, report: Callable[[str], None]) -> AsyncIterator[Supervisor]:
    """Supervise children while the block lasts; afterwards none is left, also when the process is killed.

    What an earlier run left behind is ended first and reported. `report` takes one line for each death and each return.
    """
    for name in await asyncio.to_thread(leftovers.sweep, state):
        report(f"{name} of an earlier run was still alive and has been ended")
    failure: Exception | None = None
    with guarding() as guard:
        async with asyncio.TaskGroup() as tasks:
            supervisor = Supervisor(state, guard, tasks, report)
            try:
                yield supervisor
            except Exception as raised:  # noqa: BLE001  raised again below; the group would wrap it
                failure = raised
            finally:
                await supervisor.stop()
    if failure:
        raise failure


def _last_line(log: Path) -> str:
    """Give what a child said last, behind a comma: a port that is taken, or a setting that is wrong, stands there."""
    lines = log.read_text(errors="replace").rstrip().splitlines()
    return f', saying "{lines[-1][:LONGEST_SAYING]}"' if lines else ""


async def _not_half(starting: Coroutine[None, None, asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    # Cancelled in the middle, a process would run that nobody knows of.
    task = asyncio.ensure_future(starting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        process = await task
        process.kill()
        await process.wait()
        raise
