"""Shows that each of the two routes finds what the other cannot."""

import pytest
from fault_checks import await_stored, differences, look, quiet
from fault_shop import Shop
from fault_stack import FaultStack

from hanro_local.databases import SCHEMAS

pytestmark = pytest.mark.fault


async def test_an_order_hidden_from_the_placed_route_is_stored_by_the_open_route(stack: FaultStack, shop: Shop) -> None:
    await shop.place(1, hidden_from=["placed"])
    assert await differences(stack, shop) == {}


async def test_an_open_order_of_700_days_ago_is_found(stack: FaultStack, shop: Shop) -> None:
    (number,) = await shop.place(1, placed_days_ago=700, progress=300)
    await await_stored(stack, shop, 1, 60)
    assert [order["external_id"] for order in (await look(stack, shop)).orders] == [number]


async def test_orders_of_ten_minutes_without_order_svc_all_arrive(stack: FaultStack, shop: Shop) -> None:
    await shop.place(1)
    assert await quiet(stack, shop) == ""
    async with stack.down("order-svc"):
        for _ in range(10):
            await shop.place(1)
            await _advance(stack, shop, 60)
    await stack.expire_leases()
    assert await differences(stack, shop) == {}
    assert len((await look(stack, shop)).orders) == 11


async def _advance(stack: FaultStack, shop: Shop, seconds: float) -> None:
    """Move time together: the marketplace's, the services' and that of their schemas."""
    clock = (await shop.simulator.call("PUT", "/_sim/clock", {"advance_seconds": seconds})).json()
    offset = clock["offset_seconds"]
    stack.clock.write_text(str(offset))
    async with stack.database() as connection:
        for schema in SCHEMAS:
            await connection.execute(f'update "{schema}".clock_offset set seconds = $1', offset)  # noqa: S608  ours
