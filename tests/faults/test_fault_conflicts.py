"""Lets reservers collide: fault 10."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from fault_checks import differences, look, quiet
from fault_conflicts import (
    DEADLOCK,
    UNSERIALISABLE,
    Quarrels,
    change_behind_the_snapshot,
    lock_in_the_opposite_order,
    opposite_orders,
    repeatable_reads,
    two_lines,
)
from fault_forms import form
from fault_shop import Shop
from fault_stack import FaultStack

from hanro_local.demo.api import until

pytestmark = pytest.mark.fault
TIMES = form(short=1, whole=10)
COLLIDED_SECONDS = 120.0

Collide = Callable[[FaultStack, Shop], Awaitable[list[str]]]


async def _is_tried_again(stack: FaultStack, shop: Shop, collide: Collide, words: str) -> None:
    """Collide, and check that all is as if nobody had, without a dead letter."""
    dead = (await look(stack, shop, is_log_wanted=False)).dead
    quarrels = Quarrels(stack)
    for _ in range(TIMES):
        await collide(stack, shop)
    assert await differences(stack, shop) == {}
    assert quarrels.count(words) >= TIMES
    seen = await look(stack, shop, is_log_wanted=False)
    assert len(seen.reservations) == 2 * TIMES
    assert seen.dead == dead


async def test_a_reservation_that_meets_a_lock_in_the_opposite_order_is_made_again(
    stack: FaultStack, shop: Shop
) -> None:
    await _is_tried_again(stack, shop, lock_in_the_opposite_order, DEADLOCK)


async def test_a_reservation_whose_snapshot_grew_old_is_made_again(stack: FaultStack, shop: Shop) -> None:
    async with repeatable_reads(stack):
        await _is_tried_again(stack, shop, change_behind_the_snapshot, UNSERIALISABLE)


@pytest.mark.fault(is_long=True)
async def test_two_processes_that_reserve_in_opposite_orders_lose_no_fact_and_no_unit(
    stack: FaultStack, shop: Shop
) -> None:
    dead = (await look(stack, shop, is_log_wanted=False)).dead
    async with stack.replica("catalog-svc"):
        quarrels = Quarrels(stack)
        with opposite_orders(stack):

            async def have_collided() -> bool:
                # Of four, each has some.
                await shop.place(4, lines=two_lines(), is_plain=True)
                await asyncio.sleep(2)
                return quarrels.count(DEADLOCK) > 0

            await until(COLLIDED_SECONDS, have_collided)
            assert await quiet(stack, shop, COLLIDED_SECONDS, is_mail_awaited=False) == ""
    assert await differences(stack, shop, seconds=COLLIDED_SECONDS) == {}
    seen = await look(stack, shop, is_log_wanted=False)
    assert len(seen.reservations) == 2 * len(seen.truth)
    assert seen.dead == dead
