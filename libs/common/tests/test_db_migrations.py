"""Migrations on a real Postgres: twice, by twins, and in spite of locks."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from hanro.db import connect, migrate, revision
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe")

HEAD = """
from alembic import op
from hanro.tables import create_1
revision, down_revision, branch_labels, depends_on = "{number}", {before}, None, None
def upgrade():
"""
FIRST = HEAD.format(number="0001", before=None) + '    [op.execute(text) for text in create_1("probe")]\n'
SECOND = HEAD.format(number="0002", before='"0001"') + '    op.execute("alter table inbox add column note text")\n'
BROKEN = HEAD.format(number="0003", before='"0002"') + (
    '    op.execute("create table half ()")\n    op.execute("select 1 / 0")\n'
)


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    _write(tmp_path, FIRST, "0001")
    return tmp_path


def _write(migrations: Path, text: str, number: str) -> None:
    (migrations / "versions" / f"{number}_probe.py").write_text(text)


def _migrate(urls: SchemaUrls, migrations: Path) -> None:
    migrate(urls.owner, schema="probe", migrations=migrations, runtime_role="probe_runtime")


def _revision(urls: SchemaUrls) -> str | None:
    async def ask() -> str | None:
        db = connect(urls.runtime, schema="probe")
        try:
            return await revision(db)
        finally:
            await db.close()

    return asyncio.run(ask())


def _run(url: str, sql: str) -> list[asyncpg.Record]:
    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_a_schema_goes_to_head_and_stays_there(urls: SchemaUrls, migrations: Path) -> None:
    assert _revision(urls) is None
    _migrate(urls, migrations)
    assert _revision(urls) == "0001"
    _write(migrations, SECOND, "0002")
    _migrate(urls, migrations)
    _migrate(urls, migrations)
    assert _revision(urls) == "0002"


def test_twins_that_start_together_migrate_once(urls: SchemaUrls, migrations: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(_migrate, urls, migrations) for _ in range(3)]:
            done.result(timeout=60)
    assert _revision(urls) == "0001"


def test_a_migration_that_fails_leaves_the_revision_before(urls: SchemaUrls, migrations: Path) -> None:
    _write(migrations, SECOND, "0002")
    _write(migrations, BROKEN, "0003")
    with pytest.raises(Exception, match="division by zero"):
        _migrate(urls, migrations)
    assert _revision(urls) == "0002"
    assert _run(urls.owner, "select to_regclass('probe.half')")[0][0] is None


def test_a_table_that_is_locked_is_asked_for_again(urls: SchemaUrls, migrations: Path) -> None:
    _migrate(urls, migrations)
    _write(migrations, SECOND, "0002")
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(_hold, urls)
        _migrate(urls, migrations)
        reading.result(timeout=30)
    assert _revision(urls) == "0002"


def test_the_runtime_role_may_use_the_tables_and_not_the_owners(urls: SchemaUrls, migrations: Path) -> None:
    _migrate(urls, migrations)
    _run(urls.runtime, "insert into probe.inbox values ('c', 'a', 1)")
    for sql in (
        "update probe.clock_offset set seconds = 1",
        "update probe.alembic_version set version_num = '0'",
        "create table probe.mine ()",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            _run(urls.runtime, sql)


def test_numbers_of_identity_columns_are_never_cached(urls: SchemaUrls, migrations: Path) -> None:
    _migrate(urls, migrations)
    rows = _run(
        urls.owner,
        "select seqrelid::regclass::text, seqcache from pg_sequence"
        " join pg_class on pg_class.oid = seqrelid where relnamespace = 'probe'::regnamespace",
    )
    assert {row["seqcache"] for row in rows} == {1}


def _hold(urls: SchemaUrls) -> None:
    async def hold() -> None:
        connection = await asyncpg.connect(urls.runtime)
        async with connection.transaction():
            await connection.fetch("select count(*) from probe.inbox")
            await asyncio.sleep(3)
        await connection.close()

    asyncio.run(hold())
