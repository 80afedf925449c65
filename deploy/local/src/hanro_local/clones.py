"""Lends tests databases of their own: cloned from a migrated template, emptied and lent again when they come back."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from hanro_local import databases
from hanro_local.databases import SchemaUrls

CONNECT_SECONDS = 10.0
EMPTY_SECONDS = 20.0
# Of this module alone: processes of one run make each template once.
TEMPLATE_LOCK = 0x74656D70

Prepare = Callable[[SchemaUrls], None]

# Whatever changes a schema leaves another number of rows, or a younger one, in one of these.
_CATALOGUES = (
    "pg_attribute", "pg_class", "pg_constraint", "pg_default_acl", "pg_index", "pg_namespace", "pg_proc", "pg_trigger",
)  # fmt: skip
_FINGERPRINT = " union all ".join(
    f"select '{name}', count(*), max(xmin::text::bigint) from {name}"  # noqa: S608  names from above
    for name in _CATALOGUES
)
_TABLES = """
select format('%I.%I', schemaname, tablename) as name from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') and tablename <> 'alembic_version'
"""
_EMPTY = f"""
set session_replication_role = replica;
do $$
declare found record;
begin
    for found in {_TABLES} loop
        execute 'delete from ' || found.name;
    end loop;
    perform setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
        from pg_sequences where last_value is not null;
end $$
"""  # noqa: S608  no value in it


@dataclass(frozen=True, kw_only=True)
class _Template:
    """Be a database to clone.

    `fingerprint` tells whether the schema of a clone was changed; `seeds` are the rows that its migrations put in, as
    JSON arrays by table.
    """

    database: str
    schema: str
    fingerprint: object
    seeds: Mapping[str, str]


@dataclass(kw_only=True)
class Clones:
    """Lend databases of one server to one process; processes of the same `run` make a template once."""

    admin_url: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    run: str
    _templates: dict[str, _Template] = field(default_factory=dict)
    _lent: dict[str, _Template] = field(default_factory=dict)
    _free: dict[str, list[str]] = field(default_factory=dict)

    def lend(self, schema: str, prepare: Prepare | None = None) -> SchemaUrls:
        """Give the URLs of a schema without rows, in a database that nobody else has.

        `prepare` migrates the template; its name tells one template from another. None: an empty schema.
        """
        template = self._template(schema, prepare)
        free = self._free.setdefault(template.database, [])
        name = free.pop() if free else asyncio.run(self._clone(template))
        self._lent[name] = template
        return databases.urls(self.admin_url, name, schema, self.passwords)

    def take_back(self) -> None:
        """Empty all that was lent; what tests did to a schema does not come back: that database is dropped."""
        for name, template in self._lent.items():
            if asyncio.run(self._is_emptied(name, template)):
                self._free[template.database].append(name)
            else:
                asyncio.run(self._on_server(f'drop database if exists "{name}" with (force)'))
        self._lent.clear()

    def drop(self) -> None:
        """Drop all that is free."""
        for name in [name for names in self._free.values() for name in names]:
            asyncio.run(self._on_server(f'drop database if exists "{name}" with (force)'))
        self._free.clear()

    def _template(self, schema: str, prepare: Prepare | None) -> _Template:
        migration = f"{prepare.__module__}.{prepare.__qualname__}" if prepare else ""
        digest = hashlib.sha256(f"{self.run} {schema} {migration}".encode()).hexdigest()
        name = f"template_{schema}_{digest[:12]}"
        if name not in self._templates:
            with asyncio.Runner() as runner:
                server = runner.run(asyncpg.connect(self.admin_url, timeout=CONNECT_SECONDS))
                try:
                    runner.run(server.execute("select pg_advisory_lock($1)", TEMPLATE_LOCK))
                    if not runner.run(server.fetchval("select 1 from pg_database where datname = $1", name)):
                        # A process that dies in between leaves nothing that others take for a template.
                        unready = f"{name}_{secrets.token_hex(4)}"
                        found = runner.run(databases.provision(self.admin_url, unready, self.passwords, [schema]))
                        if prepare:
                            prepare(found[schema])
                        runner.run(server.execute(f'alter database "{unready}" rename to "{name}"'))
                finally:
                    runner.run(server.close(timeout=CONNECT_SECONDS))
                self._templates[name] = runner.run(self._read_template(name, schema))
        return self._templates[name]

    async def _clone(self, template: _Template) -> str:
        name, schema = f"test_{template.schema}_{secrets.token_hex(6)}", template.schema
        # A clone inherits the schemas and their grants, but not who may connect to the database.
        await self._on_server(
            f'create database "{name}" template "{template.database}" strategy file_copy',
            f'revoke all on database "{name}" from public',
            f'grant connect on database "{name}" to "{schema}_owner", "{schema}_runtime"',
        )
        return name

    async def _is_emptied(self, name: str, template: _Template) -> bool:
        try:
            async with _opened(databases.on_database(self.admin_url, name)) as found:
                # Whoever is left behind would hold locks, or write into the next test.
                await found.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
                await found.execute(_EMPTY, timeout=EMPTY_SECONDS)
                for table, rows in template.seeds.items():
                    seeded = f"insert into {table} select * from json_populate_recordset(null::{table}, $1)"  # noqa: S608
                    await found.execute(seeded, rows)
                return await _read_fingerprint(found) == template.fingerprint
        except asyncpg.InvalidCatalogNameError:
            return False

    async def _read_template(self, name: str, schema: str) -> _Template:
        async with _opened(databases.on_database(self.admin_url, name)) as found:
            seeds = {}
            for (table,) in await found.fetch(_TABLES):
                rows = await found.fetchval(f"select json_agg(one)::text from {table} one")  # noqa: S608  names quoted
                if rows is not None:
                    seeds[table] = rows
            return _Template(database=name, schema=schema, fingerprint=await _read_fingerprint(found), seeds=seeds)

    async def _on_server(self, *statements: str) -> None:
        async with _opened(self.admin_url) as server:
            for statement in statements:
                await server.execute(statement)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def _read_fingerprint(connection: "asyncpg.Connection[asyncpg.Record]") -> object:
    return [tuple(row) for row in await connection.fetch(_FINGERPRINT)]
