"""Asks the four services from outside how they are: processes, readiness, metrics, and a page of each over REST."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterator

import httpx
from fault_shop import Shop
from fault_stack import FaultStack
from fault_switches import Late
from prometheus_client.parser import text_string_to_metric_families

from hanro_local.services import SERVICES

NAMES = tuple(service.name for service in SERVICES)
READS = ("/v1/accounts", "/v1/products", "/v1/orders", "/v1/templates")
POSTGRES, KAFKA, RELAY = "postgres", "kafka", "sub.fw.rakuten.ne.jp:587"
# Servers are asked each second; one that is silent takes its time.
SEEN_SECONDS = 40.0


@contextlib.contextmanager
def same_processes(stack: FaultStack) -> Iterator[None]:
    """Check that no service was started again within the block."""
    before = {name: stack.pid(name) for name in NAMES}
    yield
    assert {name: stack.pid(name) for name in NAMES} == before


async def statuses(stack: FaultStack, path: str) -> set[int]:
    """Give what the services' internal ports answer, 0 for no answer."""
    return {0 if answer is None else answer.status_code for answer in await _ask(stack, path, NAMES)}


async def await_statuses(stack: FaultStack, path: str, status: int, seconds: float = 60.0) -> None:
    """Wait until all services' internal ports answer so.

    Raises:
        Late: they did not within `seconds`.
    """
    found: set[int] = set()
    with _in_time(seconds, lambda: f"{path} answers {found}, not {status}"):
        async with asyncio.timeout(seconds):
            while (found := await statuses(stack, path)) != {status}:
                await asyncio.sleep(0.2)


async def await_server(stack: FaultStack, server: str, *, is_up: bool, names: Collection[str] = NAMES) -> None:
    """Wait until the metrics of services tell that a server is there, or away.

    Raises:
        Late: they did not.
    """
    found: list[float | None] = []
    with _in_time(SEEN_SECONDS, lambda: f"{server} is {found} for {names}"):
        async with asyncio.timeout(SEEN_SECONDS):
            while set(found := await _gauges(stack, server, names)) != {float(is_up)}:
                await asyncio.sleep(0.2)


async def read_all(shop: Shop) -> list[httpx.Response]:
    """Read a page of each service over REST, side by side; each answers 200, or 503 with a problem."""
    answers = await asyncio.gather(*(shop.hanro.call("GET", path, expected=(200, 503)) for path in READS))
    for answer in answers:
        if answer.status_code != httpx.codes.OK:
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert "retry-after" in answer.headers
    return answers


async def _gauges(stack: FaultStack, server: str, names: Collection[str]) -> list[float | None]:
    return [_gauge(answer.text, server) if answer else None for answer in await _ask(stack, "/metrics", names)]


def _gauge(text: str, server: str) -> float | None:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "hanro_server_up" and sample.labels["server"] == server:
                return sample.value
    return None


async def _ask(stack: FaultStack, path: str, names: Collection[str]) -> list[httpx.Response | None]:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:

        async def ask(name: str) -> httpx.Response | None:
            try:
                return await client.get(f"http://127.0.0.1:{stack.parts.ports[f'{name}-internal']}{path}")
            except httpx.HTTPError:
                return None

        return await asyncio.gather(*map(ask, names))


@contextlib.contextmanager
def _in_time(seconds: float, what: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Late(f"{what()} after {seconds:.0f} s") from None
