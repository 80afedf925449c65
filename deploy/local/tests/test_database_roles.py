"""The roles that the local stack makes: a runtime role works in its own schema and nowhere else."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from hanro_local import databases
from hanro_local.databases import SchemaUrls

SECONDS = 10.0


def own_table(urls: SchemaUrls) -> None:
    async def create() -> None:
        owner = await asyncpg.connect(urls.owner, timeout=SECONDS)
        await owner.execute(f"create table {urls.schema}.parcel (id int generated always as identity, name text)")
        await owner.close()

    asyncio.run(create())


def test_a_runtime_role_writes_rows_but_changes_no_table(make_database: Callable[..., SchemaUrls]) -> None:
    urls = make_database("orders", own_table)

    async def use() -> None:
        runtime = await asyncpg.connect(urls.runtime, timeout=SECONDS)
        try:
            await runtime.execute("insert into orders.parcel (name) values ('a')")
            assert await runtime.fetchval("select name from orders.parcel") == "a"
            for refused in (
                "create table orders.mine (id int)",
                "alter table orders.parcel add x int",
                "drop table orders.parcel",
                "create table public.mine (id int)",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await runtime.execute(refused)
        finally:
            await runtime.close()

    asyncio.run(use())


def test_a_runtime_role_cannot_look_into_another_schema(
    postgres_admin_url: str, role_passwords: dict[str, str]
) -> None:
    database = "roles_of_all"

    async def use() -> None:
        # Twice: the second start of a stack finds everything there.
        await databases.provision(postgres_admin_url, database, role_passwords)
        made = await databases.provision(postgres_admin_url, database, role_passwords)
        owner = await asyncpg.connect(made["orders"].owner, timeout=SECONDS)
        await owner.execute("create table if not exists orders.secret (id int)")
        await owner.close()
        for schema in ("account", "catalog", "notifier"):
            for url in (made[schema].runtime, made[schema].owner):
                other = await asyncpg.connect(url, timeout=SECONDS)
                try:
                    for refused in (
                        "select * from orders.secret",
                        "insert into orders.secret values (1)",
                        "create table orders.mine (id int)",
                    ):
                        with pytest.raises(asyncpg.InsufficientPrivilegeError):
                            await other.execute(refused)
                finally:
                    await other.close()

    asyncio.run(use())


def test_urls_through_something_in_between_differ_in_their_port_alone() -> None:
    own = SchemaUrls(
        "probe", owner="postgresql://o:p%3A1@127.0.0.1:5432/db", runtime="postgresql://r:s@127.0.0.1:5432/db"
    )
    assert own.through(6000) == SchemaUrls(
        "probe", owner="postgresql://o:p%3A1@127.0.0.1:6000/db", runtime="postgresql://r:s@127.0.0.1:6000/db"
    )
