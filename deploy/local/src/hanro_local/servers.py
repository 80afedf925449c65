"""Gives a test session its real Postgres and Kafka, each started when first asked for.

HANRO_STACK chooses: `embedded` (default) starts them as child processes, `external` takes HANRO_POSTGRES_URL and
HANRO_KAFKA, `containers` starts the images that production uses. Sessions on one machine do not meet: each has its own
folder and ports.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from hanro_local import jars, java, kafka, ports, postgres
from hanro_local.background import Background, in_background
from hanro_local.child import Child
from hanro_local.kafka import KafkaSettings
from hanro_local.postgres import PostgresAddress, PostgresSettings
from hanro_local.supervisor import Supervisor, supervised


class ServersMissing(RuntimeError):
    """The session's servers cannot be had; the text is one line with the remedy."""


class Servers(Protocol):
    """The servers of one test session."""

    def postgres(self) -> PostgresAddress:
        """Return Postgres, started by the first call."""

    def kafka(self) -> str:
        """Return Kafka's bootstrap address `host:port`, started by the first call."""


@contextlib.contextmanager
def started_servers(
    environ: Mapping[str, str] = os.environ, *, folder: Path | None = None, is_durable: bool = False
) -> Iterator[Servers]:
    """Offer the session's servers; at the end, also at a violent one, no process and no folder is left.

    `folder` holds the state of embedded servers and is kept; without one it is a temporary folder that is removed.
    `is_durable`: the embedded Postgres waits for the disk at each commit, as in production; tests need not.

    Raises:
        ServersMissing: HANRO_STACK is unknown or an address is missing.
        DaemonMissing: no Docker daemon answers.
    """
    match environ.get("HANRO_STACK") or "embedded":
        case "embedded":
            with _embedded(folder, is_durable=is_durable) as servers:
                yield servers
        case "external":
            yield External(environ)
        case "containers":
            # Only here: the Docker client is slow to load, and not installed beside `make run`.
            from hanro_local.containers import Containers  # noqa: PLC0415

            with contextlib.ExitStack() as stack:
                yield Containers(stack)
        case unknown:
            raise ServersMissing(f"HANRO_STACK={unknown} is unknown: say embedded, external or containers")


@dataclass(frozen=True)
class External:
    """Servers that someone else runs."""

    environ: Mapping[str, str]

    def postgres(self) -> PostgresAddress:
        """Return what HANRO_POSTGRES_URL says, such as postgresql://postgres:secret@db.example:5432."""
        url = urlsplit(self._said("HANRO_POSTGRES_URL"))
        return PostgresAddress(
            host=url.hostname or "127.0.0.1",
            port=url.port or 5432,
            user=unquote(url.username or postgres.SUPERUSER),
            password=unquote(url.password or ""),
        )

    def kafka(self) -> str:
        """Return what HANRO_KAFKA says."""
        return self._said("HANRO_KAFKA")

    def _said(self, name: str) -> str:
        try:
            return self.environ[name]
        except KeyError:
            raise ServersMissing(f"HANRO_STACK=external needs {name}") from None


class Embedded:
    """Servers as child processes, kept by an event loop in a thread of its own: a test's own loop comes and goes."""

    def __init__(self, background: Background[Supervisor], state: Path, *, is_durable: bool) -> None:
        self._background = background
        self._state = state
        self._is_durable = is_durable
        self._lock = threading.Lock()
        self._postgres: PostgresAddress | None = None
        self._kafka: str | None = None

    def postgres(self) -> PostgresAddress:
        """Return Postgres, started by the first call."""
        with self._lock:
            if self._postgres is None:
                wanted = PostgresSettings(self._state / "postgres", ports.choose(1)[0], is_durable=self._is_durable)
                self._start(postgres.child(wanted))
                self._postgres = postgres.address(wanted)
            return self._postgres

    def kafka(self) -> str:
        """Return Kafka's bootstrap address, started by the first call; the jars are fetched if need be."""
        with self._lock:
            if self._kafka is None:
                port, controller_port = ports.choose(2)
                class_path = self._background.do(jars.ready())
                wanted = KafkaSettings(self._state / "kafka", port, controller_port, java.find(), class_path)
                self._start(kafka.child(wanted))
                self._kafka = kafka.bootstrap(wanted)
            return self._kafka

    @property
    def state(self) -> Path:
        """The folder of these servers."""
        return self._state

    def pid(self, name: str) -> int:
        """Return the process number of `postgres` or `kafka`, once started."""
        return self._background.value.pid(name)

    def _start(self, child: Child) -> None:
        self._background.do(self._background.value.start([child]))


@contextlib.contextmanager
def _embedded(folder: Path | None, *, is_durable: bool) -> Iterator[Embedded]:
    state = folder or Path(tempfile.mkdtemp(prefix="hanro-servers-"))
    # Postgres as `nobody` must pass through; a temporary folder is closed to others.
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o711)
    with in_background(_supervised(state, is_temporary=folder is None), name="hanro-servers") as background:
        yield Embedded(background, state, is_durable=is_durable)


@contextlib.asynccontextmanager
async def _supervised(state: Path, *, is_temporary: bool) -> AsyncIterator[Supervisor]:
    async with supervised(state, report=print) as supervisor:
        if is_temporary:
            # The guard removes it after the last process, whether we end well or are killed.
            supervisor.guard.remove_at_end(state)
            elsewhere = postgres.place(state / "postgres")[0]
            if elsewhere != state / "postgres":
                supervisor.guard.remove_at_end(elsewhere)
        yield supervisor
