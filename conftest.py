"""Gives every test the run's real servers: one Postgres and one Kafka, started when first asked for.

A schema's database is migrated once a run, as a template, and cloned for each test that wants it.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from hanro_local import databases, servers
from hanro_local.databases import SchemaUrls

ROOT = Path(__file__).parent
CONNECT_SECONDS = 10.0

# Suites that plug-ins inherit assert too: their failures shall say what differed.
pytest.register_assert_rewrite("hanro.testing.conformance")

# The stack that tests of the whole path share, and the count of requirement rows that tests walk.
pytest_plugins = ["running_stack", "trace_rows"]

MakeDatabase = Callable[..., SchemaUrls]


@pytest.fixture(scope="session")
def run_servers() -> Iterator[servers.Servers]:
    """Offer the servers of this run; each starts when its address is first asked for."""
    with servers.started_servers() as started:
        yield started


@pytest.fixture(scope="session")
def kafka_bootstrap(run_servers: servers.Servers) -> str:
    """Give Kafka's bootstrap address; isolate tests by topic and group prefixes."""
    return run_servers.kafka()


@pytest.fixture(scope="session")
def postgres_admin_url(run_servers: servers.Servers) -> str:
    """Give the superuser's URL."""
    return run_servers.postgres().url()


@pytest.fixture(scope="session")
def role_passwords() -> dict[str, str]:
    """Give the passwords of this run's roles; filled as schemas are asked for."""
    return {}


@pytest.fixture(scope="session")
def template_databases() -> dict[tuple[str, ...], str]:
    """Remember which templates this run has made, by schemas and migration."""
    return {}


@pytest.fixture
def make_database(
    postgres_admin_url: str, role_passwords: dict[str, str], template_databases: dict[tuple[str, ...], str]
) -> Iterator[MakeDatabase]:
    """Offer `make_database(schema, prepare)`: a database of this test's own, and the URLs of its schema.

    `prepare(urls)` migrates the template once a run (None: an empty schema); a clone takes 50 ms. `prepare` must be
    a module-level function: its name tells one template from another. Call it from a plain fixture, not inside a loop.
    """
    made: list[str] = []

    def make(schema: str, prepare: Callable[[SchemaUrls], None] | None = None) -> SchemaUrls:
        for role in databases.roles([schema]):
            role_passwords.setdefault(role, secrets.token_urlsafe(16))
        wanted = (schema, f"{prepare.__module__}.{prepare.__qualname__}" if prepare else "")
        if wanted not in template_databases:
            template = f"template_{schema}_{secrets.token_hex(4)}"
            found = asyncio.run(databases.provision(postgres_admin_url, template, role_passwords, [schema]))
            if prepare:
                prepare(found[schema])
            template_databases[wanted] = template
        name = f"test_{schema}_{secrets.token_hex(6)}"
        asyncio.run(_clone(postgres_admin_url, template_databases[wanted], name, schema))
        made.append(name)
        return databases.urls(postgres_admin_url, name, schema, role_passwords)

    yield make
    for name in made:
        asyncio.run(_on_server(postgres_admin_url, f'drop database if exists "{name}" with (force)'))


async def _clone(admin_url: str, template: str, name: str, schema: str) -> None:
    # A clone inherits the schemas and their grants, but not who may connect to the database.
    await _on_server(
        admin_url,
        f'create database "{name}" template "{template}" strategy file_copy',
        f'revoke all on database "{name}" from public',
        f'grant connect on database "{name}" to "{schema}_owner", "{schema}_runtime"',
    )


async def _on_server(admin_url: str, *statements: str) -> None:
    connection = await asyncpg.connect(admin_url, timeout=CONNECT_SECONDS)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
