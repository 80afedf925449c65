"""Runs the whole stack with a fault proxy before Postgres and Kafka, and gives tests the levers."""

import asyncio
import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import faulty_service
from fault_proxy import FaultProxy, kafka_frames, postgres_frames

from hanro_local import databases, jars, java, kafka, ports, postgres, probes, run_lock, services, stack
from hanro_local.child import Child, Runner
from hanro_local.databases import SchemaUrls
from hanro_local.kafka import KafkaSettings
from hanro_local.postgres import PostgresAddress, PostgresSettings
from hanro_local.services import Service, Surroundings
from hanro_local.settings import StackSettings
from hanro_local.supervisor import Supervisor, supervised

HOST = "127.0.0.1"
START_SECONDS = 300.0
STOP_SECONDS = 30.0
PACE = {
    "HANRO_NEW_EVERY": "PT1S",
    "HANRO_SWEEP_EVERY": "PT4S",
    "HANRO_POLL_LEASE": "PT6S",
    "HANRO_MAIL_DEADLINE_SECONDS": "3",
    "HANRO_MAIL_STEP_SECONDS": "3",
    "HANRO_REQUESTS_PER_MINUTE": "100000",
}
PROXY_PORTS = ("postgres-proxy", "kafka-proxy")
UNMIGRATED = "unmigrated"
# Behind the name of a replica, which is held down once its test is over.
SECOND = "-2"

Value = TypeVar("Value")


class Late(AssertionError):
    """Something did not happen in time."""


def await_true(seconds: float, is_done: Callable[[], bool], what: str) -> None:
    """Look until it is so.

    Raises:
        Late: it was not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise Late(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


@dataclass(frozen=True)
class FaultStack:
    """Be the running stack: where its parts answer, and levers on its processes. `postgres` and `kafka` are direct."""

    state: Path
    gateway: str
    simulator: str
    postgres: PostgresAddress
    kafka: str
    ports: Mapping[str, int]
    supervisor: Supervisor
    postgres_proxy: FaultProxy
    kafka_proxy: FaultProxy
    urls: Mapping[str, SchemaUrls] = field(repr=False)
    around: Surroundings
    loop: asyncio.AbstractEventLoop = field(repr=False)

    @property
    def folder(self) -> Path:
        """The folder of armed failpoints and broken protections."""
        return self.state / "faults"

    @property
    def clock(self) -> Path:
        """The file that moves the services' time, in seconds."""
        return self.state / "clock-offset"

    def arm(self, module: str, point: str, deed: str = "kill") -> Path:
        """Arm a failpoint of a service, once; the file is gone when it was reached."""
        file = self.folder / module / point
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        draft.write_text(deed)
        draft.rename(file)
        return file

    def await_reached(self, file: Path, seconds: float = 30.0) -> None:
        """Wait until an armed failpoint was reached."""
        await_true(seconds, lambda: not file.exists(), f"failpoint {file.name} of {file.parent.name}")

    @contextlib.contextmanager
    def broken(self, what: str) -> Iterator[None]:
        """Break a protection in all services while the block lasts."""
        flag = self.folder / "broken" / what
        flag.parent.mkdir(parents=True, exist_ok=True)
        flag.touch()
        try:
            yield
        finally:
            flag.unlink()

    def pid(self, name: str) -> int:
        """Give a child's process number."""
        return self.supervisor.pid(name)

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to a child, and give the process number that it has now."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    def await_back(self, name: str, pid: int, seconds: float = 60.0) -> None:
        """Wait until a child runs again as another process."""
        await_true(
            seconds,
            lambda: self.pid(name) != pid and self.supervisor.states()[name] == "running",
            f"the return of {name}",
        )

    def await_running(self, seconds: float = 60.0) -> None:
        """Wait until every child runs."""

        def is_running() -> bool:
            states = self.supervisor.states().items()
            return all(state == "running" for name, state in states if not name.endswith(SECOND))

        await_true(seconds, is_running, "all processes")

    @contextlib.contextmanager
    def down(self, *names: str) -> Iterator[None]:
        """Kill children with SIGKILL and keep them down while the block lasts; afterwards all run again."""
        pids = {name: self.hold(name) for name in names}
        try:
            yield
        finally:
            for name in names:
                self.release(name)
        for name, pid in pids.items():
            self.await_back(name, pid)

    def hold(self, name: str) -> int:
        """Kill a child and keep it from starting."""
        (self.folder / "held").mkdir(parents=True, exist_ok=True)
        (self.folder / "held" / name).touch()
        return self.kill(name)

    def release(self, name: str) -> None:
        """Let a child start again."""
        (self.folder / "held" / name).unlink()

    @contextlib.contextmanager
    def replica(self, name: str) -> Iterator[Child]:
        """Run a second process of a service on ports of its own while the block lasts."""
        service = next(one for one in services.SERVICES if one.name == name)
        public, internal = ports.choose(2)
        own = replace(self.around, ports={**self.around.ports, name: public, f"{name}-internal": internal})
        child = replace(services.child(service, self.urls[service.schema], own), name=f"{name}{SECOND}")
        (self.folder / "held" / child.name).unlink(missing_ok=True)
        child = _holdable(child, self.folder)
        self.do(self.supervisor.start([child]))
        try:
            yield child
        finally:
            # A stopped one could not end by itself; the supervisor's bookkeeping brings it back unless it is held.
            self.hold(child.name)

    def do(self, work: Coroutine[object, object, Value]) -> Value:
        """Run a coroutine on the stack's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(START_SECONDS)

    async def expire_leases(self) -> None:
        """Let the leases of order-svc's jobs run out now; they last a minute, three times the longest call."""
        connection = await asyncpg.connect(self.postgres.url(stack.DATABASE), timeout=10)
        try:
            await connection.execute("update orders.due set lease_until = orders.now() where lease_until is not null")
        finally:
            await connection.close(timeout=10)

    def heal(self) -> None:
        """Take every fault away and wait until all processes run."""
        for proxy in (self.postgres_proxy, self.kafka_proxy):
            proxy.is_refusing = proxy.is_silent = False
            proxy.latency_seconds, proxy.cut = 0.0, None
        for file in self.folder.glob("*/*"):
            if not file.name.endswith(SECOND):
                file.unlink(missing_ok=True)
        self.await_running()


