"""The plug-in works over hanro's own transport as it does over a plain socket, faults included."""

import dataclasses
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ichiba_decided import statuses
from ichiba_session import open_session, open_shop_session
from ichiba_wire import Shop, Simulator, open_shop, running_simulator

from hanro.clock import SystemClock
from hanro.errors import NeedsSeller, Retryable
from hanro.http import Transport
from hanro.marketplace.port import Session
from hanro.marketplace.types import OrderRef, OutcomeStatus, SeenOrder, Window
from hanro.testing.conformance.asked import decision as accept
from hanro_rakuten_ichiba.plugin import plugin


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Iterator[Shop]:
    simulator.control("POST", "/reset")
    yield open_shop(simulator, "999001")
    simulator.control("DELETE", "/faults")


@pytest.fixture
async def session(shop: Shop) -> AsyncIterator[Session]:
    clock = SystemClock()
    transport = Transport({plugin.id: f"http://127.0.0.1:{shop.simulator.port}"}, clock)
    http = transport.session_http(plugin.id, "acc_1")
    yield dataclasses.replace(open_shop_session(shop).session, http=http, clock=clock)
    await transport.close()


async def read_all(session: Session) -> list[SeenOrder]:
    now = datetime.now(UTC)
    window = Window(start=now - timedelta(days=2), end=now + timedelta(minutes=1))
    pages = [page async for page in plugin.orders(session).pages("placed", window)]
    return [one for page in pages for one in page.sightings if isinstance(one, SeenOrder)]


async def test_orders_are_found_read_and_accepted(shop: Shop, session: Session) -> None:
    made = shop.control("POST", "/orders", {"count": 120, "kind": "ordinary"})["external_ids"]
    seen = await read_all(session)
    assert {order.external_id for order in seen} == set(made)
    decisions = [accept(order.external_id, *(line.external_id for line in order.lines)) for order in seen[:3]]
    receipt = await plugin.orders(session).decide(decisions)
    assert set(statuses(receipt)) == {OutcomeStatus.APPLIED}


@pytest.mark.parametrize("kind", ["cut-body", "reset-after", "html", "wrong-charset", "garbage"])
async def test_a_lost_answer_to_a_write_is_in_doubt(shop: Shop, session: Session, kind: str) -> None:
    made = shop.control("POST", "/orders", {"kind": "ordinary"})["external_id"]
    (order,) = (await plugin.orders(session).fetch([OrderRef(external_id=made)])).sightings
    assert isinstance(order, SeenOrder)
    fault: dict[str, Any] = {"kind": kind, "match": {"path": "confirmOrder"}, "count": 1}
    shop.simulator.control("POST", "/faults", fault)
    decision = accept(made, *(line.external_id for line in order.lines))
    assert set(statuses(await plugin.orders(session).decide([decision]))) == {OutcomeStatus.IN_DOUBT}


@pytest.mark.parametrize("kind", ["cut-body", "reset-before", "html"])
async def test_a_lost_answer_to_a_read_is_read_again(shop: Shop, session: Session, kind: str) -> None:
    made = shop.control("POST", "/orders", {})["external_id"]
    shop.simulator.control("POST", "/faults", {"kind": kind, "match": {"path": "getOrder"}, "count": 1})
    fetched = await plugin.orders(session).fetch([OrderRef(external_id=made)])
    assert [one.external_id for one in fetched.sightings] == [made]


async def test_every_grant_is_probed(session: Session) -> None:
    rows = [await plugin.access(session).probe(grant.id) for grant in plugin.grants]
    assert {row.state.value for row in rows} == {"granted", "unknown"}


async def test_a_refused_key_and_a_closed_port_are_told_apart(shop: Shop, session: Session) -> None:
    shop.control("POST", "/keys/revoke")
    with pytest.raises(NeedsSeller):
        await read_all(session)
    transport = Transport({plugin.id: "http://127.0.0.1:1"}, SystemClock())
    closed = open_session(transport.session_http(plugin.id, "acc_1")).session
    with pytest.raises(Retryable):
        await read_all(closed)
    await transport.close()
