"""Opens transactions on a service's schema; SQLAlchemy Core for most, the bare connection for hot paths."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from typing import TypeVar, cast

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from hanro.db.failures import is_conflict
from hanro.db.signals import Signals

CONNECT_SECONDS = 5.0
POOL_SECONDS = 5.0
STATEMENT_SECONDS = 10
IDLE_IN_TRANSACTION_SECONDS = 15
# Longer than the server's own limit: it bounds the wait for a server that fell silent.
ANSWER_SECONDS = 12.0
# A statement that was broken off has ended by then, or its connection ends; the server looks as often who is there.
CANCEL_SECONDS = 1
ATTEMPTS = 5
PAUSE_SECONDS = 0.02

Result = TypeVar("Result")


class Statements:
    """Be one connection; `$1` placeholders, unqualified names are the service's schema.

    Outside of a `Transaction` each statement commits by itself. `now_sql` is the SQL text of the schema's own clock:
    never write a bare `now()`, which is pg_catalog's.
    """

    def __init__(self, raw: asyncpg.Connection, schema: str) -> None:
        self.schema = schema
        self.now_sql = qualified_now(schema)
        self._raw = raw

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Give the rows of a statement, none to many, on the bare connection; it is prepared once a connection."""
        return cast("list[asyncpg.Record]", await self._raw.fetch(sql, *args))

    async def now(self) -> datetime:
        """Give the time by the schema's own clock."""
        at: datetime = (await self.fetch(f"select {self.now_sql} as at"))[0]["at"]
        return at

    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement and give the count of rows that it touched; 0 for statements that touch none."""
        count = (await self._raw.execute(sql, *args)).rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Insert rows that nothing is in the way of, in their order, by COPY; columns not named take their defaults.

        It takes two thirds of the time of an INSERT from arrays, but two round trips instead of one.
        """
        await self._raw.copy_records_to_table(table, schema_name=self.schema, columns=columns, records=rows)


class Transaction(Statements):
    """Be an open transaction on one connection."""

    def __init__(self, connection: AsyncConnection, raw: asyncpg.Connection, schema: str, signals: Signals) -> None:
        super().__init__(raw, schema)
        self.connection = connection
        self._signals = signals
        self._names: set[str] = set()
        self._afterwards: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call something once this transaction is committed, in the order of asking; never after a rollback."""
        self._afterwards.append(call)

    def announce(self, name: str) -> None:
        """Give a signal of the database, once, when this transaction is committed."""
        self._names.add(name)

    def committed(self) -> None:
        """Run what waited for the commit; the database calls it."""
        self._signals.give(self._names)
        for call in self._afterwards:
            call()


class Database:
    """Be a service's schema behind a small pool; `now_sql` is the SQL text of the schema's own clock.

    `signals` tells this process what its transactions announced.
    """

    def __init__(self, engine: AsyncEngine, schema: str, pool_size: int) -> None:
        self.schema = schema
        self.now_sql = qualified_now(schema)
        self.signals = Signals()
        self._engine = engine
        self._pool_size = pool_size

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a READ COMMITTED transaction; it commits at the end of the block, and rolls back when that raises.

        Raises:
            OSError, asyncpg.PostgresError, sqlalchemy.exc.TimeoutError: see `is_away`; a COMMIT that fails so may have
                happened or not.
        """
        return self._begin()

    def statements(self) -> AbstractAsyncContextManager[Statements]:
        """Give a connection on which each statement is a transaction of its own: a round trip each, and not three.

        For who reads, then writes at most once: what was read may have changed, and nothing is taken back.

        Raises:
            OSError, asyncpg.PostgresError, sqlalchemy.exc.TimeoutError: see `is_away`; what was written then may stand.
        """
        return self._statements()

    async def run(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Do work in a transaction of its own, again after a deadlock or a serialisation failure, 5 times at most."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.begin() as tx:
                    return await work(tx)
            except Exception as error:
                if attempt == ATTEMPTS or not is_conflict(error):
                    raise
                # Two that collided would collide again in step.
                await asyncio.sleep(random.uniform(0, PAUSE_SECONDS * attempt))  # noqa: S311  no secret
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def close(self) -> None:
        """Close every connection; transactions that are open fail."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[Transaction]:
        async with self._engine.connect() as connection:
            raw = await self._live(connection)
            transaction = raw.transaction()
            tx = Transaction(connection, raw, self.schema, self.signals)
            try:
                await transaction.start()
            except BaseException:
                # It may have begun all the same: whoever came next would get a savepoint in it and commit nothing.
                await connection.invalidate()
                raise
            try:
                try:
                    yield tx
                except BaseException:
                    await _end(raw, transaction.rollback)
                    raise
                await transaction.commit()
            except BaseException:
                # A connection whose end of transaction was not heard must not serve anybody else.
                if raw.is_closed() or raw.is_in_transaction():
                    await connection.invalidate()
                raise
        tx.committed()

    @asynccontextmanager
    async def _statements(self) -> AsyncIterator[Statements]:
        async with self._engine.connect() as connection:
            raw = await self._live(connection)
            try:
                yield Statements(raw, self.schema)
            except BaseException:
                await _end(raw, lambda: raw.execute("select"))
                raise

    async def _live(self, connection: AsyncConnection) -> asyncpg.Connection:
        # A server that restarted has closed all connections of the pool; seeing that costs no round trip.
        for _ in range(self._pool_size):
            raw = await _driver(connection)
            if not raw.is_closed():
                return raw
            await connection.invalidate()
        return await _driver(connection)


def qualified_now(schema: str) -> str:
    """Give the SQL text of a schema's clock."""
    return f'"{schema}".now()'


def connect(url: str, *, schema: str, pool_size: int = 5) -> Database:
    """Prepare a pool of at most `pool_size` connections to `postgresql://…`; the first transaction opens one.

    A statement ends after 10 s, a transaction that idles after 15 s, waiting for a connection after 5 s.
    """
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        # The transaction is begun on the bare connection: SQLAlchemy's statements and ours share it.
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": ANSWER_SECONDS,
            "server_settings": {
                "application_name": f"hanro {schema}",
                "search_path": f'"{schema}"',
                "statement_timeout": f"{STATEMENT_SECONDS}s",
                "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
                # What a process began that is gone keeps its locks no longer.
                "client_connection_check_interval": f"{CANCEL_SECONDS}s",
                "timezone": "UTC",
                "jit": "off",
                # A plan kept from when a table was small reads all of it for each row of a page, until statistics come.
                "plan_cache_mode": "force_custom_plan",
            },
        },
    )
    return Database(engine, schema, pool_size)


async def _end(raw: asyncpg.Connection, last: Callable[[], Awaitable[object]]) -> None:
    """Send what comes last on a connection whose work failed; where that takes long, the connection ends.

    The server ignores a cancellation that reaches it before the statement that it is meant for: that one runs its
    course, and whoever got the connection next would wait for it.
    """
    if raw.is_closed():
        return
    # Whatever the end of a broken connection says, what was raised before tells more.
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                await last()
        except BaseException:
            raw.terminate()
            raise


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    raw = await connection.get_raw_connection()
    return cast("asyncpg.Connection", raw.driver_connection)
