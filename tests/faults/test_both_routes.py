"""Shows that each of the two routes finds what the other cannot."""

import pytest
from fault_checks import await_stored, differences, look, quiet
from fault_journal import advance
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault(is_long=True)


async def test_the_open_route_finds_what_the_placed_route_hides_or_no_longer_shows(
    stack: FaultStack, shop: Shop
) -> None:
    # One sweep takes half a minute: a search reaches 63 days, and the marketplace allows one call a second. The one
    # under way may have passed their days, or its holder may be gone: then its lease lasts a minute.
    await shop.place(1, hidden_from=["placed"])
    await shop.place(1, placed_days_ago=700, progress=300)
    await await_stored(stack, shop, 2, 180)
    assert await differences(stack, shop) == {}


async def test_orders_of_ten_minutes_without_order_svc_all_arrive(stack: FaultStack, shop: Shop) -> None:
    await shop.place(1)
    assert await quiet(stack, shop) == ""
    async with stack.down("order-svc"):
        for _ in range(10):
            await shop.place(1)
            await advance(stack, shop, 60)
    await stack.expire_leases()
    assert await differences(stack, shop) == {}
    assert len((await look(stack, shop)).orders) == 11
