"""Starts services while what they stand on is away."""

import asyncio

import pytest
from fault_checks import differences
from fault_forms import form
from fault_health import KAFKA, NAMES, POSTGRES, await_server, await_statuses, read_all, same_processes, statuses
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault(is_long=True)
HEAL_SECONDS = 90.0


async def test_services_that_start_without_their_servers_stay_up_and_recover(stack: FaultStack, shop: Shop) -> None:
    async with stack.down("postgres", "kafka"):
        before = {name: stack.kill(name) for name in NAMES}
        await await_statuses(stack, "/livez", 200)
        assert not set(before.values()) & {stack.pid(name) for name in NAMES}
        with same_processes(stack):
            for server in (POSTGRES, KAFKA):
                await await_server(stack, server, is_up=False)
            assert await statuses(stack, "/readyz") == {503}
            assert {answer.status_code for answer in await read_all(shop)} == {503}
            await asyncio.sleep(form(short=0.0, whole=30.0))
    with same_processes(stack):
        await asyncio.to_thread(stack.await_running)
        for server in (POSTGRES, KAFKA):
            await await_server(stack, server, is_up=True)
        await shop.place(2)
        await stack.expire_leases()
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
