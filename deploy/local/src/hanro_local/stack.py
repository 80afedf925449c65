"""Composes the stack: which processes, on which ports, in which order, and what the gateway is told of them."""

import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hanro_local import jars, java, kafka, ports, postgres, probes, run_lock
from hanro_local.child import Child, Command
from hanro_local.kafka import KafkaSettings
from hanro_local.postgres import PostgresAddress, PostgresSettings
from hanro_local.progress import Steps
from hanro_local.settings import StackSettings
from hanro_local.supervisor import Around, Supervisor, supervised

HOST = "127.0.0.1"
PORT_NAMES = ("postgres", "kafka", "kafka-controller", "issuer", "mail-smtp", "mail-http")


@dataclass(frozen=True)
class Stack:
    """A running stack: where its parts answer, and the supervisor that keeps them alive."""

    gateway: str
    postgres: PostgresAddress
    kafka: str
    issuer: str
    inbox: str
    smtp_port: int
    children: tuple[Child, ...]
    supervisor: Supervisor


def stages(settings: StackSettings, chosen: dict[str, int], class_path: Sequence[Path]) -> list[list[Child]]:
    """Return the children in the order of starting; those of one stage start side by side."""
    servers = [
        postgres.child(
            PostgresSettings(settings.state / "postgres", chosen["postgres"], is_durable=settings.is_durable)
        ),
        kafka.child(_kafka_settings(settings, chosen, class_path)),
        mail_sink(settings, chosen),
        issuer(settings, chosen),
    ]
    return [servers, [gateway(settings)]]


def mail_sink(settings: StackSettings, chosen: dict[str, int]) -> Child:
    """Describe the mail server that takes every mail and shows it, and sends none on."""
    folder = _made(settings.state / "mail")
    words = ("--host", HOST, "--smtp-port", str(chosen["mail-smtp"]), "--http-port", str(chosen["mail-http"]))
    kept = ("--mail-directory", str(folder / "mails"), "--certificate-file", str(folder / "certificate.pem"))
    return Child(
        name="mail",
        title="Mail sink",
        command=_python(folder, "simkit.relay", *words, *kept),
        probe=probes.http_answers(chosen["mail-http"], "/_sim/health"),
        url=f"http://{HOST}:{chosen['mail-http']}/",
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


def routes(chosen: dict[str, int]) -> dict[str, object]:
    """Return the content of the routes file."""
    issuer_url, inbox = (f"http://{HOST}:{chosen[name]}" for name in ("issuer", "mail-http"))
    services = [
        {"name": "Token issuer", "url": issuer_url, "ready": f"{issuer_url}/healthz"},
        {"name": "Mail sink", "url": inbox, "ready": f"{inbox}/_sim/health"},
    ]
    return {"routes": [], "issuer": issuer_url, "inbox": inbox, "services": services}


def step_count() -> int:
    """How many numbered steps `running` reports: the jars, and each child."""
    return 1 + 5


@contextlib.asynccontextmanager
async def running(
    settings: StackSettings, *, report: Callable[[str], None] = lambda _line: None, steps: Steps | None = None
) -> AsyncIterator[Stack]:
    """Run a whole stack while the block lasts; the state folder is kept, and taken up again by the next.

    `report` takes a line for each child that dies or comes back, `steps` the progress of starting.

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
            _made(routes_file(settings).parent)
            routes_file(settings).write_text(json.dumps(routes(chosen), indent=1))
            composed = stages(settings, chosen, class_path)
            for stage in composed:
                await supervisor.start(stage, around=_reporting(steps))
            yield Stack(
                gateway=f"http://{HOST}:{settings.gateway_port}",
                postgres=postgres.address(PostgresSettings(settings.state / "postgres", chosen["postgres"])),
                kafka=f"{HOST}:{chosen['kafka']}",
                issuer=f"http://{HOST}:{chosen['issuer']}",
                inbox=f"http://{HOST}:{chosen['mail-http']}",
                smtp_port=chosen["mail-smtp"],
                children=tuple(child for stage in composed for child in stage),
                supervisor=supervisor,
            )


def table(stack: Stack) -> Iterator[str]:
    """Yield the lines of the table of services: name, state, URL."""
    states = stack.supervisor.states()
    rows = [("service", "state", "URL"), *((child.title, states[child.name], child.url) for child in stack.children)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for title, state, url in rows:
        yield f"  {title:<{widths[0]}}  {state:<{widths[1]}}  {url}"


def _kafka_settings(settings: StackSettings, chosen: dict[str, int], class_path: Sequence[Path]) -> KafkaSettings:
    return KafkaSettings(
        folder=settings.state / "kafka",
        port=chosen["kafka"],
        controller_port=chosen["kafka-controller"],
        java=java.find(),
        class_path=class_path,
    )


def _reporting(steps: Steps) -> Around:
    return lambda child: steps.step(child.title)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _python(folder: Path, module: str, *words: str) -> Command:
    return Command((sys.executable, "-m", module, *words), folder=folder, environment={"PYTHONUNBUFFERED": "1"})
