"""Lets the broker come back empty, topics and offsets lost: fault 12. Services tell again what it had, unasked."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fault_checks import Sighted, await_stored, judge, look, quiet
from fault_health import same_processes
from fault_log import all_read, readers
from fault_shop import Shop
from fault_shops import Shops
from fault_stack import FaultStack

from hanro.restoring import EVERY_SECONDS
from hanro_local.demo.api import until

pytestmark = pytest.mark.fault
HEAL_SECONDS = 90.0
# No partition may stand still for longer (I11).
BLOCKED_SECONDS = 90.0
READERS = ("catalog-svc", "notifier-svc")
LOSSES = 3

Readers = set[tuple[str, str]]


@asynccontextmanager
async def _emptied_kafka(stack: FaultStack) -> AsyncIterator[None]:
    """Take the broker away with all that it holds while the block lasts; afterwards a new one runs in its place."""
    async with stack.down("kafka"):
        shutil.rmtree(stack.parts.state / "kafka" / "data")
        stack.switches.prepare_again("kafka")
        yield


async def _lose_what_nobody_read(stack: FaultStack, shop: Shop) -> Readers:
    """Publish facts of orders, some read by everybody, some by nobody, some not yet taken; and empty the broker.

    Gives who had read something before.
    """
    (taken_back, *_) = await shop.place(2)
    assert await quiet(stack, shop, HEAL_SECONDS) == ""
    before = await readers(stack)
    async with stack.down(*READERS):
        await shop.cancel(taken_back)
        await shop.place(2)

        async def are_published() -> bool:
            seen = await look(stack, shop, is_log_wanted=False)
            is_cancelled = any(order["status"] == "cancelled" for order in seen.orders)
            return is_cancelled and len({row["key"] for row in seen.archive}) == 4 and not seen.waiting

        await until(HEAL_SECONDS, are_published)
        async with _emptied_kafka(stack):
            await shop.place(1)
    return before


async def _all_is_told_again(stack: FaultStack, shop: Shop, before: Readers) -> Sighted:
    """Wait until all is as if nothing had been lost, everybody reads, and the log holds what is archived; give it."""
    assert await quiet(stack, shop, HEAL_SECONDS) == ""
    seen: list[Sighted] = []

    async def is_told() -> bool:
        seen[:] = [await look(stack, shop)]
        # Facts of an order that come while older ones are told again lie before these: versions say what is newer.
        missing = [
            case for case in judge(seen[0]).get("I9", ()) if "never committed" in case or "not in the log" in case
        ]
        return not missing

    await until(HEAL_SECONDS, is_told)
    assert {name: cases for name, cases in judge(seen[0]).items() if name != "I9"} == {}

    async def all_read_on() -> bool:
        return before <= await readers(stack)

    await until(BLOCKED_SECONDS, all_read_on)
    await all_read(stack, shop, BLOCKED_SECONDS)
    return seen[0]


async def test_facts_that_the_broker_lost_are_told_again_and_each_has_its_effect_once(
    stack: FaultStack, shop: Shop
) -> None:
    before = await _lose_what_nobody_read(stack, shop)
    seen = await _all_is_told_again(stack, shop, before)
    assert len(seen.orders) == 5


@pytest.mark.fault(is_long=True)
async def test_facts_that_nobody_tells_again_are_seen_as_lost(stack: FaultStack, shop: Shop, shops: Shops) -> None:
    # More than what comes later: a log that has grown again to what is remembered of it looks whole.
    async with httpx.AsyncClient(trust_env=False) as client:
        other = await shops.take(client)
        await other.place(40)
        await await_stored(stack, other, 40, HEAL_SECONDS)
    await asyncio.sleep(2 * EVERY_SECONDS)
    with stack.switches.broken("restoring"):
        before = await _lose_what_nobody_read(stack, shop)
        # What comes later arrives: the consumers found the new broker.
        (later,) = await shop.place(1)

        async def is_reserved() -> bool:
            seen = await look(stack, shop, is_log_wanted=False)
            return later in {row["external_id"] for row in seen.reservations}

        await until(HEAL_SECONDS, is_reserved)
        red = judge(await look(stack, shop))
    assert [case for case in red["I1"] if "is not reserved" in case]
    assert [case for case in red["I9"] if "not in the log" in case]
    await _all_is_told_again(stack, shop, before)


@pytest.mark.fault(is_long=True)
async def test_a_broker_that_comes_back_empty_again_and_again_under_load_loses_no_order(
    stack: FaultStack, shop: Shop
) -> None:
    await shop.place(1)
    assert await quiet(stack, shop, HEAL_SECONDS) == ""
    before = await readers(stack)
    with same_processes(stack):
        async with asyncio.TaskGroup() as group:
            loading = group.create_task(_load(shop))
            for _ in range(LOSSES):
                async with _emptied_kafka(stack):
                    await asyncio.sleep(3)
                await asyncio.sleep(10)
            loading.cancel()
        await _all_is_told_again(stack, shop, before)


async def _load(shop: Shop) -> None:
    while True:
        await shop.place(1)
        await asyncio.sleep(1)
