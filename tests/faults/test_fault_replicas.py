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
        # The first sleeps behind its commit for longer than the second waits between two looks.
        stack.switches.arm("order_svc", "orders.after_commit", "sleep:3")
        await shop.place(2)
        await asyncio.to_thread(stack.switches.await_reached, stopped)
        async with stack.database() as connection:
            ended = await connection.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory'"
                " and pid in (select pid from pg_stat_activity where application_name = 'hanro orders')"
            )
        assert ended
        await shop.place(2)
        if form(short=True, whole=False):
            await stack.expire_leases()
        await await_stored(stack, shop, 4, TAKEN_OVER_SECONDS)
        found = await differences(stack, shop, seconds=TAKEN_OVER_SECONDS)
        os.kill(stack.pid(second.name), signal.SIGCONT)
        assert found == {}
        await shop.place(1)
        assert await differences(stack, shop) == {}
