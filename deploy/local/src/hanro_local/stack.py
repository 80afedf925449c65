"""Composes the stack: which processes, on which ports, in which order, and what the gateway is told of them."""

import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hanro_local import databases, jars, java, kafka, ports, postgres, probes, run_lock, services
from hanro_local.child import Child, Command
from hanro_local.kafka import KafkaSettings
from hanro_local.postgres import PostgresAddress, PostgresSettings
from hanro_local.progress import Steps
from hanro_local.services import Fleet, Surroundings
from hanro_local.settings import StackSettings
from hanro_local.supervisor import Around, Supervisor, supervised

HOST = "127.0.0.1"
DATABASE = "hanro"
PORT_NAMES = (
    *("postgres", "kafka", "kafka-controller", "issuer", "ichiba-smtp", "ichiba-http", "sandbox-http"),
    *services.port_names(),
)
# The same seed gives the demo shop the same keys at each start.
SIMULATOR_SEED = 11


def _as_it_is(child: Child) -> Child:
    return child


@dataclass(frozen=True)
class Seams:
    """Say where a stack is open to tests.

    `told_ports`, by name, are those on which services find a server that has something standing before it; others are
    found at their own. `child` gives what is started for a child.
    """

    told_ports: Mapping[str, int] = field(default_factory=dict)
    child: Callable[[Child], Child] = _as_it_is


CLOSED = Seams()


@dataclass(frozen=True)
class Stack:
    """A running stack: where its parts answer, and the supervisor that keeps them alive.

    `postgres` and `kafka` are the servers themselves; `simulator` is Rakuten Ichiba's, `sandbox` the sandbox's; `ports`
    are by name.
    """

    gateway: str
    postgres: PostgresAddress
    kafka: str
    issuer: str
    simulator: str
    sandbox: str
    state: Path
    ports: Mapping[str, int]
    children: tuple[Child, ...]
    fleet: Fleet
    supervisor: Supervisor


def servers(
    settings: StackSettings, chosen: dict[str, int], class_path: Sequence[Path], seams: Seams = CLOSED
) -> list[Child]:
    """Return what the services stand on; these start side by side."""
    return [
        postgres.child(_postgres_settings(settings, chosen)),
        kafka.child(_kafka_settings(settings, chosen, class_path, seams.told_ports.get("kafka", 0))),
        simulator(settings, chosen),
        sandbox(settings, chosen),
        issuer(settings, chosen),
    ]


async def prepare_fleet(settings: StackSettings, chosen: dict[str, int], seams: Seams = CLOSED) -> Fleet:
    """Prepare the database and the keys, and return the services; Postgres and the issuer run already."""
    state = settings.state
    passwords = services.role_passwords(state / "postgres" / "roles.json", databases.roles())
    admin = postgres.address(_postgres_settings(settings, chosen)).url()
    urls = await databases.provision(admin, DATABASE, passwords)
    told = chosen | dict(seams.told_ports)
    services.make_keys(state / "keys")
    around = Surroundings(
        state=state,
        ports=chosen,
        kafka=f"{HOST}:{told['kafka']}",
        issuer_url=f"http://{HOST}:{chosen['issuer']}",
        issuer=state / "issuer",
        simulator_url=f"http://{HOST}:{chosen['ichiba-http']}",
        sandbox_url=f"http://{HOST}:{chosen['sandbox-http']}",
        relay_address=f"{HOST}:{told['ichiba-smtp']}",
        certificate=state / "ichiba" / "certificate.pem",
        extra=settings.service_environment,
        wrapper=settings.service_wrapper,
    )
    return Fleet({schema: own.through(told["postgres"]) for schema, own in urls.items()}, around)


def simulator(settings: StackSettings, chosen: dict[str, int]) -> Child:
    """Describe the simulator of Rakuten Ichiba with its mail relay and inbox; mails outlive it, orders there do not."""
    folder = _made(settings.state / "ichiba")
    ports_said = ("--port", str(chosen["ichiba-http"]), "--smtp-port", str(chosen["ichiba-smtp"]))
    kept = ("--mail-directory", str(folder / "mails"), "--certificate-file", str(folder / "certificate.pem"))
    journal = ("--journal", str(folder / "journal.jsonl"), "--seed", str(SIMULATOR_SEED))
    return Child(
        name="ichiba",
        title="Ichiba simulator",
        command=_python(folder, "hanro_rakuten_ichiba.simulator", *ports_said, *kept, *journal),
        probe=probes.http_answers(chosen["ichiba-http"], "/_sim/health"),
        url=f"http://{HOST}:{chosen['ichiba-http']}/_sim/inbox",
    )


def sandbox(settings: StackSettings, chosen: dict[str, int]) -> Child:
    """Describe the sandbox, where orders are tests; what is ordered there does not outlive it."""
    folder = _made(settings.state / "sandbox")
    said = ("--port", str(chosen["sandbox-http"]), "--journal", str(folder / "journal.jsonl"))
    return Child(
        name="sandbox",
        title="Sandbox",
        command=_python(folder, "hanro_sandbox.simulator", *said, "--seed", str(SIMULATOR_SEED)),
        probe=probes.http_answers(chosen["sandbox-http"], "/_sim/health"),
        url=f"http://{HOST}:{chosen['sandbox-http']}/_sim/docs",
    )


def issuer(settings: StackSettings, chosen: dict[str, int]) -> Child:
    """Describe the server that signs tokens; its key outlives it."""
    folder = _made(settings.state / "issuer")
    return Child(
        name="issuer",
        title="Token issuer",
        command=_python(folder, "hanro_local.issuer", "--port", str(chosen["issuer"]), "--state", str(folder)),
        probe=probes.http_answers(chosen["issuer"], "/healthz"),
        url=f"http://{HOST}:{chosen['issuer']}/.well-known/openid-configuration",
    )


