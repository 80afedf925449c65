"""Gives a test run one whole stack of real processes, started when first asked for, and the demo shop linked there.

All tests that want the whole path share it: they tell their orders apart by number and leave it as they found it.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import brisk_service
import httpx
import pytest

from hanro_local import ports, postgres, stack
from hanro_local.background import Background, in_background
from hanro_local.child import nothing_to_prepare
from hanro_local.demo import marketplace, tokens
from hanro_local.demo.api import Api
from hanro_local.demo.marketplace import OpenShop
from hanro_local.demo.shop import LinkedShop, link
from hanro_local.issuer_state import PUBLIC_SCOPES
from hanro_local.settings import StackSettings
from hanro_local.stack import Stack

# Row tests share shops on it.
pytest_plugins = ["row_shops", "sandbox_shop"]

TRACE_FILE = "trace.jsonl"
# Short intervals, because a test waits for each; all that can be said is said, because tests look for what must not be.
ENVIRONMENT = {
    # Where the wrapper of services is.
    "PYTHONPATH": str(Path(__file__).parent),
    "HANRO_NEW_EVERY": "PT1S",
    "HANRO_SWEEP_EVERY": "PT5S",
    "HANRO_LONGEST_PAUSE": "PT5S",
    "HANRO_MAIL_DEADLINE_SECONDS": "10",
    "HANRO_REQUESTS_PER_MINUTE": "100000",
    "HANRO_LARGEST_IMPORT_BYTES": "1048576",
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
def kept_stack(keep_open: Callable[..., Background[Stack]]) -> Background[Stack]:
    """Keep the run's stack; at the end, also at a violent one, no process and no folder is left."""
    state = Path(tempfile.mkdtemp(prefix="hanro-stack-"))
    # Postgres as `nobody` must pass through; a temporary folder is closed to others.
    state.chmod(0o711)
    return keep_open("tests/e2e/", in_background(_opened(state), name="hanro-stack"))


@pytest.fixture(scope="session")
def shared_stack(kept_stack: Background[Stack]) -> Stack:
    """Offer the run's stack."""
    return kept_stack.value


@contextlib.asynccontextmanager
async def api_processes(kept: Background[Stack], service: str, count: int) -> AsyncIterator[list[str]]:
    """Run more processes of a service in the role `api` while the block lasts; gives where each answers."""
    replicas = [kept.value.fleet.replica(service, called=f"{service}-api-{number}") for number in range(count)]
    # The schema is there already.
    children = [
        replace(
            child,
            command=replace(child.command, arguments=(*child.command.arguments[:-1], "api")),
            prepare=nothing_to_prepare,
        )
        for child in replicas
    ]
    await asyncio.to_thread(kept.do, kept.value.supervisor.start(children))
    try:
        yield [f"http://127.0.0.1:{child.command.environment['HANRO_PORT']}" for child in children]
    finally:
        for child in children:
            await asyncio.to_thread(kept.do, kept.value.supervisor.end(child.name))


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


@contextlib.asynccontextmanager
async def _opened(state: Path) -> AsyncIterator[Stack]:
    wanted = StackSettings(
        state=state,
        gateway_port=ports.choose(1)[0],
        is_durable=False,
        service_environment=ENVIRONMENT,
        service_wrapper=brisk_service.__name__,
    )
    async with stack.running(wanted, report=print) as running:
        running.supervisor.guard.remove_at_end(state)
        if elsewhere := postgres.elsewhere(state / "postgres"):
            running.supervisor.guard.remove_at_end(elsewhere)
        async with httpx.AsyncClient(trust_env=False) as client:
            for simulator in (running.simulator, running.sandbox):
                await Api(client, simulator).call("PUT", "/_sim/limits", brisk_service.LIMITS)
        yield running
