"""Kills services with SIGKILL at a moment when they hold work, seen from outside while they stand still."""

import asyncio
import contextlib
import os
import random
import signal
from dataclasses import dataclass

from hanro_local.demo.api import until
from hanro_local.demo.holdings import Holding, Look
from hanro_local.supervisor import Supervisor

# Long enough for work to pile up before a service that stands still, far shorter than any lease or session.
STOPPED_SECONDS = 2.0
LOOK_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.7
TRY_SECONDS = 120.0


@dataclass(frozen=True)
class Kill:
    """Be one kill: the service, its process, and what it held."""

    service: str
    pid: int
    in_hand: Holding


class NothingInHand(RuntimeError):
    """A service never held any work while it was looked at; the text names it."""


async def kill_at_work(supervisor: Supervisor, service: str, look: Look) -> Kill:
    """Stop a service, look at what it holds, and kill it if that is anything; else let it go on and try again.

    The supervisor starts it again by itself.

    Raises:
        NothingInHand: it held nothing at any look of two minutes.
    """
    try:
        async with asyncio.timeout(TRY_SECONDS):
            while True:
                kill = await _try(supervisor.pid(service), service, look)
                if kill:
                    return kill
                await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311  any moment will do
    except TimeoutError:
        raise NothingInHand(f"{service} held no work at any look of {TRY_SECONDS:.0f} s") from None


async def wait_ready(supervisor: Supervisor, kill: Kill, seconds: float) -> None:
    """Wait until a killed service runs again as another process.

    Raises:
        TimeoutError: it does not within `seconds`.
    """
    await until(
        seconds,
        lambda: supervisor.pid(kill.service) != kill.pid and supervisor.states()[kill.service] == "running",
    )


async def _try(pid: int, service: str, look: Look) -> Kill | None:
    os.kill(pid, signal.SIGSTOP)
    is_killed = False
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOPPED_SECONDS):
                while True:
                    holding = await look()
                    if holding.count:
                        os.kill(pid, signal.SIGKILL)
                        is_killed = True
                        return Kill(service, pid, holding)
                    await asyncio.sleep(LOOK_PAUSE_SECONDS)
    finally:
        if not is_killed:
            os.kill(pid, signal.SIGCONT)
    return None
