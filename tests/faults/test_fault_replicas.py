"""Stops a process while another of the same service goes on: fault 6, and the slow handler of fault 15."""

import asyncio
import os
import signal

import pytest
from fault_checks import await_stored, differences, look
from fault_figures import facts_handled
from fault_forms import form
from fault_shop import Shop
from fault_stack import LEASE_SECONDS, FaultStack
from fault_switches import Late

from hanro_local.demo.api import until

pytestmark = pytest.mark.fault
# A stopped process keeps its leases.
TAKEN_OVER_SECONDS = form(short=90.0, whole=LEASE_SECONDS + 90.0)
TURNS = 5
REACHED_SECONDS = 15.0
MOST_ORDERS = 12
# A handler ends after 20 s at the latest, long before Kafka asks for the next poll: what outlasts its share of the
# partitions is a process that stands still. 10 s later they are another's.
STANDS_STILL = form(short=["sleep:12"], whole=["sleep:12", "stop"])


async def test_a_relay_that_stopped_inside_its_transaction_is_overtaken(stack: FaultStack, shop: Shop) -> None:
    async with stack.replica("order-svc") as second:
        count = await _stop_relay(stack, shop, second.name)
        async with stack.database() as connection:
            ended = await connection.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory'"
                " and pid in (select pid from pg_stat_activity where application_name = 'hanro orders')"
            )
        assert ended
        await shop.place(2)
        if form(short=True, whole=False):
            await stack.expire_leases()
        await await_stored(stack, shop, count + 2, TAKEN_OVER_SECONDS)
        found = await differences(stack, shop, seconds=TAKEN_OVER_SECONDS)
        os.kill(stack.pid(second.name), signal.SIGCONT)
        assert found == {}
        await shop.place(1)
        assert await differences(stack, shop) == {}


async def _stop_relay(stack: FaultStack, shop: Shop, name: str) -> int:
    """Stop a replica's relay inside its transaction; gives how many orders that took, the first may be quicker."""
    # Not the first: others ask it for contacts at its own address, and mails would rightly wait for it.
    stopped = stack.switches.arm(name, "relay.after_ack", "stop")
    for count in range(2, MOST_ORDERS, 2):
        # The first sleeps behind its commit for longer than the second waits between two looks.
        stack.switches.arm("order_svc", "orders.after_commit", "sleep:3")
        await shop.place(2)
        try:
            await asyncio.to_thread(stack.switches.await_reached, stopped, REACHED_SECONDS)
        except Late:
            continue
        return count
    raise Late(f"the relay of {name} had nothing to send")


@pytest.mark.parametrize("deed", STANDS_STILL)
async def test_a_handler_that_stands_still_while_another_handles_the_same_fact_has_its_effect_once(
    stack: FaultStack, shop: Shop, deed: str
) -> None:
    first, pid = stack.child("catalog-svc"), stack.pid("catalog-svc")
    dead = (await look(stack, shop, is_log_wanted=False)).dead
    async with stack.replica("catalog-svc") as second:
        before = await facts_handled(first, shop) + await facts_handled(second, shop)

        async def stand_still(count: int) -> None:
            # In the transaction, with its rows locked; of so many orders some are the first one's to handle.
            still = stack.switches.arm("catalog_svc", "consume.before_commit", deed)
            await shop.place(8, is_plain=True)
            await asyncio.to_thread(stack.switches.await_reached, still)

            async def are_held() -> bool:
                seen = await look(stack, shop, is_log_wanted=False)
                return len({row["external_id"] for row in seen.reservations}) == count

            try:
                await until(TAKEN_OVER_SECONDS, are_held)
            finally:
                os.kill(pid, signal.SIGCONT)
            assert await differences(stack, shop, seconds=TAKEN_OVER_SECONDS) == {}

        async def came_twice() -> bool:
            return (await facts_handled(first, shop) + await facts_handled(second, shop) - before)["stale"] > 0

        await stand_still(8)
        if deed != "stop":
            # Whoever was late found it known; what is stopped for longer has lost its transaction by then. Where Kafka
            # gives the partitions away is not ours to say: the first may have been back a moment too early.
            for turn in range(2, TURNS + 1):
                if await came_twice():
                    break
                await stand_still(8 * turn)
            await until(TAKEN_OVER_SECONDS, came_twice)
        assert stack.pid("catalog-svc") == pid
    assert (await look(stack, shop, is_log_wanted=False)).dead == dead
