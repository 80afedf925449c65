"""Breaks one protection at a time on purpose: each check must be able to turn red, and the stack to heal."""

import asyncio
import re
import time

import pytest
from fault_checks import differences, judge, look, quiet
from fault_conflicts import lock_in_the_opposite_order
from fault_log import all_read, read_copies, send
from fault_shop import Shop
from fault_stack import FaultStack
from fault_switches import await_true

pytestmark = pytest.mark.fault
RED_SECONDS = 40.0
UNIQUE = "orders_account_id_external_id_key"


async def _turns_red(stack: FaultStack, shop: Shop, invariant: str, pattern: str) -> bool:
    """Look until the check says words of this pattern: what is only slow differs in others."""
    deadline = time.monotonic() + RED_SECONDS
    while time.monotonic() < deadline:
        if any(re.search(pattern, case) for case in judge(await look(stack, shop)).get(invariant, ())):
            return True
        await asyncio.sleep(0.5)
    return False


async def test_a_cursor_that_moves_without_its_page_is_seen_as_lost_orders_and_the_sweep_finds_them(
    stack: FaultStack, shop: Shop
) -> None:
    with stack.switches.broken("page"):
        await shop.place(2)
        lost = stack.switches.hit("page").exists
        await asyncio.to_thread(await_true, RED_SECONDS, lost, "a page that is dropped")
        assert "not stored: 2" in await quiet(stack, shop, 4)
        assert "I1" in judge(await look(stack, shop))
    assert await differences(stack, shop) == {}


async def test_orders_stored_without_looking_and_without_a_unique_key_are_seen_as_double(
    stack: FaultStack, shop: Shop
) -> None:
    async with stack.database() as connection:
        await connection.execute(f"alter table orders.orders drop constraint {UNIQUE}")
        with stack.switches.broken("lock"):
            await shop.place(1)
            # Twice, or more often where a look comes behind several pages.
            is_red = await _turns_red(stack, shop, "I2", r"is stored \d+ times")
        # A page may still be in hand.
        await asyncio.sleep(1)
        async with connection.transaction():
            await connection.execute("lock table orders.cursors, orders.orders in access exclusive mode")
            doubles = (
                "select id from orders.orders a where exists (select from orders.orders b"
                " where b.account_id = a.account_id and b.external_id = a.external_id and b.id < a.id)"
            )
            for table in ("buyers", "raw_orders"):
                await connection.execute(f"delete from orders.{table} where order_id in ({doubles})")  # noqa: S608  ours
            await connection.execute(f"delete from orders.orders where id in ({doubles})")  # noqa: S608  ours
            await connection.execute(
                f"alter table orders.orders add constraint {UNIQUE} unique (account_id, external_id)"
            )
    assert is_red


async def test_mails_that_leave_without_a_ledger_are_seen_as_double(stack: FaultStack, shop: Shop) -> None:
    with stack.switches.broken("ledger"):
        await shop.place(1)
        assert await _turns_red(stack, shop, "I3", r"was mailed \d+ times")


async def test_facts_forgotten_after_the_commit_are_seen_as_unpublished(stack: FaultStack, shop: Shop) -> None:
    with stack.switches.broken("outbox"):
        await shop.place(1)
        assert await _turns_red(stack, shop, "I9", r"has version 1, the log tells of \[\]")
        # A fact that only waits for the relay would be there by now.
        await asyncio.sleep(3)
        seen = await look(stack, shop)
        assert "I9" in judge(seen)
        assert not seen.waiting


async def test_old_facts_taken_for_news_are_seen_as_a_second_effect(stack: FaultStack, shop: Shop) -> None:
    (number,) = await shop.place(1)
    assert await quiet(stack, shop) == ""
    await shop.cancel(number)
    assert await differences(stack, shop) == {}
    ids = {order["id"] for order in (await look(stack, shop)).orders}
    copies = await read_copies(stack, lambda key: key in ids)
    with stack.switches.broken("inbox"):
        await send(stack, copies[:1])
        assert await _turns_red(stack, shop, "I10", "units, not 0")
        await send(stack, copies)
        await all_read(stack, shop)
    assert await differences(stack, shop) == {}


async def test_a_deadlock_taken_for_a_records_fault_is_seen_as_an_order_without_reservation(
    stack: FaultStack, shop: Shop
) -> None:
    known = {letter["id"] for letter in (await look(stack, shop, is_log_wanted=False)).dead}
    with stack.switches.broken("retry"):
        await lock_in_the_opposite_order(stack, shop)
        assert await _turns_red(stack, shop, "I1", "is not reserved")
    dead = (await look(stack, shop, is_log_wanted=False)).dead
    for letter in (letter for letter in dead if letter["id"] not in known):
        await shop.hanro.call("POST", f"/v1/catalog/dead-letters/{letter['id']}:redrive")
    assert await differences(stack, shop) == {}
