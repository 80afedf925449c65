"""Describes hanro's four services as children of the stack: ports, environment, migrations, and the paths they own."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hanro_local import installation, probes
from hanro_local.child import Child, Command, Runner
from hanro_local.databases import SchemaUrls
from hanro_local.ports import choose as choose_ports

HOST = "127.0.0.1"
READY_SECONDS = 60.0
MARKETPLACE = "rakuten_ichiba"
SANDBOX = "sandbox"
RELAY = "sub.fw.rakuten.ne.jp:587"


@dataclass(frozen=True)
class Service:
    """Be one service: its name, the module that starts it, its schema and noun, and the public paths that are its."""

    name: str
    module: str
    schema: str
    noun: str
    prefixes: tuple[str, ...]


SERVICES = (
    Service(
        "account-svc",
        "account_svc",
        "account",
        "account",
        ("/v1/marketplaces", "/v1/shops", "/v1/accounts", "/v1/account"),
    ),
    Service(
        "catalog-svc",
        "catalog_svc",
        "catalog",
        "catalog",
        (
            *("/v1/products", "/v1/listings", "/v1/stock", "/v1/reservations", "/v1/catalog"),
            # A verb on a collection is a segment of its own: an Ingress routes by whole segments.
            *("/v1/products:bulk", "/v1/stock:bulk", "/v1/listings:adopt"),
        ),
    ),
    Service(
        "order-svc",
        "order_svc",
        "orders",
        "order",
        (
            "/v1/orders",
            "/v1/order",
            "/v1/orders:fetch",
            "/v1/orders:search",
            "/v1/orders.csv",
            "/v1/consumers",
            "/v1/shipments",
            "/v1/shipments:batch",
            "/v1/carriers",
        ),
    ),
    Service(
        "notifier-svc",
        "notifier_svc",
        "notifier",
        "notifier",
        ("/v1/templates", "/v1/templates:preview", "/v1/bindings", "/v1/messages", "/v1/messages:test", "/v1/notifier"),
    ),
)


@dataclass(frozen=True)
class Surroundings:
    """Be what services are told of the rest of the stack.

    `ports` hold `<service>` and `<service>-internal`; `issuer` is the folder with its clients' secrets; `certificate`
    is what a relay's client trusts; `extra` is added to the environment of each service (tests: shorter intervals);
    `wrapper` names a module that starts the service's own.
    """

    state: Path
    ports: Mapping[str, int]
    kafka: str
    issuer_url: str
    issuer: Path
    simulator_url: str
    sandbox_url: str
    relay_address: str
    certificate: Path
    extra: Mapping[str, str]
    wrapper: str = ""


@dataclass(frozen=True)
class Fleet:
    """Be the services of one stack: the URLs of their schemas, by schema, and what they are told of the rest."""

    urls: Mapping[str, SchemaUrls] = field(repr=False)
    around: Surroundings

    def children(self) -> list[Child]:
        """Describe one process of each service."""
        return [child(service, self.urls[service.schema], self.around) for service in SERVICES]

    def replica(self, name: str, *, called: str) -> Child:
        """Describe another process of a service, under a name of its own and on free ports."""
        service = next(one for one in SERVICES if one.name == name)
        public, internal = choose_ports(2)
        own = {**self.around.ports, name: public, f"{name}-internal": internal}
        return replace(child(service, self.urls[service.schema], replace(self.around, ports=own)), name=called)


def port_names() -> tuple[str, ...]:
    """List the names of the ports that services need."""
    return tuple(name for service in SERVICES for name in (service.name, f"{service.name}-internal"))


def role_passwords(file: Path, roles: list[str]) -> dict[str, str]:
    """Read the roles' passwords; those that are missing are made and kept, for the owner's eyes alone."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = {role: secrets.token_urlsafe(24) for role in roles if role not in known}
    if missing:
        _write_secret(file, json.dumps(known | missing))
    return known | missing