@contextlib.contextmanager
def running() -> Iterator[FaultStack]:
    """Run a stack while the block lasts, in a folder and on ports of its own, kept by a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fault-stack", daemon=True)
    thread.start()
    closing = asyncio.Event()
    opened: asyncio.Future[FaultStack] = loop.create_future()

    async def live() -> None:
        try:
            async with _live(loop) as started:
                opened.set_result(started)
                await closing.wait()
        except BaseException as error:
            if not opened.done():
                opened.set_exception(error)
                return
            raise

    async def wait_opened() -> FaultStack:
        return await opened

    task = asyncio.run_coroutine_threadsafe(live(), loop)
    try:
        yield asyncio.run_coroutine_threadsafe(wait_opened(), loop).result(START_SECONDS)
    finally:
        loop.call_soon_threadsafe(closing.set)
        task.result(STOP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.asynccontextmanager
async def _live(loop: asyncio.AbstractEventLoop) -> AsyncIterator[FaultStack]:
    state = Path(tempfile.mkdtemp(prefix="hanro-faults-"))
    # Postgres as `nobody` must pass through.
    state.chmod(0o711)  # noqa: ASYNC240  once, before anything runs
    # Durable: without it Postgres forgets the last commits when it is killed, which no service could make good.
    settings = StackSettings(state=state, gateway_port=ports.choose(1)[0])
    names = (*stack.PORT_NAMES, *PROXY_PORTS)
    chosen = ports.keep(state / "ports.json", names)
    lines = (state / "supervisor.log").open("w")
    probes.quiet_clients()

    def report(line: str) -> None:
        lines.write(f"{time.time():.3f} {line}\n")
        lines.flush()

    async with contextlib.AsyncExitStack() as opened:
        opened.callback(lines.close)
        opened.enter_context(run_lock.held(state))
        supervisor = await opened.enter_async_context(supervised(state, report))
        supervisor.guard.remove_at_end(state)
        proxies = [
            FaultProxy(target_port=chosen["postgres"], frames=postgres_frames),
            FaultProxy(target_port=chosen["kafka"], frames=kafka_frames),
        ]
        for proxy, name in zip(proxies, PROXY_PORTS, strict=True):
            await opened.enter_async_context(proxy.serving(chosen[name]))
        database = PostgresSettings(state / "postgres", chosen["postgres"])
        elsewhere = postgres.place(database.folder)[0]
        if elsewhere != database.folder:
            supervisor.guard.remove_at_end(elsewhere)
        broker = KafkaSettings(
            folder=state / "kafka",
            port=chosen["kafka"],
            controller_port=chosen["kafka-controller"],
            java=java.find(),
            class_path=await jars.ready(),
            advertised_port=chosen["kafka-proxy"],
        )
        servers = [
            postgres.child(database),
            kafka.child(broker),
            stack.simulator(settings, chosen),
            stack.issuer(settings, chosen),
        ]
        folder = state / "faults"
        await supervisor.start([_holdable(child, folder) for child in servers])
        address = postgres.address(database)
        passwords = services.role_passwords(state / "postgres" / "roles.json", databases.roles())
        direct = await databases.provision(address.url(), stack.DATABASE, passwords)
        urls = {schema: _through(one, chosen["postgres-proxy"]) for schema, one in direct.items()}
        around = _surroundings(settings, chosen, folder)
        await supervisor.start(
            [_holdable(services.child(one, urls[one.schema], around), folder) for one in services.SERVICES]
        )
        routes = stack.routes_file(settings)
        routes.parent.mkdir(parents=True, exist_ok=True)
        stack._write_routes(settings, chosen)  # noqa: SLF001
        await supervisor.start([stack.gateway(settings)])
        yield FaultStack(
            state=state,
            gateway=f"http://{HOST}:{settings.gateway_port}",
            simulator=f"http://{HOST}:{chosen['ichiba-http']}",
            postgres=address,
            kafka=kafka.bootstrap(broker),
            ports=chosen,
            supervisor=supervisor,
            postgres_proxy=proxies[0],
            kafka_proxy=proxies[1],
            urls=urls,
            around=around,
            loop=loop,
        )


def _surroundings(settings: StackSettings, chosen: Mapping[str, int], folder: Path) -> Surroundings:
    state = settings.state
    services.make_keys(state / "keys")
    clock = {"HANRO_CLOCK_OFFSET_FILE": str(settings.state / "clock-offset")}
    modules = {"PYTHONPATH": str(Path(__file__).parent), faulty_service.FOLDER: str(folder)}
    return Surroundings(
        state=state,
        ports=chosen,
        kafka=f"{HOST}:{chosen['kafka-proxy']}",
        issuer_url=f"http://{HOST}:{chosen['issuer']}",
        issuer=state / "issuer",
        simulator_url=f"http://{HOST}:{chosen['ichiba-http']}",
        relay_address=f"{HOST}:{chosen['ichiba-smtp']}",
        certificate=state / "ichiba" / "certificate.pem",
        extra=PACE | clock | modules,
        wrapper=faulty_service.MODULE if faulty_service.MODULE != "__main__" else "faulty_service",
    )


def _through(urls: SchemaUrls, port: int) -> SchemaUrls:
    def moved(url: str) -> str:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")))

    # Migrations go through the proxy too: a service that starts is no other than one that runs.
    return SchemaUrls(urls.schema, owner=moved(urls.owner), runtime=moved(urls.runtime))


def _holdable(child: Child, folder: Path) -> Child:
    """Let a child wait before it starts while a test holds it down, and start without migrating where one says so."""
    held, unmigrated = folder / "held" / child.name, folder / "held" / UNMIGRATED

    async def prepare(run: Runner) -> None:
        while held.exists():
            await asyncio.sleep(0.05)
        if not unmigrated.exists():
            await child.prepare(run)

    return replace(child, prepare=prepare)


__all__ = ["FaultStack", "Late", "Service", "await_true", "running"]
