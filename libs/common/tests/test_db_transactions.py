"""Transactions on a real Postgres: what they share, when they tell, and what they survive."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import asyncpg
import pytest
import sqlalchemy
from sqlalchemy import column, insert, table
from sqlalchemy.exc import DBAPIError

from hanro.db import Database, Transaction, connect, is_away, is_conflict, state_of
from hanro.testing.probe import create_probe_tables
from hanro.testing.schemas import terminate_backends
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_probe_tables)

EFFECTS = table("effects", *(column(name) for name in ("aggregate_id", "version", "amount", "applied_count")))
ROW = "insert into effects values ($1, 1, $2, 1)"
COLUMNS = ("aggregate_id", "version", "amount", "applied_count")


async def _count(db: Database) -> int:
    async with db.begin() as tx:
        return int((await tx.fetch("select count(*) from effects"))[0][0])


async def _fail(db: Database, error: Exception) -> None:
    async with db.begin() as tx:
        await tx.execute(ROW, "a", 1)
        await tx.connection.execute(insert(EFFECTS).values(aggregate_id="b", version=1, amount=1, applied_count=1))
        tx.after_commit(lambda: pytest.fail("told of a commit that never was"))
        tx.announce("word")
        raise error


async def test_core_and_bare_statements_share_one_transaction(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail(db, ZeroDivisionError())
    assert await _count(db) == 0
    async with db.begin() as tx:
        await tx.connection.execute(insert(EFFECTS).values(aggregate_id="b", version=1, amount=1, applied_count=1))
        assert await tx.execute("update effects set amount = 2") == 1
    assert await _count(db) == 1


async def test_word_is_given_after_the_commit_and_once(db: Database) -> None:
    heard: list[str] = []
    with db.signals.listening("word", lambda: heard.append("signal")):
        async with db.begin() as tx:
            tx.announce("word")
            tx.announce("word")
            tx.after_commit(lambda: heard.append("call"))
            assert heard == []
        assert heard == ["signal", "call"]
        with pytest.raises(ZeroDivisionError):
            await _fail(db, ZeroDivisionError())
    assert heard == ["signal", "call"]


async def test_two_that_lock_in_opposite_order_both_succeed(db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute(ROW, "a", 1)
        await tx.execute(ROW, "b", 1)
    first_had, second_had = asyncio.Event(), asyncio.Event()
    tries: list[str] = []

    async def lock(tx: Transaction, one: str, other: str, mine: asyncio.Event, theirs: asyncio.Event) -> None:
        tries.append(one)
        await tx.execute("update effects set amount = amount + 1 where aggregate_id = $1", one)
        mine.set()
        await theirs.wait()
        await tx.execute("update effects set amount = amount + 1 where aggregate_id = $1", other)

    await asyncio.gather(
        db.run(lambda tx: lock(tx, "a", "b", first_had, second_had)),
        db.run(lambda tx: lock(tx, "b", "a", second_had, first_had)),
    )
    async with db.begin() as tx:
        amounts = [row[0] for row in await tx.fetch("select amount from effects")]
    assert (amounts, len(tries)) == ([3, 3], 3)


async def test_the_sixth_conflict_is_raised(db: Database) -> None:
    tries: list[int] = []

    async def collide(tx: Transaction) -> None:
        tries.append(1)
        await tx.execute("do $$ begin raise exception using errcode = '40001'; end $$")

    with pytest.raises(asyncpg.SerializationError):
        await db.run(collide)
    assert len(tries) == 5


async def test_a_server_that_dropped_everybody_is_used_again_at_once(db: Database, urls: SchemaUrls) -> None:
    await asyncio.gather(*(_count(db) for _ in range(5)))
    await _terminate(urls)
    assert await asyncio.gather(*(_count(db) for _ in range(5))) == [0] * 5


async def test_a_connection_that_breaks_inside_a_transaction_is_away(db: Database, urls: SchemaUrls) -> None:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as caught:  # noqa: PT012  the block is the case
        async with db.begin() as tx:
            await tx.execute(ROW, "a", 1)
            await _terminate(urls)
            await tx.execute(ROW, "b", 1)
    assert is_away(caught.value)
    assert await _count(db) == 0


@pytest.mark.parametrize("moment", range(6))
async def test_at_whatever_moment_a_connection_breaks_it_is_away(db: Database, urls: SchemaUrls, moment: int) -> None:
    broken = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
    with pytest.raises(broken) as caught:  # noqa: PT012  the block is the case
        async with db.begin() as tx:
            await tx.execute(ROW, "a", 1)
            await _break(urls, moment)
            await tx.execute(ROW, "b", 1)
    assert is_away(caught.value)
    assert await _count(db) == 0


@pytest.mark.parametrize("moment", range(6))
async def test_at_whatever_moment_a_connection_breaks_what_failed_before_is_told(
    db: Database, urls: SchemaUrls, moment: int
) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  the block is the case
        async with db.begin() as tx:
            await tx.execute(ROW, "a", 1)
            await _break(urls, moment)
            raise ZeroDivisionError
    assert await _count(db) == 0


async def test_a_broken_connection_is_away_for_core_too(db: Database, urls: SchemaUrls) -> None:
    with pytest.raises(DBAPIError) as caught:  # noqa: PT012  the block is the case
        async with db.begin() as tx:
            await tx.execute(ROW, "a", 1)
            await _terminate(urls)
            await tx.connection.execute(insert(EFFECTS).values(aggregate_id="b", version=1, amount=1, applied_count=1))
    assert is_away(caught.value)


async def test_a_cancelled_transaction_leaves_nothing_behind(db: Database) -> None:
    async def dawdle() -> None:
        async with db.begin() as tx:
            await tx.execute(ROW, "a", 1)
            await tx.fetch("select pg_sleep(5)")

    for _ in range(6):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dawdle(), 0.1)
    assert await _count(db) == 0


async def test_whoever_is_cancelled_at_whatever_moment_the_next_transaction_commits(
    db: Database, urls: SchemaUrls
) -> None:
    narrow = connect(urls.runtime, schema="probe", pool_size=1)
    for moment in range(60):
        await _count(narrow)
        left = asyncio.create_task(_count(narrow))
        for _ in range(moment):
            await asyncio.sleep(0)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        async with narrow.begin() as tx:
            await tx.execute(ROW, f"{moment}", 1)
        assert await _count(db) == moment + 1
    await narrow.close()


async def test_statements_outside_of_a_transaction_stand_each_by_itself(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  the block is the case
        async with db.statements() as statements:
            assert await statements.execute(ROW, "a", 1) == 1
            assert await _count(db) == 1
            raise ZeroDivisionError
    assert await _count(db) == 1
    async with db.begin() as tx:
        await tx.execute(ROW, "b", 1)
    assert await _count(db) == 2


async def _dawdle(narrow: Database) -> None:
    async with narrow.statements() as statements:
        await statements.fetch("select pg_sleep(9)")


async def _fill(narrow: Database) -> None:
    async with narrow.begin() as tx:
        await tx.insert("effects", COLUMNS, [(f"row-{place}", 1, 1, 1) for place in range(5000)])
        await tx.fetch("select pg_sleep(9)")


@pytest.mark.parametrize("work", [_dawdle, _fill])
async def test_what_is_broken_off_at_whatever_moment_is_in_nobodys_way(
    urls: SchemaUrls, work: Callable[[Database], Coroutine[Any, Any, None]]
) -> None:
    narrow = connect(urls.runtime, schema="probe", pool_size=1)
    for moment in range(40):
        # Far less than who waits for the statement waits.
        async with asyncio.timeout(6):
            left = asyncio.create_task(work(narrow))
            for _ in range(moment):
                await asyncio.sleep(0)
            left.cancel()
            await asyncio.gather(left, return_exceptions=True)
            async with narrow.begin() as tx:
                await tx.execute(ROW, f"{moment}", 1)
            assert await _count(narrow) == moment + 1
    await narrow.close()


DEAF = """
    do $$ begin
        perform pg_sleep(9);
    exception when query_canceled then
        perform pg_sleep(9);
    end $$
