"""Gives the tests of faults one running stack a session, healed before and after each test, and shops of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable

import fault_stack
import httpx
import pytest
from fault_shop import Shop
from fault_shops import Shops
from fault_stack import FaultStack


@pytest.fixture(scope="session")
def running_stack(keep_open: Callable[..., FaultStack]) -> FaultStack:
    """Start the stack once a session."""
    return keep_open("tests/faults/", fault_stack.running())


@pytest.fixture(scope="session")
def shops(running_stack: FaultStack) -> Shops:
    """Offer the session's shops; none is linked before it is wanted."""
    return Shops(running_stack)


@pytest.fixture
async def stack(running_stack: FaultStack) -> AsyncIterator[FaultStack]:
    """Give the stack without any fault and with nobody to serve."""
    await asyncio.to_thread(running_stack.heal)
    await running_stack.rest_accounts()
    yield running_stack
    await asyncio.to_thread(running_stack.heal)


@pytest.fixture
async def shop(stack: FaultStack, shops: Shops) -> AsyncIterator[Shop]:  # noqa: ARG001  the stack must be healed before
    """Give a linked shop of the test's own."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield await shops.take(client)
