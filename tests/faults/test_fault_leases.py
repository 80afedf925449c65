"""Lets processes of order-svc overtake each other: faults 5 and 15."""

import asyncio
import contextlib
import os
import signal
from collections import Counter

import httpx
import pytest
from fault_checks import await_stored, differences
from fault_figures import await_polls, over_the_limit, polls
from fault_forms import form
from fault_shop import Shop
from fault_shops import Shops
from fault_stack import FaultStack

from hanro_local.demo.api import until

pytestmark = pytest.mark.fault(is_paced=True)
TAKEN_OVER_SECONDS = 90.0
PAST_SECONDS = 10.0
ROUTES = 2
LOAD = form(short=8, whole=40)
MORE = form(short=(2,), whole=(2, 3))


async def _stop_past_the_lease(stack: FaultStack, shop: Shop) -> Counter[str]:
    """Stop the holder with a page in its hands until another has stored it; give how its work ended afterwards."""
    first = stack.child("order-svc")
    before = await polls(first, shop)
    await stack.rest_accounts(shop.account_id)
    stopped = stack.switches.arm("order_svc", "orders.before_storing", "stop")
    await shop.place(2)
    await stack.wake_account(shop.account_id)
    await asyncio.to_thread(stack.switches.await_reached, stopped)
    try:
        async with stack.replica("order-svc"):
            await _await_the_end_of_leases(stack, shop)
            await shop.place(2)
            await await_stored(stack, shop, 4, TAKEN_OVER_SECONDS)
            os.kill(stack.pid("order-svc"), signal.SIGCONT)
            ended: Counter[str] = Counter()

            async def is_over() -> bool:
                ended.clear()
                ended.update(await polls(first, shop) - before)
                # Another route may have been under way too, and ends in a way of its own.
                return ended["lease-lost"] >= 1 or ended.total() >= ROUTES

            await until(30.0, is_over)
    finally:
        os.kill(stack.pid("order-svc"), signal.SIGCONT)
    return ended


async def _await_the_end_of_leases(stack: FaultStack, shop: Shop) -> None:
    if form(short=True, whole=False):
        await stack.expire_leases()
        return
    async with stack.database() as connection:
        left = await connection.fetchval(
            "select max(extract(epoch from lease_until - orders.now()))::float from orders.due where account_id = $1",
            shop.account_id,
        )
    # What is waited for is the time itself.
    await asyncio.sleep(max(left or 0.0, 0.0) + PAST_SECONDS)


async def test_a_holder_that_wakes_past_its_lease_is_refused_and_nothing_is_lost_or_double(
    stack: FaultStack, shop: Shop
) -> None:
    early = await over_the_limit(shop)
    ended = await _stop_past_the_lease(stack, shop)
    assert ended["lease-lost"] >= 1, ended
    await shop.place(1)
    assert await differences(stack, shop, seconds=TAKEN_OVER_SECONDS) == {}
    assert await over_the_limit(shop) == early


@pytest.mark.fault(is_long=True)
async def test_without_the_fence_the_late_holder_is_seen_to_go_on(stack: FaultStack, shop: Shop) -> None:
    with stack.switches.broken("fence"):
        ended = await _stop_past_the_lease(stack, shop)
    assert ended["lease-lost"] == 0
    assert await differences(stack, shop, seconds=TAKEN_OVER_SECONDS) == {}


async def test_more_processes_instead_of_one_and_one_again_lose_and_double_nothing(
    stack: FaultStack, shop: Shop, shops: Shops
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        both = (shop, await shops.take(client))
        early = await over_the_limit(*both)
        loads = [asyncio.create_task(_load(one)) for one in both]
        async with contextlib.AsyncExitStack() as more:
            replicas = [await more.enter_async_context(stack.replica("order-svc", number)) for number in MORE]
            for child in (stack.child("order-svc"), *replicas):
                await await_polls(child, shop)
            await asyncio.gather(*(await_stored(stack, one, 1, TAKEN_OVER_SECONDS) for one in both))
        await asyncio.gather(*loads)
        assert [await differences(stack, one, seconds=2 * TAKEN_OVER_SECONDS) for one in both] == [{}, {}]
        assert await over_the_limit(*both) == early


async def _load(shop: Shop) -> None:
    for _ in range(LOAD):
        await shop.place(1)
        await asyncio.sleep(0.5)
