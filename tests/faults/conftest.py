"""Gives the tests of faults one running stack a session, healed before and after each test, and shops of their own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import fault_stack
import httpx
import pytest
from fault_shop import OpenShop, Shop
from fault_shop import open_shop as open_fault_shop
from fault_stack import FaultStack


@pytest.fixture(scope="session")
def running_stack() -> Iterator[FaultStack]:
    """Start the stack once a session."""
    with fault_stack.running() as stack:
        yield stack


@pytest.fixture
async def stack(running_stack: FaultStack) -> AsyncIterator[FaultStack]:
    """Give the stack without any fault and with nobody to serve."""
    await asyncio.to_thread(running_stack.heal)
    await running_stack.rest_accounts()
    yield running_stack
    await asyncio.to_thread(running_stack.heal)


@pytest.fixture
async def open_shop(stack: FaultStack) -> AsyncIterator[OpenShop]:
    """Offer a function that opens a linked shop of the test's own."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def open_one(look_back: timedelta = timedelta()) -> Shop:
            return await open_fault_shop(stack, client, look_back=look_back)

        yield open_one


@pytest.fixture
async def shop(open_shop: OpenShop) -> Shop:
    """Give a linked shop of the test's own."""
    return await open_shop()
