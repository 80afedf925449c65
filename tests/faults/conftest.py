"""Gives the tests of faults one running stack a session, healed before and after each test, and shops of their own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import fault_cluster
import fault_stack
import httpx
import pytest
from fault_cluster import Cluster
from fault_forms import form
from fault_shop import Shop
from fault_shops import Shops
from fault_stack import FaultStack


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long faults to `make faults`: `make test` plays one of each kind."""
    if form(short=False, whole=True):
        return
    long = [item for item in items if any(mark.kwargs.get("is_long") for mark in item.iter_markers("fault"))]
    if long:
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Callable[[str, object], None]:
    """Offer `note(name, figure)`: what was measured stands at the end of the run."""
    return lambda name, figure: record_property(f"figure: {name}", figure)


@pytest.fixture(scope="session")
def running_stack(keep_open: Callable[..., FaultStack]) -> FaultStack:
    """Start the stack once a session."""
    return keep_open("tests/faults/", fault_stack.running())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Run two brokers for the tests of one module."""
    with fault_cluster.two_brokers() as started:
        yield started


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
async def shop(request: pytest.FixtureRequest, stack: FaultStack, shops: Shops) -> AsyncIterator[Shop]:
    """Give a linked shop of the test's own.

    In the short form order-svc calls ten times a second, and the marketplace bears it: the usual pace is waited for
    where it matters (`is_paced`).
    """
    marks = request.node.iter_markers("fault")
    shops.is_paced = form(short=any(mark.kwargs.get("is_paced") for mark in marks), whole=True)
    async with httpx.AsyncClient(trust_env=False) as client:
        with contextlib.nullcontext() if shops.is_paced else stack.switches.broken("pace"):
            yield await shops.take(client)
