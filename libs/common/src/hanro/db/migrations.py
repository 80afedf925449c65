"""Brings a service's schema to its newest revision; twins that start together do it once."""

import asyncio
import random
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from hanro.db.database import CONNECT_SECONDS, Database
from hanro.db.failures import is_conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_TABLE = "alembic_version"
LOCK_SECONDS = 2
TWIN_SECONDS = 0.2
TWIN_ATTEMPTS = 1500
ATTEMPTS = 30
# What only the owner may change.
OWNERS_TABLES = (VERSION_TABLE, "clock_offset")


def migrate(owner_url: str, *, schema: str, migrations: Path, runtime_role: str) -> None:
    """Upgrade a schema to head, one transaction a revision, and grant its runtime role what it needs; may be repeated.

    `migrations` holds `versions/`; the version table stands in the schema. A lock that is not had within 2 s is asked
    for again, 30 times: a waiting DDL would block every reader behind it. Call it outside of a running event loop.

    Raises:
        OSError, asyncpg.PostgresError, sqlalchemy.exc.DBAPIError: the server cannot be reached, or refuses.
    """
    asyncio.run(_migrate(owner_url, schema, migrations, runtime_role))


async def revision(db: Database) -> str | None:
    """Give the revision that the schema is at; None while it has none."""
    async with db.begin() as tx:
        if (await tx.fetch("select to_regclass($1)", f'"{db.schema}".{VERSION_TABLE}'))[0][0] is None:
            return None
        found = await tx.fetch(f"select version_num from {VERSION_TABLE}")  # noqa: S608  a constant of ours
        return str(found[0][0]) if found else None


async def _migrate(owner_url: str, schema: str, migrations: Path, runtime_role: str) -> None:
    engine = create_async_engine(
        make_url(owner_url).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "server_settings": {"search_path": f'"{schema}"', "lock_timeout": f"{LOCK_SECONDS}s", "timezone": "UTC"},
        },
    )
    try:
        async with engine.connect() as connection:
            await _wait_for_twins(connection, schema)
            await _upgrade_in_spite_of_locks(connection, schema, migrations)
            await _grant(connection, schema, runtime_role)
    finally:
        await engine.dispose()


async def _wait_for_twins(connection: AsyncConnection, schema: str) -> None:
    # A session's lock: it outlives the transactions of the revisions and goes with the connection.
    for _ in range(TWIN_ATTEMPTS):
        had = await connection.scalar(
            text("select pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": f"hanro migrate {schema}"}
        )
        await connection.commit()
        if had:
            return
        await asyncio.sleep(TWIN_SECONDS)
    raise TimeoutError(f"another process has been migrating schema {schema} for {TWIN_ATTEMPTS * TWIN_SECONDS:.0f} s")


async def _upgrade_in_spite_of_locks(connection: AsyncConnection, schema: str, migrations: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await connection.run_sync(_upgrade, schema, migrations)
            await connection.commit()
        except Exception as error:
            await connection.rollback()
            if attempt == ATTEMPTS or not is_conflict(error):
                raise
            await asyncio.sleep(random.uniform(0.5, 1.5))  # noqa: S311  no secret
        else:
            return


def _upgrade(connection: "Connection", schema: str, migrations: Path) -> None:
    # Imported here: a tenth of a second that a service's start need not pay.
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext, RevisionStep  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)

    def steps(found: str | tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        return scripts._upgrade_revs("head", found)  # type: ignore[arg-type]  # noqa: SLF001  as alembic.command does

    with EnvironmentContext(config, scripts, fn=steps, destination_rev="head") as environment:
        environment.configure(
            connection=connection,
            version_table=VERSION_TABLE,
            version_table_schema=schema,
            transaction_per_migration=True,
        )
        environment.run_migrations()


async def _grant(connection: AsyncConnection, schema: str, runtime_role: str) -> None:
    everything = f'all tables in schema "{schema}"'
    for statement in (
        f'grant usage on schema "{schema}" to "{runtime_role}"',
        f'grant select, insert, update, delete on {everything} to "{runtime_role}"',
        f'grant usage, select on all sequences in schema "{schema}" to "{runtime_role}"',
    ):
        await connection.execute(text(statement))
    for table in OWNERS_TABLES:
        if await connection.scalar(text("select to_regclass(:name)"), {"name": f'"{schema}".{table}'}):
            await connection.execute(text(f'revoke insert, update, delete on "{schema}".{table} from "{runtime_role}"'))
    await connection.commit()
