"""Runs the whole stack with a fault proxy before Postgres, Kafka and the mail relay, and gives tests the levers."""

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import faulty_service
from fault_proxy import FaultProxy, kafka_frames, postgres_frames, smtp_frames
from fault_switches import Switches, await_true

from hanro_local import ports, postgres
from hanro_local import stack as local_stack
from hanro_local.background import Background, in_background
from hanro_local.child import Child, nothing_to_prepare
from hanro_local.settings import StackSettings
from hanro_local.stack import DATABASE, Seams, Stack

CONNECT_SECONDS = 10.0
# Of order-svc's jobs: three times the longest call of any marketplace that is installed.
LEASE_SECONDS = 180.0
PACE = {
    "HANRO_NEW_EVERY": "PT1S",
    "HANRO_SWEEP_EVERY": "PT4S",
    "HANRO_MAIL_DEADLINE_SECONDS": "3",
    "HANRO_MAIL_STEP_SECONDS": "3",
    "HANRO_REQUESTS_PER_MINUTE": "100000",
}


@dataclass(frozen=True)
class Proxies:
    """Be what stands between the services and their servers."""

    postgres: FaultProxy
    kafka: FaultProxy
    smtp: FaultProxy

    def heal(self) -> None:
        """Let everything through."""
        for proxy in (self.postgres, self.kafka, self.smtp):
            proxy.heal()


@dataclass(frozen=True)
class FaultStack:
    """Be the running stack and the levers on its processes; `parts` says where they answer, past the proxies."""

    running: Background[Stack] = field(repr=False)
    proxies: Proxies
    switches: Switches

    @property
    def parts(self) -> Stack:
        """The stack itself."""
        return self.running.value

    @property
    def clock(self) -> Path:
        """The file that moves the services' time, in seconds."""
        return self.parts.state / "clock-offset"

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """Connect to the services' database as its superuser, past the proxy, while the block lasts."""
        connection = await asyncpg.connect(self.parts.postgres.url(DATABASE), timeout=CONNECT_SECONDS)
        try:
            yield connection
        finally:
            await connection.close(timeout=CONNECT_SECONDS)

    def pid(self, name: str) -> int:
        """Give a child's process number."""
        return self.parts.supervisor.pid(name)

    def child(self, name: str) -> Child:
        """Give a child that runs from the beginning."""
        return next(one for one in self.parts.children if one.name == name)

    def kill(self, name: str) -> int:
        """Kill a child with SIGKILL, and give the process number that it had."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def await_back(self, name: str, pid: int, seconds: float = 60.0) -> None:
        """Wait until a child runs again as another process."""
        supervisor = self.parts.supervisor
        await_true(
            seconds,
            lambda: self.pid(name) != pid and supervisor.states()[name] == "running",
            f"the return of {name}",
        )

    def await_running(self, seconds: float = 60.0) -> None:
        """Wait until every child runs."""
        supervisor = self.parts.supervisor
        await_true(seconds, lambda: set(supervisor.states().values()) == {"running"}, "all processes")

    @contextlib.asynccontextmanager
    async def down(self, *names: str) -> AsyncIterator[None]:
        """Kill children with SIGKILL and keep them down while the block lasts; afterwards all run again."""
        pids = {}
        for name in names:
            self.switches.hold(name)
            pids[name] = self.kill(name)
        try:
            yield
        finally:
            for name in names:
                self.switches.release(name)
        for name, pid in pids.items():
            await asyncio.to_thread(self.await_back, name, pid)

    @contextlib.asynccontextmanager
    async def replica(self, name: str, number: int = 2) -> AsyncIterator[Child]:
        """Run one more process of a service, on ports and with failpoints of its own name, while the block lasts."""
        child = self.parts.fleet.replica(name, called=f"{name}-{number}")
        named = {**child.command.environment, faulty_service.NAME: child.name}
        # The schema is there already.
        child = replace(child, command=replace(child.command, environment=named), prepare=nothing_to_prepare)
        await asyncio.to_thread(self.running.do, self.parts.supervisor.start([child]))
        try:
            yield child
        finally:
            await asyncio.to_thread(self.running.do, self.parts.supervisor.end(child.name))

    def reset(self, proxy: FaultProxy) -> None:
        """Reset every connection through a proxy."""
        self.running.loop.call_soon_threadsafe(proxy.reset)

    async def expire_leases(self) -> None:
        """Let the leases of order-svc run out now; they last three times the longest call of any marketplace."""
        async with self.database() as connection:
            await connection.execute("update orders.due set lease_until = orders.now() where lease_until is not null")
            # What was sent is due for a look when its lease ends.
            await connection.execute(
                "update orders.operations set lease_until = orders.now(), next_at = least(next_at, orders.now())"
                " where lease_until is not null"
            )

    async def rest_accounts(self, *account_ids: str) -> None:
        """Let nobody ask for orders of accounts, all that are linked by now by default: they would slow down others."""
        async with self.database() as connection:
            await connection.execute(
                "update orders.due set next_at = 'infinity', planned_at = null, lease_until = null,"
                " fence = nextval('orders.due_fence') where account_id = any($1) or cardinality($1::text[]) = 0",
                account_ids,
            )

    async def wake_account(self, account_id: str) -> None:
        """Let orders of an account be asked for again."""
        async with self.database() as connection:
            await connection.execute("update orders.due set next_at = orders.now() where account_id = $1", account_id)

    async def try_key(self, account_id: str) -> None:
        """Let account-svc try an account's second credentials now, or once more where it does just now."""
        async with self.database() as connection:
            await connection.execute(
                "update account.due set next_at = account.now(), planned_at = account.now()"
                " where account_id = $1 and job = 'rotation'",
                account_id,
            )

    def heal(self) -> None:
        """Take every fault away and wait until all processes run."""
        self.proxies.heal()
        self.switches.clear()
        self.await_running()


