"""What is lent to a test is as its template: no row of another test, its migrations' own rows, its own schema."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from hanro_local.clones import Clones
from hanro_local.databases import SchemaUrls

SECONDS = 10.0


def seeded(urls: SchemaUrls) -> None:
    """Make a table with a row that belongs there, one that is empty, and a row that follows another."""
    asyncio.run(
        run(
            urls,
            "create table probe.clock (zone text); insert into probe.clock values ('Asia/Tokyo')",
            "create table probe.crate (id int generated always as identity primary key, at timestamptz)",
            "create table probe.parcel (crate_id int references probe.crate)",
        )
    )


async def run(urls: SchemaUrls, *statements: str) -> None:
    """Run statements as the schema's owner."""
    owner = await asyncpg.connect(urls.owner, timeout=SECONDS)
    for statement in statements:
        await owner.execute(statement)
    await owner.close()


async def read(urls: SchemaUrls, query: str) -> list[tuple[object, ...]]:
    """Read rows."""
    owner = await asyncpg.connect(urls.owner, timeout=SECONDS)
    rows = await owner.fetch(query)
    await owner.close()
    return [tuple(row) for row in rows]


@pytest.fixture
def lending(postgres_admin_url: str, role_passwords: dict[str, str], tmp_path: object) -> Iterator[Clones]:
    made = Clones(admin_url=postgres_admin_url, passwords=role_passwords, run=str(tmp_path))
    yield made
    made.take_back()
    made.drop()


def test_a_database_comes_back_without_the_rows_of_others_and_with_those_of_its_migrations(lending: Clones) -> None:
    used = lending.lend("probe", seeded)
    asyncio.run(
        run(
            used,
            "insert into probe.crate (at) values (now()), (now())",
            "insert into probe.parcel values (1), (2)",
            "update probe.clock set zone = 'UTC'",
        )
    )
    lending.take_back()
    again = lending.lend("probe", seeded)
    assert again == used
    assert asyncio.run(read(again, "select zone from probe.clock")) == [("Asia/Tokyo",)]
    assert asyncio.run(read(again, "select * from probe.crate union all select *, null from probe.parcel")) == []
    asyncio.run(run(again, "insert into probe.crate (at) values (now())"))
    assert asyncio.run(read(again, "select id from probe.crate")) == [(1,)]


def test_two_that_are_lent_at_once_are_two(lending: Clones) -> None:
    first, second = lending.lend("probe", seeded), lending.lend("probe", seeded)
    assert first != second


@pytest.mark.parametrize(
    "change",
    [
        "drop table probe.parcel",
        "alter table probe.crate add weight int",
        "create index on probe.crate (at)",
        "create table probe.more ()",
        "grant all on probe.clock to public",
        "alter table probe.crate alter at set not null",
    ],
)
def test_a_database_whose_schema_was_changed_is_not_lent_again(lending: Clones, change: str) -> None:
    used = lending.lend("probe", seeded)
    asyncio.run(run(used, change))
    lending.take_back()
    assert lending.lend("probe", seeded) != used
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        asyncio.run(run(used, "select 1"))


def test_who_is_left_behind_in_a_database_is_put_out_and_holds_nobody_up(lending: Clones) -> None:
    used = lending.lend("probe", seeded)

    async def stay() -> asyncpg.Connection:
        left = await asyncpg.connect(used.owner, timeout=SECONDS)
        await left.execute("begin; insert into probe.crate (at) values (now()); lock table probe.parcel")
        return left

    with asyncio.Runner() as runner:
        left = runner.run(stay())
        lending.take_back()
        assert lending.lend("probe", seeded) == used
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            runner.run(left.execute("commit"))
        left.terminate()
    assert asyncio.run(read(used, "select id from probe.crate")) == []
