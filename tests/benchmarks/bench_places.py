"""Gives benchmarks their places: durable Postgres databases, Kafka, and addresses of their own."""

import asyncio
import secrets
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import uvloop

from hanro.db import migrate
from hanro.testing.probe import create_probe_tables
from hanro_local import databases, servers
from hanro_local.databases import SchemaUrls

ROOT = Path(__file__).parents[2]
SECONDS = 60.0
Value = TypeVar("Value")
PROBE = "probe"
MIGRATIONS = {
    "account": ROOT / "services/account-svc/migrations",
    "orders": ROOT / "services/order-svc/migrations",
    "catalog": ROOT / "services/catalog-svc/migrations",
    "notifier": ROOT / "services/notifier-svc/migrations",
}


@dataclass
class Places:
    """Hold the servers of one run; Postgres is as durable as in production, for both sides alike."""

    servers: servers.Servers
    passwords: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def admin_url(self) -> str:
        """Give the superuser's URL."""
        return self.servers.postgres().url()

    def kafka(self) -> str:
        """Give Kafka's bootstrap address."""
        return self.servers.kafka()

    def database(self, schema: str) -> SchemaUrls:
        """Make a database with one schema, migrated as its service is; `probe` has the shared tables and `effects`."""
        for role in databases.roles([schema]):
            self.passwords.setdefault(role, secrets.token_urlsafe(16))
        name = f"bench_{schema}_{secrets.token_hex(4)}"
        made = asyncio.run(databases.provision(self.admin_url, name, self.passwords, [schema]))[schema]
        if schema == PROBE:
            create_probe_tables(made)
        else:
            migrate(made.owner, schema=schema, migrations=MIGRATIONS[schema], runtime_role=f"{schema}_runtime")
        return made

    async def empty(self, urls: SchemaUrls, tables: Sequence[str]) -> None:
        """Empty tables, so that each turn begins alike."""
        connection = await asyncpg.connect(urls.owner, timeout=SECONDS)
        try:
            await connection.execute(f'set search_path = "{urls.schema}"')
            await connection.execute(f"truncate {', '.join(tables)} restart identity cascade")
        finally:
            await connection.close(timeout=SECONDS)


def run(work: Coroutine[Any, Any, Value]) -> Value:
    """Run a measurement on the loop that services run on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@contextmanager
def opened() -> Iterator[Places]:
    """Start what is asked for, when it is first asked for; nothing is left at the end."""
    with servers.started_servers(is_durable=True) as started:
        yield Places(started)
