"""Stops a process while another of the same service goes on: fault 6."""

import asyncio
import os
import signal

import pytest
from fault_checks import await_stored, differences
from fault_forms import form
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault
# A stopped process keeps its leases, a minute each.
TAKEN_OVER_SECONDS = 90.0


async def test_a_relay_that_stopped_inside_its_transaction_is_overtaken(stack: FaultStack, shop: Shop) -> None:
    async with stack.replica("order-svc") as second:
        # Not the first: others ask it for contacts at its own address, and mails would rightly wait for it.
        stopped = stack.switches.arm(second.name, "relay.after_ack", "stop")
        placed = 0
        while stopped.exists():
            # Whoever looks first publishes.
            await shop.place(1)
            placed += 1
            assert placed < 100, "the second relay never had the lane"
            await asyncio.sleep(0.2)
        async with stack.database() as connection:
            ended = await connection.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory'"
                " and pid in (select pid from pg_stat_activity where application_name = 'hanro orders')"
            )
        assert ended
        await shop.place(2)
        if form(short=True, whole=False):
            await stack.expire_leases()
        await await_stored(stack, shop, placed + 2, TAKEN_OVER_SECONDS)
        found = await differences(stack, shop, seconds=TAKEN_OVER_SECONDS)
        os.kill(stack.pid(second.name), signal.SIGCONT)
        assert found == {}
        await shop.place(1)
        assert await differences(stack, shop) == {}