@contextlib.contextmanager
def running() -> Iterator[FaultStack]:
    """Run a stack while the block lasts, in a folder and on ports of its own, kept by a thread of its own."""
    state = Path(tempfile.mkdtemp(prefix="hanro-faults-"))
    # Postgres as `nobody` must pass through.
    state.chmod(0o711)
    # The stack keeps to these: what the proxies stand before must be known first.
    kept = ports.keep(state / "ports.json", local_stack.PORT_NAMES)
    proxies = Proxies(
        postgres=FaultProxy(target_port=kept["postgres"], frames=postgres_frames),
        kafka=FaultProxy(target_port=kept["kafka"], frames=kafka_frames),
        smtp=FaultProxy(target_port=kept["ichiba-smtp"], frames=smtp_frames),
    )
    switches = Switches(state / "faults")
    with in_background(_opened(state, proxies, switches), name="fault-stack") as background:
        yield FaultStack(background, proxies, switches)


@contextlib.asynccontextmanager
async def _opened(state: Path, proxies: Proxies, switches: Switches) -> AsyncIterator[Stack]:
    modules = {"PYTHONPATH": str(Path(__file__).parent), faulty_service.FOLDER: str(switches.folder)}
    settings = StackSettings(
        state=state,
        gateway_port=ports.choose(1)[0],
        # Durable: without it Postgres forgets the last commits when it is killed, which no service could make good.
        is_durable=True,
        service_environment=PACE | modules | {"HANRO_CLOCK_OFFSET_FILE": str(state / "clock-offset")},
        service_wrapper="faulty_service",
    )
    async with contextlib.AsyncExitStack() as opened:
        lines = opened.enter_context((state / "supervisor.log").open("w"))

        def report(line: str) -> None:
            lines.write(f"{time.time():.3f} {line}\n")
            lines.flush()

        told = {
            "postgres": await opened.enter_async_context(proxies.postgres.serving()),
            "kafka": await opened.enter_async_context(proxies.kafka.serving()),
            "ichiba-smtp": await opened.enter_async_context(proxies.smtp.serving()),
        }
        seams = Seams(told_ports=told, child=switches.holdable)
        started = await opened.enter_async_context(local_stack.running(settings, report=report, seams=seams))
        started.supervisor.guard.remove_at_end(state)
        if elsewhere := postgres.elsewhere(state / "postgres"):
            started.supervisor.guard.remove_at_end(elsewhere)
        yield started