def make_keys(folder: Path) -> Path:
    """Make the folder of key-encryption keys at the first start, and give it; later starts keep what is there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("kek-1.key", "index.key"):
        if not (folder / name).exists():
            _write_secret(folder / name, secrets.token_hex(32))
    return folder


def child(service: Service, urls: SchemaUrls, around: Surroundings) -> Child:
    """Describe a service in the role `all`; it migrates its schema before each start."""
    environment = _environment(service, urls, around)
    folder = around.state / service.name
    folder.mkdir(parents=True, exist_ok=True)
    program = (sys.executable, "-m", *filter(None, (around.wrapper, service.module)))

    async def migrate(run: Runner) -> None:
        await run(Command((*program, "migrate"), folder=folder, environment=environment))

    return Child(
        name=service.name,
        title=service.name,
        command=Command((*program, "all"), folder=folder, environment=environment),
        probe=probes.http_answers(around.ports[f"{service.name}-internal"], "/readyz"),
        url=f"http://{HOST}:{around.ports[service.name]}/v1/{service.noun}/docs",
        ready_seconds=READY_SECONDS,
        prepare=migrate,
    )


def routes(ports: Mapping[str, int]) -> list[dict[str, str]]:
    """List the gateway's routes: each public path to the service that owns it."""
    return [
        {"prefix": prefix, "target": f"http://{HOST}:{ports[service.name]}"}
        for service in SERVICES
        for prefix in service.prefixes
    ]


def shown(ports: Mapping[str, int]) -> list[dict[str, str]]:
    """List the services as the start page shows them."""
    return [
        {
            "name": service.name,
            "url": f"http://{HOST}:{ports[f'{service.name}-internal']}",
            "ready": f"http://{HOST}:{ports[f'{service.name}-internal']}/readyz",
            "docs": f"/v1/{service.noun}/docs",
        }
        for service in SERVICES
    ]


def _environment(service: Service, urls: SchemaUrls, around: Surroundings) -> dict[str, str]:
    internal = {name: f"http://{HOST}:{around.ports[f'{name}-internal']}" for name in ("account-svc", "order-svc")}
    return {
        "PYTHONUNBUFFERED": "1",
        "HANRO_DATABASE_URL": urls.runtime,
        "HANRO_OWNER_DATABASE_URL": urls.owner,
        "HANRO_KAFKA_BOOTSTRAP": around.kafka,
        "HANRO_HOST": HOST,
        "HANRO_PORT": str(around.ports[service.name]),
        "HANRO_INTERNAL_PORT": str(around.ports[f"{service.name}-internal"]),
        "HANRO_ISSUER": around.issuer_url,
        "HANRO_JWKS_URL": f"{around.issuer_url}/jwks",
        "HANRO_TOKEN_URL": f"{around.issuer_url}/token",
        "HANRO_CLIENT_ID": service.name,
        "HANRO_CLIENT_SECRET_FILE": str(_client_secret(service, around)),
        "HANRO_KEYS_DIR": str(around.state / "keys"),
        "HANRO_ACCOUNT_URL": internal["account-svc"],
        "HANRO_ORDER_URL": internal["order-svc"],
        "HANRO_MARKETPLACE_URLS": json.dumps({MARKETPLACE: around.simulator_url, SANDBOX: around.sandbox_url}),
        "HANRO_MAIL_RELAYS": json.dumps({RELAY: around.relay_address}),
        "HANRO_MAIL_RELAY_CA_FILE": str(around.certificate),
        **(_installation(around) if service.name == "account-svc" else {}),
        **around.extra,
    }


def _installation(around: Surroundings) -> dict[str, str]:
    said = installation.files(around.state / "installation")
    return {**said, "HANRO_SUPPORT_CONTACT": installation.SUPPORT_CONTACT}


def _client_secret(service: Service, around: Surroundings) -> Path:
    clients = json.loads((around.issuer / "clients.json").read_text())
    file = around.state / service.name / "client-secret"
    file.parent.mkdir(parents=True, exist_ok=True)
    _write_secret(file, clients[service.name]["secret"])
    return file


def _write_secret(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o600), "w") as stream:
        stream.write(text)
