"""Reads how far order-svc has come with the routes of a shop, by the services' own time."""

from datetime import UTC, datetime

from fault_shop import Shop
from fault_stack import FaultStack


async def services_now(stack: FaultStack) -> datetime:
    """Give the services' time, which other tests have moved."""
    async with stack.database() as connection:
        now: datetime = await connection.fetchval("select orders.now()")
    return now


async def read_since(stack: FaultStack, shop: Shop) -> datetime:
    """Give since when no route was read to its end."""
    async with stack.database() as connection:
        done: datetime | None = await connection.fetchval(
            "select min(last_done_at) from orders.cursors where account_id = $1", shop.account_id
        )
    return done or datetime.min.replace(tzinfo=UTC)
