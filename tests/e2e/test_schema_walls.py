"""The walls between services in the database that they all share, over every table that their migrations make."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from running_stack import Linked

from hanro_local import databases
from hanro_local.databases import SCHEMAS, SchemaUrls
from hanro_local.stack import DATABASE, Stack

SECONDS = 10.0
# What hanro makes in each schema (outbox, inbox, dead letters, due …), and the tables of the service.
FEWEST_TABLES = 12


def urls(running: Stack, schema: str) -> SchemaUrls:
    """Give the addresses that the service of a schema has."""
    passwords = json.loads((running.state / "postgres" / "roles.json").read_text())
    return databases.urls(running.postgres.url(), DATABASE, schema, passwords)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect while the block lasts; nothing that the block does stays."""
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        async with _undone(connection):
            yield connection
    finally:
        await connection.close(timeout=SECONDS)


@asynccontextmanager
async def _undone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def relations(running: Stack, schema: str) -> list[tuple[str, str]]:
    """List what the migrations of a schema made that holds rows, partitions too: (kind, name); sequences are `S`."""
    async with connected(running.postgres.url(DATABASE)) as superuser:
        found = await superuser.fetch(
            "select c.relkind::text, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'S') order by 2",
            schema,
        )
    return [(kind, name) for kind, name in found]


async def refuses(connection: asyncpg.Connection, statement: str) -> None:
    """See a statement refused for want of a privilege."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with _undone(connection):
            await connection.execute(statement, timeout=SECONDS)


@pytest.mark.parametrize("role", ["runtime", "owner"])
@pytest.mark.parametrize("schema", SCHEMAS)
async def test_no_role_of_another_service_reads_or_writes_a_table(
    shared_stack: Stack, linked: Linked, schema: str, role: str
) -> None:
    assert linked.account.account_id
    own = getattr(urls(shared_stack, schema), role)
    async with connected(own) as intruder:
        for other in (one for one in SCHEMAS if one != schema):
            found = await relations(shared_stack, other)
            assert sum(kind in "rp" for kind, _ in found) >= FEWEST_TABLES
            for kind, name in found:
                place = f'"{other}"."{name}"'
                if kind == "S":
                    await refuses(intruder, f"select nextval('{place}')")
                    continue
                await refuses(intruder, f"select from {place}")
                await refuses(intruder, f"insert into {place} default values")
                await refuses(intruder, f"delete from {place}")  # noqa: S608  names from the catalogue
                await refuses(intruder, f"truncate {place}")
                await refuses(intruder, f"lock table {place} in access share mode")
            await refuses(intruder, f'select "{other}"."now"()')
            await refuses(intruder, f'create table "{other}".mine (id int)')
        await refuses(intruder, "create table public.mine (id int)")


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_a_runtime_role_changes_no_table_of_its_own_schema(
    shared_stack: Stack, linked: Linked, schema: str
) -> None:
    assert linked.account.account_id
    async with connected(urls(shared_stack, schema).runtime) as runtime:
        await refuses(runtime, f'create table "{schema}".mine (id int)')
        await refuses(runtime, f'create function "{schema}".mine() returns int language sql as $$ select 1 $$')
        await refuses(runtime, "create schema mine")
        await refuses(
            runtime,
            f'create or replace function "{schema}".now() returns timestamptz language sql as $$ select null $$',
        )
        await refuses(runtime, f'drop schema "{schema}" cascade')
        for kind, name in await relations(shared_stack, schema):
            place = f'"{schema}"."{name}"'
            if kind not in "rp":
                continue
            await runtime.execute(f"select from {place} limit 1")
            await refuses(runtime, f"alter table {place} add column mine int")
            await refuses(runtime, f"drop table {place}")
            await refuses(runtime, f"truncate {place}")
            await refuses(runtime, f"create index mine on {place} ((1))")
        await refuses(runtime, f'update "{schema}".clock_offset set seconds = 1')  # noqa: S608  ours


async def test_a_wall_that_is_broken_is_seen(shared_stack: Stack) -> None:
    async with connected(shared_stack.postgres.url(DATABASE)) as superuser:
        await superuser.execute("grant usage on schema orders to notifier_runtime")
        await superuser.execute("grant select on all tables in schema orders to notifier_runtime")
        await superuser.execute("set role notifier_runtime")
        with pytest.raises(pytest.fail.Exception):
            await refuses(superuser, "select from orders.orders")
        await refuses(superuser, "delete from orders.orders")
