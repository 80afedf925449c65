"""Kills services with SIGKILL at a moment when they hold work, seen from outside while they stand still."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass

from hanro_local.demo.api import until
from hanro_local.demo.holdings import Holding, Watch
from hanro_local.supervisor import Supervisor

LOOK_PAUSE_SECONDS = 0.05
TRY_SECONDS = 120.0
STOP_SECONDS = 1.0
STOP_PAUSE_SECONDS = 0.001


@dataclass(frozen=True)
class Kill:
    """Be one kill: the service, its process, and what it held."""

    service: str
    pid: int
    in_hand: Holding


class NothingInHand(RuntimeError):
    """A service never held any work while it was looked at; the text names it."""


async def kill_at_work(supervisor: Supervisor, service: str, watch: Watch) -> Kill:
    """Stop a service, look at what it holds, and kill it if that is anything; else let it go on and try again.

    The supervisor starts it again by itself.

    Raises:
        NothingInHand: it held nothing at any look of two minutes.
    """
    try:
        async with asyncio.timeout(TRY_SECONDS):
            while True:
                await watch.moment()
                kill = await _try(supervisor.pid(service), service, watch)
                if kill:
                    return kill
    except TimeoutError:
        raise NothingInHand(f"{service} held no work within {TRY_SECONDS:.0f} s: give it more ORDERS") from None


async def wait_ready(supervisor: Supervisor, kill: Kill, seconds: float) -> None:
    """Wait until a killed service runs again as another process.

    Raises:
        TimeoutError: it does not within `seconds`.
    """
    await until(
        seconds,
        lambda: supervisor.pid(kill.service) != kill.pid and supervisor.states()[kill.service] == "running",
    )


async def _try(pid: int, service: str, watch: Watch) -> Kill | None:
    is_killed = False
    try:
        await _stop(pid)
        goes_on_at = time.monotonic() + watch.seconds
        while True:
            holding = await watch.look()
            if holding.count:
                os.kill(pid, signal.SIGKILL)
                is_killed = True
                return Kill(service, pid, holding)
            if time.monotonic() >= goes_on_at:
                return None
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
    finally:
        if not is_killed:
            os.kill(pid, signal.SIGCONT)


async def _stop(pid: int) -> None:
    """Send SIGSTOP and return when the process stands still: what is counted then does not change under its hands."""
    os.kill(pid, signal.SIGSTOP)
    gives_up_at = time.monotonic() + STOP_SECONDS
    while not _has_stopped(pid) and time.monotonic() < gives_up_at:  # noqa: ASYNC110  the kernel gives no event
        await asyncio.sleep(STOP_PAUSE_SECONDS)


def _has_stopped(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG) is not None
