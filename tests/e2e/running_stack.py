"""Gives a test run one whole stack of real processes, started when first asked for, and the demo shop linked there.

All tests that want the whole path share it: they tell their orders apart by number and leave it as they found it.
"""

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hanro_local import ports, postgres, stack
from hanro_local.demo import marketplace, tokens
from hanro_local.demo.api import Api
from hanro_local.demo.marketplace import OpenShop
from hanro_local.demo.shop import LinkedShop, link
from hanro_local.issuer_state import PUBLIC_SCOPES
from hanro_local.settings import StackSettings
from hanro_local.stack import Stack

START_SECONDS = 400.0
STOP_SECONDS = 60.0
TRACE_FILE = "trace.jsonl"
# Short intervals, because a test waits for each; all that can be said is said, because tests look for what must not be.
ENVIRONMENT = {
    "HANRO_NEW_EVERY": "PT1S",
    "HANRO_SWEEP_EVERY": "PT5S",
    "HANRO_LONGEST_PAUSE": "PT5S",
    "HANRO_MAIL_DEADLINE_SECONDS": "10",
    "HANRO_REQUESTS_PER_MINUTE": "100000",
    "HANRO_LOG_LEVEL": "debug",
    # Each service's own: it stands in the folder in which the service runs.
    "HANRO_TRACE_FILE": TRACE_FILE,
}


@dataclass(frozen=True)
class Linked:
    """Be the demo shop from both sides: what the marketplace handed out, and the account that hanro made of it."""

    shop: OpenShop
    account: LinkedShop


@dataclass(frozen=True)
class Doors:
    """Be the doors of a stack: hanro's gateway, open to ops too, the simulator's controls, services' internal ports."""

    hanro: Api
    simulator: Api
    internal: Mapping[str, Api]


@pytest.fixture(scope="session")
def shared_stack() -> Iterator[Stack]:
    """Offer the run's stack; at the end, also at a violent one, no process and no folder is left."""
    state = Path(tempfile.mkdtemp(prefix="hanro-stack-"))
    # Postgres as `nobody` must pass through; a temporary folder is closed to others.
    state.chmod(0o711)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="hanro-stack", daemon=True)
    thread.start()
    holder = _Holder(state)
    try:
        yield asyncio.run_coroutine_threadsafe(holder.open(), loop).result(START_SECONDS)
    finally:
        asyncio.run_coroutine_threadsafe(holder.close(), loop).result(STOP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="session")
def linked(shared_stack: Stack) -> Linked:
    """Link the demo shop, put its goods and bind its mail."""

    async def act() -> Linked:
        async with doors(shared_stack) as opened:
            shop = await marketplace.open_shop(opened.simulator)
            return Linked(shop, await link(opened.hanro, shop))

    return asyncio.run(act())


@contextlib.asynccontextmanager
async def doors(running: Stack) -> AsyncIterator[Doors]:
    """Open the doors of a stack while the block lasts."""
    async with httpx.AsyncClient(trust_env=False) as client:
        token = tokens.mint(running.state, (*PUBLIC_SCOPES, "ops"))
        environments = {child.name: child.command.environment or {} for child in running.children}
        internal = {
            name: Api(client, f"http://127.0.0.1:{said['HANRO_INTERNAL_PORT']}")
            for name, said in environments.items()
            if "HANRO_INTERNAL_PORT" in said
        }
        yield Doors(Api(client, running.gateway, token), Api(client, running.simulator), internal)


class _Holder:
    # One task both enters and leaves the stack's block, because a task group demands it.
    def __init__(self, state: Path) -> None:
        self._state = state
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> Stack:
        opened: asyncio.Future[Stack] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(opened))
        return await opened

    async def close(self) -> None:
        self._closing.set()
        if self._task:
            await self._task

    async def _hold(self, opened: "asyncio.Future[Stack]") -> None:
        wanted = StackSettings(
            state=self._state,
            gateway_port=ports.choose(1)[0],
            is_durable=False,
            service_environment=ENVIRONMENT,
        )
        try:
            async with stack.running(wanted, report=print) as running:
                running.supervisor.guard.remove_at_end(self._state)
                if elsewhere := postgres.elsewhere(self._state / "postgres"):
                    running.supervisor.guard.remove_at_end(elsewhere)
                opened.set_result(running)
                await self._closing.wait()
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)
