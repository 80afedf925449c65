"""Calls as the demo and the walks make them: who asks for a moment gets it, and is sent the same call again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from hanro.testing.http_server import Arrived, HttpServer, answer, http_server
from hanro_local.demo import api
from hanro_local.demo.api import Api, Refused

BUSY = answer(b"busy", status=503, headers=(("Retry-After", "1"),))
DOWN = answer(b"down", status=503)


@asynccontextmanager
async def served(*, busy_count: int) -> AsyncIterator[tuple[HttpServer, Api]]:
    """Serve what is busy for its first calls."""

    async def behave(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        await (BUSY if len(server.arrived) <= busy_count else answer(b"{}"))(arrived, writer)

    async with http_server(behave) as server, httpx.AsyncClient(trust_env=False) as client:
        yield server, Api(client, server.url)


async def test_a_service_that_asks_for_a_moment_is_sent_the_same_call_again() -> None:
    async with served(busy_count=2) as (server, hanro):
        assert (await hanro.call("POST", "/v1/orders", {"a": 1})).status_code == 200
    assert len(server.arrived) == 3
    assert len({arrived.header("Idempotency-Key") for arrived in server.arrived}) == 1
    assert {arrived.body for arrived in server.arrived} == {server.arrived[0].body}
    assert server.arrived[1].at - server.arrived[0].at >= 0.9


async def test_a_503_that_is_expected_is_the_answer() -> None:
    async with served(busy_count=1) as (server, hanro):
        assert (await hanro.call("GET", "/v1/orders", expected=(200, 503))).status_code == 503
    assert len(server.arrived) == 1


async def test_a_service_that_never_has_a_moment_is_refused_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT_SECONDS", 1.5)
    async with served(busy_count=9) as (server, hanro):
        with pytest.raises(Refused, match="503 busy"):
            await hanro.call("GET", "/v1/orders")
    assert len(server.arrived) == 2


async def test_a_503_without_a_time_to_come_back_is_refused_at_once() -> None:
    async with http_server(DOWN) as server, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(Refused, match="503 down"):
            await Api(client, server.url).call("GET", "/v1/orders")
    assert len(server.arrived) == 1
