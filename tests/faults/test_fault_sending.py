"""Kills order-svc around the call that registers a parcel."""

import asyncio

import pytest
from fault_checks import differences
from fault_journal import advance, sequence
from fault_parcels import OVER, READY, confirmations, found, reached, rows_of, ship
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault(is_long=True)
NUMBER = "123456789012"
BELIEVED_GONE_SECONDS = 301.0


async def _ended(stack: FaultStack, shop: Shop) -> list[tuple[str, str]]:
    async with stack.database() as connection:
        rows = await connection.fetch(
            "select kind, status from orders.operations where account_id = $1 order by id", shop.account_id
        )
    return [(row["kind"], row["status"]) for row in rows]


@pytest.mark.parametrize("point", ["sender.after_answer", "sender.after_sent"])
async def test_a_crash_around_the_call_leaves_one_row_and_an_applied_operation(
    stack: FaultStack, shop: Shop, point: str
) -> None:
    (number,) = await shop.place(1, is_plain=True, progress=READY)
    order = await found(shop, number)
    pid, begun = stack.pid("order-svc"), await sequence(shop)
    armed = stack.switches.arm("order_svc", point)
    asked = await ship(shop, order["id"], NUMBER)
    await asyncio.to_thread(stack.switches.await_reached, armed)
    before = await rows_of(shop, number)
    assert before == ([NUMBER] if point == "sender.after_answer" else [])
    await asyncio.to_thread(stack.await_back, "order-svc", pid)
    # Leases that run out by themselves are awaited with crashes of the poller.
    await stack.expire_leases()
    if point == "sender.after_sent":
        # It may still arrive: a second row could not be taken back.
        await reached(shop, asked["id"], "in_doubt")
        await advance(stack, shop, BELIEVED_GONE_SECONDS)
    assert await reached(shop, asked["id"], *OVER) == "registered"
    assert await _ended(stack, shop) == [("ship", "applied")]
    assert await rows_of(shop, number) == [NUMBER]
    assert [one.has_effect for one in await confirmations(shop, after=begun)] == [True]
    assert await differences(stack, shop) == {}
