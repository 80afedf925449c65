"""Gets in the way of who reserves stock: a transaction of the test's own that locks or changes the same rows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import asyncpg
from fault_shop import Shop
from fault_stack import FaultStack

from hanro_local.stack import DATABASE

DEADLOCK = "deadlock detected"
UNSERIALISABLE = "could not serialize access"
RESERVER = "hanro catalog"
SECONDS = 30.0
# In the order in which reservers lock.
FIRST, LAST = "cookie-12", "tea-50"


def two_lines() -> list[dict[str, object]]:
    """Give the lines of an order of both."""
    return [{"manageNumber": key, "variantId": key} for key in (FIRST, LAST)]


def sku(shop: Shop, key: str) -> str:
    """Give the shop's SKU of what the marketplace calls so."""
    return f"{shop.prefix}-{key.upper()}"


class Quarrels:
    """Count what Postgres says of transactions that it refused, from now on."""

    def __init__(self, stack: FaultStack) -> None:
        self._log = stack.parts.supervisor.log("postgres")
        self._begin = self._log.stat().st_size

    def count(self, words: str) -> int:
        """Count the refusals with these words."""
        return self._log.read_bytes()[self._begin :].count(words.encode())


async def lock_in_the_opposite_order(stack: FaultStack, shop: Shop) -> list[str]:
    """Let an order of both come, lock the last SKU before its reserver does and the first one behind it.

    One of the two transactions must give way; as the test's own is patient, it is the reserver's. Gives the order.
    """
    async with stack.database() as connection, connection.transaction(), asyncio.timeout(SECONDS):
        # Whose patience is over first looks for the deadlock, and is its victim.
        await connection.execute(f"set local deadlock_timeout = '{SECONDS:.0f}s'")
        await _lock(connection, sku(shop, LAST))
        numbers = await shop.place(1, lines=two_lines(), is_plain=True)
        await connection.execute(_AWAIT_RESERVER)
        await _lock(connection, sku(shop, FIRST))
    return numbers


async def change_behind_the_snapshot(stack: FaultStack, shop: Shop) -> list[str]:
    """Let an order come, and change the stock that its reserver waits for and has a snapshot of. Gives the order."""
    async with stack.database() as connection, connection.transaction(), asyncio.timeout(SECONDS):
        await connection.execute("update catalog.stock set changed_at = changed_at where sku = $1", sku(shop, FIRST))
        numbers = await shop.place(1, lines=two_lines(), is_plain=True)
        await connection.execute(_AWAIT_RESERVER)
    return numbers


@contextlib.asynccontextmanager
async def repeatable_reads(stack: FaultStack) -> AsyncIterator[None]:
    """Let each transaction of catalog-svc keep to one snapshot, while the block lasts: one that collides is refused."""
    async with stack.database() as connection:
        for_role = f"alter role catalog_runtime in database {DATABASE}"
        await connection.execute(f"{for_role} set default_transaction_isolation = 'repeatable read'")
        await _connect_again(connection)
        try:
            yield
        finally:
            await connection.execute(f"{for_role} reset default_transaction_isolation")
            await _connect_again(connection)


@contextlib.contextmanager
def opposite_orders(stack: FaultStack) -> Iterator[None]:
    """Let every second process of catalog-svc lock the SKUs of a batch from the last to the first, all one by one."""
    with stack.switches.broken("order"):
        yield


async def _lock(connection: asyncpg.Connection, name: str) -> None:
    await connection.execute("select from catalog.stock where sku = $1 for update", name)


async def _connect_again(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", RESERVER
    )


# By the server itself: its deadlock check comes a second after the wait begins, and only once.
_AWAIT_RESERVER = """
    do $$ begin
        while not exists (
            select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))
        ) loop
            perform pg_sleep(0.01);
        end loop;
    end $$
"""
