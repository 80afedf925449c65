"""Gives tests of the shared parts a schema with nothing but the shared tables, and takes connections away."""

import asyncio
from typing import Protocol

import asyncpg

from hanro.tables import create_3

CONNECT_SECONDS = 10.0


class OwnedSchema(Protocol):
    """Be a schema and the URL of the role that may change it."""

    @property
    def schema(self) -> str:
        """Give the schema's name."""

    @property
    def owner(self) -> str:
        """Give the owner's URL, `postgresql://…`."""


def create_shared_tables(urls: OwnedSchema) -> None:
    """Make the shared tables in an empty schema; a `prepare` for the fixture `make_database`."""
    asyncio.run(_run(urls))


async def terminate_backends(url: str, *, state: str | None = None) -> None:
    """End every connection of the database that `url` names but its own; `state`: only those, as Postgres calls it.

    Only this database's: other tests work on the same server. Returns when their processes are gone.
    """
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        await connection.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database()"
            " and usename = current_user and pid <> pg_backend_pid() and ($1::text is null or state = $1)",
            state,
        )
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


def move_ahead(urls: OwnedSchema) -> None:
    """Add a column to every table, as the next version's migration may: the code that runs beside it must not mind."""
    asyncio.run(_move_ahead(urls))


async def _move_ahead(urls: OwnedSchema) -> None:
    connection = await asyncpg.connect(urls.owner, timeout=CONNECT_SECONDS)
    try:
        tables = await connection.fetch(
            """
            select relname from pg_class where relnamespace = $1::text::regnamespace and relkind in ('r', 'p')
                and not relispartition
            """,
            urls.schema,
        )
        for (table,) in tables:
            await connection.execute(f'alter table "{urls.schema}"."{table}" add column of_a_later_version text')
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def _run(urls: OwnedSchema) -> None:
    connection = await asyncpg.connect(urls.owner, timeout=CONNECT_SECONDS)
    try:
        for statement in create_3(urls.schema):
            await connection.execute(statement)
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
