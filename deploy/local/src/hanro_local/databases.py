"""Prepares a database for the services: for each a schema, an owner role to change it and a runtime role to use it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

SCHEMAS = ("account", "catalog", "orders", "notifier")
CONNECT_SECONDS = 10.0
# Of this module alone. Roles are the server's: two that make them at once would trip over each other.
ROLES_LOCK = 0x68616E726F


@dataclass(frozen=True)
class SchemaUrls:
    """How a service reaches its schema: `owner` for migrations, `runtime` for everything else. Both hold a password."""

    schema: str
    owner: str = field(repr=False)
    runtime: str = field(repr=False)

    def through(self, port: int) -> "SchemaUrls":
        """Give the same URLs on another port of the server's host, where something stands in between."""
        return SchemaUrls(self.schema, owner=_on_port(self.owner, port), runtime=_on_port(self.runtime, port))


def urls(admin_url: str, database: str, schema: str, passwords: Mapping[str, str]) -> SchemaUrls:
    """Give the URLs of a schema; `passwords` are by role name, `<schema>_owner` and `<schema>_runtime`."""
    return SchemaUrls(
        schema,
        owner=_url(admin_url, database, f"{schema}_owner", passwords[f"{schema}_owner"]),
        runtime=_url(admin_url, database, f"{schema}_runtime", passwords[f"{schema}_runtime"]),
    )


def roles(schemas: Iterable[str] = SCHEMAS) -> list[str]:
    """List the roles of some schemas."""
    return [f"{schema}_{kind}" for schema in schemas for kind in ("owner", "runtime")]


def on_database(admin_url: str, database: str) -> str:
    """Give a server's URL with another database."""
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{database}", query="", fragment=""))


async def provision(
    admin_url: str, database: str, passwords: Mapping[str, str], schemas: Iterable[str] = SCHEMAS
) -> dict[str, SchemaUrls]:
    """Make the database, its roles and schemas where they are missing, and set the passwords; may be repeated.

    A runtime role gets what later migrations create by default privileges; nobody else gets anything.

    Raises:
        OSError, asyncpg.PostgresError: the server cannot be reached or refuses.
    """
    schemas = tuple(schemas)
    server = await asyncpg.connect(admin_url, timeout=CONNECT_SECONDS)
    try:
        await server.execute("select pg_advisory_lock($1)", ROLES_LOCK)
        for role in roles(schemas):
            if not await server.fetchval("select 1 from pg_roles where rolname = $1", role):
                await server.execute(f"create role {_name(role)} login")
            await server.execute(f"alter role {_name(role)} password {_text(passwords[role])}")
        if not await server.fetchval("select 1 from pg_database where datname = $1", database):
            await server.execute(f"create database {_name(database)}")
    finally:
        await server.close(timeout=CONNECT_SECONDS)
    inside = await asyncpg.connect(on_database(admin_url, database), timeout=CONNECT_SECONDS)
    try:
        await inside.execute(
            f"revoke all on database {_name(database)} from public; revoke all on schema public from public"
        )
        for schema in schemas:
            owner, runtime = _name(f"{schema}_owner"), _name(f"{schema}_runtime")
            await inside.execute(
                f"grant connect on database {_name(database)} to {owner}, {runtime};"
                f"create schema if not exists {_name(schema)} authorization {owner};"
                f"grant usage on schema {_name(schema)} to {runtime};"
                f"alter default privileges for role {owner} in schema {_name(schema)}"
                f" grant select, insert, update, delete on tables to {runtime};"
                f"alter default privileges for role {owner} in schema {_name(schema)}"
                f" grant usage, select on sequences to {runtime};"
            )
    finally:
        await inside.close(timeout=CONNECT_SECONDS)
    return {schema: urls(admin_url, database, schema, passwords) for schema in schemas}


def _on_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}"))


def _url(admin_url: str, database: str, user: str, password: str) -> str:
    parts = urlsplit(on_database(admin_url, database))
    place = f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=place))


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
