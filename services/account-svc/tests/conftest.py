"""Gives tests of account-svc the marketplace's simulator, and the service on a database of the test's own."""

from collections.abc import AsyncIterator, Iterator

import pytest
from account_bench import Bench, Simulator, open_bench, simulator

from hanro_local.databases import SchemaUrls


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Offer the simulator as a process: all tests share it, each begins with a reset."""
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
async def bench(urls: SchemaUrls, market: Simulator) -> AsyncIterator[Bench]:
    """Give account-svc with the simulator in reach, without shops and faults."""
    market.reset()
    async with open_bench(urls, market) as opened:
        yield opened
