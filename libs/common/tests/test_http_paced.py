"""Sessions over real sockets and a real Postgres: requests arrive at the pace, and failures open the breaker."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from hanro import breaker
from hanro.clock import SystemClock
from hanro.credentials import Vending
from hanro.db import Database
from hanro.errors import Retryable, Unsupported
from hanro.http import ServiceHttp, Transport
from hanro.marketplace.port import Session
from hanro.marketplace.types.exchange import HttpRequest
from hanro.marketplace.types.limits import ApiGroup, Limits
from hanro.marketplace.types.plain import MarketplaceId
from hanro.sessions import Outside, open_session
from hanro.testing.http_server import Arrived, HttpServer, answer, http_server
from hanro.testing.schemas import create_shared_tables

pytestmark = pytest.mark.schema("probe", create_shared_tables)

CLOCK = SystemClock()
SHOP = MarketplaceId("sandbox")
PERIOD = timedelta(milliseconds=250)
LIMITS = Limits(
    groups={
        "order": ApiGroup(
            name="order", request_count=1, period=PERIOD, burst=1, shares={"order-svc": Decimal(1)}, source="test"
        )
    },
    batches={},
    read_lag={},
    call_deadline=timedelta(seconds=2),
    max_quantity=1,
    max_axes=1,
    max_variants=1,
    max_images=1,
)


@dataclass(frozen=True)
class _Plugin:
    id: MarketplaceId = SHOP
    limits: Limits = LIMITS


class _Tokens:
    async def token(self) -> str:
        return "token-1"


@pytest.fixture
async def market() -> AsyncIterator[HttpServer]:
    async with http_server(answer(b"{}")) as server:
        yield server


@pytest.fixture
async def session(db: Database, market: HttpServer) -> AsyncIterator[Session]:
    vended = {
        "values": {"key": "k"},
        "version": 3,
        "stored_at": "2026-07-01T00:00:00Z",
        "account_epoch": 4,
        "marketplace_id": SHOP,
    }
    async with http_server(answer(json.dumps(vended).encode())) as accounts:
        transport, http = Transport({SHOP: market.url}, CLOCK), ServiceHttp(accounts.url, CLOCK)
        outside = Outside(plugins={SHOP: _Plugin()}, transport=transport, db=db, clock=CLOCK, service="order-svc")  # type: ignore[dict-item]
        opened = await open_session(
            outside, Vending(http, _Tokens(), CLOCK, service="order-svc"), "acc_1", heard=None, purpose="poll"
        )
        assert (opened.account_epoch, opened.session.secrets.version) == (4, 3)
        yield opened.session
        await transport.close()
        await http.close()


async def _call(session: Session, *, has_effect: bool = False) -> int:
    request = HttpRequest(method="POST", path="/x", headers={}, body=b"{}", has_effect=has_effect)
    async with session.pacer.turn("order") as turn:
        found = await session.http.send(request, turn)
        if found.status == 503:
            raise Retryable("503", code="unavailable")
    return found.status


async def test_requests_arrive_at_the_pace_though_answers_are_slow(session: Session, market: HttpServer) -> None:
    quick = market.behave

    async def slowly(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(PERIOD.total_seconds() * 1.5)
        await quick(arrived, writer)

    market.behave = slowly
    await asyncio.gather(*(_call(session) for _ in range(12)))
    gaps = [later.at - earlier.at for earlier, later in pairwise(market.arrived)]
    assert min(gaps) >= PERIOD.total_seconds()
    assert sum(gaps) / len(gaps) < PERIOD.total_seconds() / 0.8


async def test_a_marketplace_that_is_down_is_left_alone_after_five_failures(
    session: Session, market: HttpServer, db: Database
) -> None:
    market.behave = answer(status=503)
    for _ in range(7):
        with pytest.raises(Retryable):
            await _call(session)
    assert len(market.arrived) == 5
    (state,) = await breaker.list_(db, account_id="acc_1")
    assert (state.api_group, state.reason, state.failure_count) == ("order", "unavailable", 5)


async def test_a_turn_sends_once(session: Session, market: HttpServer) -> None:
    request = HttpRequest(method="GET", path="/x", headers={}, has_effect=False)
    async with session.pacer.turn("order") as turn:
        await session.http.send(request, turn)
        with pytest.raises(ValueError, match="one request"):
            await session.http.send(request, turn)
    assert len(market.arrived) == 1


async def test_a_marketplace_that_is_not_installed_or_has_no_address_is_absent(db: Database) -> None:
    vended = {"values": {}, "version": 1, "stored_at": "2026-07-01T00:00:00Z", "account_epoch": 0}
    body = json.dumps({**vended, "marketplace_id": SHOP}).encode()
    async with http_server(answer(body)) as accounts:
        transport, http = Transport({}, CLOCK), ServiceHttp(accounts.url, CLOCK)
        vending = Vending(http, _Tokens(), CLOCK, service="order-svc")
        for plugins in ({}, {SHOP: _Plugin()}):
            outside = Outside(plugins=plugins, transport=transport, db=db, clock=CLOCK, service="order-svc")  # type: ignore[arg-type]
            with pytest.raises(Unsupported) as absent:
                await open_session(outside, vending, "acc_1", heard=None, purpose="poll")
            assert absent.value.code == "absent"
        await transport.close()
        await http.close()
