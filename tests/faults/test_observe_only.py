"""Lets an account only observe for a week beside one that works: nothing leaves, and all that would have is listed."""

import asyncio
from collections import Counter

import httpx
import pytest
from fault_forms import form
from fault_journal import advance, sequence, writes
from fault_shop import Shop
from fault_shops import Shops
from fault_stack import FaultStack
from fault_week import ACCEPTANCE, CANCELLED, ORDERED, Work, observe

pytestmark = pytest.mark.fault

DAYS = 7
DAY_SECONDS = 86_400
ORDERS_A_DAY = form(short=3, whole=60)
CANCELLED_A_DAY = form(short=1, whole=20)
NEW, TAKEN_BACK = 100, 900


async def progresses(shop: Shop) -> set[int]:
    truth = (await shop.simulator.call("GET", f"/_sim/shops/{shop.number}/orders")).json()
    return {order["progress"] for order in truth["orders"]}


@pytest.mark.row("A21", kind="walks")
async def test_a_week_of_observing_writes_nothing_and_lists_with_its_plan_what_a_working_twin_sent(
    stack: FaultStack, shop: Shop, shops: Shops
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        works = Work(stack, shop), Work(stack, await shops.take(client))
        watching, working = works
        for work in works:
            await work.begin()
        await observe(stack, shop, is_observing=True)
        begun = await sequence(shop)
        for day in range(DAYS):
            cancelled = CANCELLED_A_DAY if day else 0
            await asyncio.gather(*(work.day(orders=ORDERS_A_DAY, cancellations=cancelled) for work in works))
            await advance(stack, shop, DAY_SECONDS)
        expected = Counter(
            {
                ACCEPTANCE: DAYS * ORDERS_A_DAY,
                ORDERED: DAYS * ORDERS_A_DAY,
                CANCELLED: (DAYS - 1) * CANCELLED_A_DAY,
            }
        )
        assert await working.sent(begun) == expected
        assert await writes(shop, after=begun) == []
        assert await watching.sent(begun) == Counter()
        assert await progresses(shop) == {NEW, TAKEN_BACK}
        assert await watching.observed() == expected
        assert await working.observed() == Counter()
        assert await watching.named() == {
            ACCEPTANCE: Counter(watching.placed),
            ORDERED: Counter(watching.placed),
            CANCELLED: Counter(watching.cancelled),
        }
        # What was only observed is never made good.
        await observe(stack, shop, is_observing=False)
        await watching.day(orders=1)
        assert await watching.sent(begun) == Counter({ACCEPTANCE: 1, ORDERED: 1})


@pytest.mark.row("A21", kind="refuses")
@pytest.mark.parametrize(("gate", "word"), [("acceptances", ACCEPTANCE), ("mails", ORDERED)])
async def test_without_the_gate_of_a_service_what_leaves_is_seen(
    stack: FaultStack, shop: Shop, gate: str, word: str
) -> None:
    work = Work(stack, shop)
    await observe(stack, shop, is_observing=True)
    begun = await sequence(shop)
    with stack.switches.broken(gate):
        await work.day(orders=1)
    # The other service keeps its gate.
    assert await work.sent(begun) == Counter({word: 1})