def gateway(settings: StackSettings) -> Child:
    """Describe the one port for all services; it reads the routes file again whenever it changes."""
    return Child(
        name="gateway",
        title="Gateway",
        command=_python(
            _made(settings.state / "gateway"),
            "hanro_local.gateway",
            *("--port", str(settings.gateway_port), "--routes", str(routes_file(settings))),
        ),
        probe=probes.http_answers(settings.gateway_port, "/healthz"),
        url=f"http://{HOST}:{settings.gateway_port}/",
    )


def routes_file(settings: StackSettings) -> Path:
    """Where the gateway reads its routes."""
    return settings.state / "gateway" / "routes.json"


def routes(settings: StackSettings, chosen: dict[str, int]) -> dict[str, object]:
    """Return the content of the routes file."""
    issuer_url, simulator_url = (f"http://{HOST}:{chosen[name]}" for name in ("issuer", "ichiba-http"))
    shown = [
        *services.shown(chosen),
        {"name": "Token issuer", "url": issuer_url, "ready": f"{issuer_url}/healthz"},
    ]
    return {
        "routes": services.routes(chosen),
        "issuer": issuer_url,
        "inbox": simulator_url,
        "services": shown,
        "simulators": [
            {"name": "Rakuten Ichiba", "url": f"{simulator_url}/_sim/docs"},
            {"name": "Sandbox", "url": f"http://{HOST}:{chosen['sandbox-http']}/_sim/docs"},
        ],
        "token": str(settings.state / "gateway" / "token"),
    }


def step_count() -> int:
    """How many numbered steps `running` reports: the jars, the servers, the services, the gateway."""
    return 1 + 5 + len(services.SERVICES) + 1


@contextlib.asynccontextmanager
async def running(
    settings: StackSettings,
    *,
    report: Callable[[str], None] = lambda _line: None,
    steps: Steps | None = None,
    seams: Seams = CLOSED,
    set_up: Callable[[str], Awaitable[None]] | None = None,
) -> AsyncIterator[Stack]:
    """Run a whole stack while the block lasts; the state folder is kept, and taken up again by the next.

    `report` takes a line for each child that dies or comes back, `steps` the progress of starting. `set_up` is called
    with the simulator's URL before any service asks it for something.

    Raises:
        RunAlive: another run holds the state folder.
        JarsRefused, JavaMissing, PlaceRefused, ChildFailed: one line with the remedy.
    """
    steps = steps or Steps(step_count(), report=lambda _line: None)
    with run_lock.held(settings.state):
        async with supervised(settings.state, report) as supervisor:
            async with steps.step("Kafka's jars") as step:
                class_path = await jars.ready(lambda detail: setattr(step, "detail", detail))
                step.result = f"checked, {sum(one.stat().st_size for one in class_path) / 1e6:.1f} MB"
            chosen = ports.keep(settings.state / "ports.json", PORT_NAMES)
            started: list[Child] = []

            async def start(stage: Sequence[Child]) -> None:
                started.extend(map(seams.child, stage))
                await supervisor.start(started[-len(stage) :], around=_reporting(steps))

            await start(servers(settings, chosen, class_path, seams))
            if set_up is not None:
                await set_up(f"http://{HOST}:{chosen['ichiba-http']}")
            fleet = await prepare_fleet(settings, chosen, seams)
            await start(fleet.children())
            _write_routes(settings, chosen)
            await start([gateway(settings)])
            yield Stack(
                gateway=f"http://{HOST}:{settings.gateway_port}",
                postgres=postgres.address(_postgres_settings(settings, chosen)),
                kafka=f"{HOST}:{chosen['kafka']}",
                issuer=f"http://{HOST}:{chosen['issuer']}",
                simulator=f"http://{HOST}:{chosen['ichiba-http']}",
                sandbox=f"http://{HOST}:{chosen['sandbox-http']}",
                state=settings.state,
                ports=chosen,
                children=tuple(started),
                fleet=fleet,
                supervisor=supervisor,
            )


def table(stack: Stack) -> Iterator[str]:
    """Yield the lines of the table of services: name, state, URL."""
    states = stack.supervisor.states()
    rows = [("service", "state", "URL"), *((child.title, states[child.name], child.url) for child in stack.children)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for title, state, url in rows:
        yield f"  {title:<{widths[0]}}  {state:<{widths[1]}}  {url}"


def _postgres_settings(settings: StackSettings, chosen: dict[str, int]) -> PostgresSettings:
    return PostgresSettings(settings.state / "postgres", chosen["postgres"], is_durable=settings.is_durable)


def _write_routes(settings: StackSettings, chosen: dict[str, int]) -> None:
    file = routes_file(settings)
    _made(file.parent)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(routes(settings, chosen), indent=1))
    draft.replace(file)


def _kafka_settings(
    settings: StackSettings, chosen: dict[str, int], class_path: Sequence[Path], advertised_port: int
) -> KafkaSettings:
    return KafkaSettings(
        folder=settings.state / "kafka",
        port=chosen["kafka"],
        controller_port=chosen["kafka-controller"],
        java=java.find(),
        class_path=class_path,
        advertised_port=advertised_port,
    )


def _reporting(steps: Steps) -> Around:
    return lambda child: steps.step(child.title)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _python(folder: Path, module: str, *words: str) -> Command:
    return Command((sys.executable, "-m", module, *words), folder=folder, environment={"PYTHONUNBUFFERED": "1"})
