"""Kills processes at the moments when a crash could lose or double something: faults 1 to 4."""

import asyncio

import pytest
from fault_checks import differences
from fault_forms import form
from fault_shop import Shop
from fault_stack import LEASE_SECONDS, FaultStack

pytestmark = pytest.mark.fault

CRASHES = [
    pytest.param("order-svc", "order_svc", "orders.before_commit", id="1-before-the-page-commits"),
    pytest.param("catalog-svc", "catalog_svc", "consume.after_commit", id="4-catalog-before-its-offsets"),
]
# What dies behind a commit is played by the demo too, and consumers are one piece of code.
MORE = [
    pytest.param("order-svc", "order_svc", "orders.after_commit", id="2-after-the-commit-before-publishing"),
    pytest.param("order-svc", "order_svc", "relay.after_ack", id="3-after-the-ack-before-the-delete"),
    pytest.param("notifier-svc", "notifier_svc", "consume.after_commit", id="4-notifier-before-its-offsets"),
]


@pytest.mark.parametrize(("name", "module", "point"), [*CRASHES, *form(short=[], whole=MORE)])
async def test_a_crash_at_a_failpoint_loses_and_doubles_nothing(
    stack: FaultStack, shop: Shop, name: str, module: str, point: str
) -> None:
    pid = stack.pid(name)
    armed = stack.switches.arm(module, point)
    await shop.place(3)
    await asyncio.to_thread(stack.switches.await_reached, armed)
    await asyncio.to_thread(stack.await_back, name, pid)
    if name == "order-svc" and form(short=True, whole=False):
        await stack.expire_leases()
    await shop.place(2)
    assert await differences(stack, shop, seconds=form(short=90.0, whole=LEASE_SECONDS + 90.0)) == {}