"""
"""Go on when cancelled: as the server does with a cancellation that reaches it before its statement."""


@pytest.mark.parametrize("is_transaction", [True, False])
async def test_a_statement_that_no_cancellation_ends_is_in_nobodys_way(
    db: Database,
    urls: SchemaUrls,
    is_transaction: bool,  # noqa: FBT001  a parameter of pytest
) -> None:
    narrow = connect(urls.runtime, schema="probe", pool_size=1)

    async def dawdle() -> None:
        async with narrow.begin() if is_transaction else narrow.statements() as statements:
            await statements.execute("select pg_advisory_lock(7)")
            await statements.execute(DEAF)

    await _count(narrow)
    # Far less than the statement takes.
    async with asyncio.timeout(6):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dawdle(), 0.5)
        async with narrow.begin() as tx:
            await tx.execute(ROW, "a", 1)
        assert await _count(narrow) == 1
        # Nor does it keep what it had locked.
        async with db.begin() as tx:
            await tx.fetch("select pg_advisory_xact_lock(7)")
    await narrow.close()


async def test_inserted_rows_stand_in_their_order_with_defaults_for_what_is_not_named(db: Database) -> None:
    rows = [(f"evt_{place}", "t", "y", "k", "{}", b"\0") for place in (2, 0, 1)]
    async with db.begin() as tx:
        await tx.insert("outbox", ("event_id", "topic", "type", "key", "headers", "value"), rows)
    async with db.begin() as tx:
        stored = [row["event_id"] for row in await tx.fetch("select event_id from outbox order by id")]
    assert stored == ["evt_2", "evt_0", "evt_1"]


@pytest.mark.parametrize(
    ("last", "refusal"),
    [
        (("a", 1, 1, 1), asyncpg.UniqueViolationError),
        (("c", 1, 0, 1), asyncpg.CheckViolationError),
        (("\0", 1, 1, 1), asyncpg.CharacterNotInRepertoireError),
        # What cannot even be sent ends the copy, and not the connection.
        (("c", 1, "1", 1), TypeError),
        (("\ud800", 1, 1, 1), UnicodeEncodeError),
    ],
)
async def test_rows_of_which_one_is_refused_are_not_inserted_and_the_connection_serves_the_next(
    urls: SchemaUrls, last: Sequence[object], refusal: type[Exception]
) -> None:
    narrow = connect(urls.runtime, schema="probe", pool_size=1)
    with pytest.raises(refusal) as caught:
        async with narrow.begin() as tx:
            await tx.insert("effects", COLUMNS, [("a", 1, 1, 1), ("b", 1, 1, 1), last])
    assert not is_away(caught.value)
    assert await _count(narrow) == 0
    async with narrow.begin() as tx:
        await tx.insert("effects", COLUMNS, [("a", 1, 1, 1)])
    assert await _count(narrow) == 1
    await narrow.close()


async def test_an_insert_whose_connection_breaks_is_away(db: Database, urls: SchemaUrls) -> None:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)) as caught:  # noqa: PT012  the block is the case
        async with db.begin() as tx:
            await _terminate(urls)
            await tx.insert("effects", COLUMNS, [("a", 1, 1, 1)])
    assert is_away(caught.value)
    assert await _count(db) == 0


async def test_nobody_there_is_away(unused_tcp_port: int) -> None:
    nowhere = connect(f"postgresql://probe@127.0.0.1:{unused_tcp_port}/probe", schema="probe")
    with pytest.raises(OSError, match=r"refused|Connect") as caught:
        await _count(nowhere)
    assert is_away(caught.value)
    await nowhere.close()


async def test_waiting_for_a_full_pool_ends_as_away(urls: SchemaUrls) -> None:
    narrow = connect(urls.runtime, schema="probe", pool_size=1)
    async with narrow.begin():
        with pytest.raises(sqlalchemy.exc.TimeoutError) as caught:
            await _count(narrow)
    assert is_away(caught.value)
    await narrow.close()


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("insert into effects values ('a', 1, 0, 1)", "23514"),
        ("select 1 / 0", "22012"),
        ("select * from nowhere", "42P01"),
    ],
)
async def test_a_refused_statement_is_neither_away_nor_a_conflict(db: Database, sql: str, state: str) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        async with db.begin() as tx:
            await tx.execute(sql)
    assert (is_away(caught.value), is_conflict(caught.value), state_of(caught.value)) == (False, False, state)


async def test_a_wrong_argument_is_not_taken_for_a_lost_connection(db: Database) -> None:
    with pytest.raises(asyncpg.DataError) as caught:
        async with db.begin() as tx:
            await tx.execute(ROW, "a", "connection")
    assert not is_away(caught.value)


async def test_the_schema_has_a_clock_that_only_its_owner_moves(db: Database, urls: SchemaUrls) -> None:
    owner = await asyncpg.connect(urls.owner)
    await owner.execute("update probe.clock_offset set seconds = 3600")
    await owner.close()
    async with db.begin() as tx:
        (row,) = await tx.fetch(f"select {tx.now_sql} - clock_timestamp() as ahead, current_schemas(false) as path")
    assert (round(row["ahead"].total_seconds()), row["path"]) == (3600, ["probe"])


async def test_statements_and_idle_transactions_have_an_end(db: Database) -> None:
    async with db.begin() as tx:
        (row,) = await tx.fetch(
            "select current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'),"
            " current_setting('client_connection_check_interval'), current_setting('transaction_isolation')"
        )
    assert tuple(row) == ("10s", "15s", "1s", "read committed")


async def test_the_runtime_role_has_no_ddl(db: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.begin() as tx:
            await tx.execute("create table mine ()")


async def _break(urls: SchemaUrls, moment: int) -> None:
    # The loop stands still meanwhile, and reads bit by bit afterwards what came of it.
    cut = threading.Thread(target=lambda: asyncio.run(terminate_backends(urls.runtime)))
    cut.start()
    cut.join()
    for _ in range(moment):
        await asyncio.sleep(0)


async def _terminate(urls: SchemaUrls) -> None:
    await terminate_backends(urls.runtime)
    # The client learns of it when its loop reads next.
    await asyncio.sleep(0.1)
