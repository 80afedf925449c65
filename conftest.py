"""Gives every test the run's real servers: one Postgres and one Kafka, started when first asked for.

A schema's database is migrated once a process, as a template, and cloned for each test that wants it. Where a run has
several processes (`-n 3`), the first one starts the servers and tells the others where they are.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from hanro.db import Database, connect
from hanro_local import databases, servers
from hanro_local.databases import SchemaUrls

ROOT = Path(__file__).parent
CONNECT_SECONDS = 10.0

# Suites that plug-ins inherit assert too: their failures shall say what differed.
pytest.register_assert_rewrite("hanro.testing.conformance")

# The stack that tests of the whole path share, and the count of requirement rows that tests walk.
pytest_plugins = ["running_stack", "trace_rows"]

MakeDatabase = Callable[..., SchemaUrls]
KeepOpen = Callable[[str, contextlib.AbstractContextManager[Any]], Any]

# Roles are the server's, so processes that share it agree on their passwords.
SCHEMAS = (*databases.SCHEMAS, "probe")
# The tests of each of these folders share a whole stack: one process does them all, one after the other.
STACKS = ("tests/e2e/", "tests/faults/")
OPENED = pytest.StashKey[dict[str, contextlib.ExitStack]]()


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Give tests to the processes of a run one by one, and those of one stack to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return next((stack for stack in STACKS if nodeid.startswith(stack)), nodeid)


class _Processes:
    """Be the first process of a run with several: start the servers when another process comes up."""

    def __init__(self) -> None:
        self._opened = contextlib.ExitStack()
        self._told: dict[str, object] = {}

    def pytest_configure_node(self, node: WorkerController) -> None:
        """Tell a process where the servers are."""
        if not self._told:
            started = self._opened.enter_context(servers.started_servers())
            self._told = {
                "HANRO_STACK": "external",
                "HANRO_POSTGRES_URL": started.postgres().url(),
                "HANRO_KAFKA": started.kafka(),
                "passwords": _new_passwords(),
            }
        node.workerinput["hanro"] = self._told

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: object) -> _Scheduling:
        """Say which process does which test; the work is given out largest first."""
        return _Scheduling(config, log)

    def pytest_unconfigure(self) -> None:
        """Stop the servers."""
        self._opened.close()


def pytest_configure(config: pytest.Config) -> None:
    """Share the servers where the run has several processes."""
    if config.getoption("numprocesses", None):
        config.pluginmanager.register(_Processes(), "hanro-processes")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Close a folder's stack behind its last test where a run keeps its tests together: idle it would slow others."""
    if not _told(item.config):
        return
    for folder in STACKS:
        if item.nodeid.startswith(folder) and not (nextitem and nextitem.nodeid.startswith(folder)):
            item.config.stash.get(OPENED, {}).pop(folder, contextlib.ExitStack()).close()


def _new_passwords() -> dict[str, str]:
    return {role: secrets.token_urlsafe(16) for role in databases.roles(SCHEMAS)}


def _told(config: pytest.Config) -> dict[str, Any]:
    told: dict[str, Any] = getattr(config, "workerinput", {}).get("hanro", {})
    return told


@pytest.fixture(scope="session")
def keep_open(pytestconfig: pytest.Config) -> Iterator[KeepOpen]:
    """Offer `keep_open(folder, context)`: enter it now, and leave it when the folder's tests are done."""
    opened = pytestconfig.stash[OPENED] = dict[str, contextlib.ExitStack]()

    def enter(folder: str, context: contextlib.AbstractContextManager[Any]) -> Any:
        return opened.setdefault(folder, contextlib.ExitStack()).enter_context(context)

    yield enter
    for stack in opened.values():
        stack.close()


@pytest.fixture(scope="session")
def run_servers(pytestconfig: pytest.Config) -> Iterator[servers.Servers]:
    """Offer the servers of this run; each starts when its address is first asked for."""
    with servers.started_servers(_told(pytestconfig) or os.environ) as started:
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
def role_passwords(pytestconfig: pytest.Config) -> dict[str, str]:
    """Give the passwords of this run's roles; a test that set others would lock out all that come after."""
    passwords: dict[str, str] = _told(pytestconfig).get("passwords") or _new_passwords()
    return passwords


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


@pytest.fixture
def urls(request: pytest.FixtureRequest, make_database: MakeDatabase) -> SchemaUrls:
    """Give the URLs of the database that the module's mark `schema(name, prepare)` asks for."""
    mark = request.node.get_closest_marker("schema")
    return make_database(*mark.args)


@pytest.fixture
async def db(urls: SchemaUrls) -> AsyncIterator[Database]:
    """Give that database as a service's runtime role uses it."""
    opened = connect(urls.runtime, schema=urls.schema)
    yield opened
    await opened.close()


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
