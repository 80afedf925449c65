"""Gives every test the run's real servers: one Postgres and one Kafka, started when first asked for.

A schema's database is migrated once a run, as a template; each process clones it for tests, empties what comes back
and lends it again. Where a run has several processes (`-n 3`), the first one starts the servers and tells the others
where they are.
"""

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

import hanro.http  # noqa: F401  so that tests' own clients look for no optional part at each request either
from hanro.db import Database, connect
from hanro_local import databases, servers
from hanro_local.clones import Clones
from hanro_local.databases import SchemaUrls

ROOT = Path(__file__).parent

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
# They take longest, one by one: begun late, a process would be at one of them while the others have nothing left to do.
# Those that start a whole stack are not the first: the stacks above start then.
LONGEST = (
    "services/order-svc/tests/test_order_lives.py",
    "tests/conformance/test_rakuten_ichiba.py",
    "libs/marketplaces/sandbox/tests/test_sandbox_conformance.py",
    "deploy/local/tests/test_local_run.py",
    "deploy/local/tests/test_demo_command.py",
)
FIGURE = "figure: "
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
                "run": secrets.token_hex(8),
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
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest where a run has several processes."""
    if _told(config):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, file in enumerate(LONGEST) if item.nodeid.startswith(file)), len(LONGEST))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests measured and counted: properties that they recorded as figures."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    for report in reports:
        for name, figure in report.user_properties:
            if name.startswith(FIGURE):
                test = report.nodeid.rpartition("::")[2]
                terminalreporter.write_line(f"{test}: {name.removeprefix(FIGURE)} {figure}")


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
def clones(pytestconfig: pytest.Config, postgres_admin_url: str, role_passwords: dict[str, str]) -> Iterator[Clones]:
    """Lend this process databases; those of one run share what is migrated."""
    run = _told(pytestconfig).get("run") or secrets.token_hex(8)
    lending = Clones(admin_url=postgres_admin_url, passwords=role_passwords, run=run)
    yield lending
    lending.drop()


@pytest.fixture
def make_database(clones: Clones) -> Iterator[MakeDatabase]:
    """Offer `make_database(schema, prepare)`: a database of this test's own, and the URLs of its schema.

    `prepare(urls)` migrates the template once a run (None: an empty schema). It must be a module-level function: its
    name tells one template from another. Call it from a plain fixture, not inside a loop.
    """
    yield clones.lend
    clones.take_back()


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
