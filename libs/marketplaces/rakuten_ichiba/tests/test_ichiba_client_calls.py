"""Calls are signed as the dossier says, take one turn each, and a quick failure of a read is repeated twice at most."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from ichiba_samples import UNAUTHORISED
from ichiba_session import CannedHttp, Opened, answered, open_session, open_shop_session
from ichiba_wire import Shop, Simulator, open_shop, running_simulator

from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Retryable
from hanro.marketplace.types import HttpRequest
from hanro_rakuten_ichiba.client import Client
from hanro_rakuten_ichiba.functions import CONFIRM_ORDER, GET_ORDER, LICENSE_EXPIRY

BODY = {"orderNumberList": ["999001-20260531-0000000001"], "version": 10}
GOOD = b'{"version":10,"MessageModelList":[],"OrderModelList":[]}'


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Iterator[Shop]:
    simulator.control("POST", "/reset")
    yield open_shop(simulator, "999001")
    simulator.control("DELETE", "/faults")


def fail(simulator: Simulator, kind: str, **fault: Any) -> None:
    simulator.control("POST", "/faults", {"kind": kind, "match": {"path": "/es/"}, **fault})


async def test_a_request_is_signed_and_worded_as_the_dossier_says() -> None:
    http = CannedHttp(lambda _: answered(GOOD))
    opened = open_session(http)
    await Client(opened.session).read(GET_ORDER, {"orderNumberList": ["①髙"], "version": 10})
    (request,) = http.sent
    assert (request.method, request.path, request.has_effect) == ("POST", "/es/2.0/order/getOrder/", False)
    assert request.headers == {
        "Authorization": "ESA " + base64.b64encode(b"SP999001_secret:SL999001_key").decode(),
        "Content-Type": "application/json; charset=utf-8",
    }
    # Unescaped: escapes made one function fail (rakuten-ichiba-orders 2).
    assert request.body == '{"orderNumberList":["①髙"],"version":10}'.encode()
    assert opened.pacer.groups == [("order",)]


async def test_the_key_stands_in_the_query_and_shows_nowhere() -> None:
    http = CannedHttp(lambda _: answered(b'{"expiryDate":"2026-11-28T23:59:59"}'))
    opened = open_session(http)
    await Client(opened.session).look_up(LICENSE_EXPIRY, (("licenseKey", "SL999001_key"),))
    (request,) = http.sent
    assert request.query == (("licenseKey", "SL999001_key"),)
    assert "SL999001" not in repr(request) + repr(opened.session)


@pytest.mark.parametrize("missing", ["service_secret", "license_key"])
async def test_without_a_key_nothing_is_sent(missing: str) -> None:
    http = CannedHttp(lambda _: answered(GOOD))
    values = {"service_secret": "SP1", "license_key": "SL1"} | {missing: ""}
    with pytest.raises(NeedsSeller) as caught:
        await Client(open_session(http, values).session).read(GET_ORDER, BODY)
    assert (caught.value.field, http.sent) == (missing, [])


async def test_a_read_that_fails_twice_and_then_answers_is_a_read(shop: Shop) -> None:
    fail(shop.simulator, "status", status=503, count=2)
    opened = open_shop_session(shop)
    reply = await Client(opened.session).read(GET_ORDER, BODY)
    assert reply.status == 200
    assert len(opened.pacer.groups) == 3
    assert opened.pacer.errors == ["Retryable", "Retryable"]
    assert opened.clock.monotonic() == 2.0


@pytest.mark.parametrize(
    ("kind", "fault", "error"),
    [
        ("status", {"status": 503}, Retryable),
        ("status", {"status": 500}, Retryable),
        ("html", {}, Retryable),
        ("cut-body", {}, Retryable),
        ("reset-before", {}, Retryable),
        ("reset-after", {}, Retryable),
        ("garbage", {}, ContractBroken),
    ],
)
async def test_an_outage_that_stays_is_told_after_three_requests(
    shop: Shop, kind: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    fail(shop.simulator, kind, **fault)
    opened = open_shop_session(shop)
    with pytest.raises(error) as caught:
        await Client(opened.session).read(GET_ORDER, BODY)
    assert len(opened.pacer.groups) == len(opened.pacer.errors) == 3
    assert shop.license_key not in str(caught.value) + repr(caught.value)


async def test_bytes_of_another_charset_are_never_guessed(shop: Shop) -> None:
    made = shop.control("POST", "/orders", {"progress": 300})
    fail(shop.simulator, "wrong-charset")
    with pytest.raises(ContractBroken):
        await Client(open_shop_session(shop).session).read(
            GET_ORDER, {"orderNumberList": made["external_ids"], "version": 10}
        )


async def test_throttling_is_told_to_the_turn_and_not_repeated(shop: Shop) -> None:
    shop.simulator.control("PUT", "/limits", {"requests_per_second": 0.01, "burst": 1, "shop": shop.id})
    opened = open_shop_session(shop)
    client = Client(opened.session)
    await client.read(GET_ORDER, BODY)
    with pytest.raises(Retryable) as caught:
        await client.read(GET_ORDER, BODY)
    assert caught.value.code == "throttled"
    assert opened.pacer.throttled == [caught.value.after]
    assert caught.value.after is not None
    assert caught.value.after >= timedelta(seconds=1)
    assert len(opened.pacer.groups) == 2


async def test_a_wait_that_they_name_is_left_to_the_caller() -> None:
    http = CannedHttp(lambda _: answered(b"", 503, {"Retry-After": "30"}))
    with pytest.raises(Retryable) as caught:
        await Client(open_session(http).session).read(GET_ORDER, BODY)
    assert (caught.value.after, len(http.sent)) == (timedelta(seconds=30), 1)


async def test_a_slow_failure_is_not_repeated() -> None:
    opened: Opened

    def answer(_: HttpRequest) -> Exception:
        opened.clock.pass_time(20)
        return Retryable("timeout", code="unavailable")

    http = CannedHttp(answer)
    opened = open_session(http)
    with pytest.raises(Retryable):
        await Client(opened.session).read(GET_ORDER, BODY)
    assert len(http.sent) == 1


@pytest.mark.parametrize("code", ["lease-lost", "throttled"])
async def test_a_lost_lease_is_not_fought(code: str) -> None:
    http = CannedHttp(lambda _: Retryable("no", code=code))
    with pytest.raises(Retryable):
        await Client(open_session(http).session).read(GET_ORDER, BODY)
    assert len(http.sent) == 1


async def test_a_refused_key_is_not_asked_again() -> None:
    http = CannedHttp(lambda _: answered(UNAUTHORISED, 401))
    opened = open_session(http)
    with pytest.raises(NeedsSeller):
        await Client(opened.session).read(GET_ORDER, BODY)
    assert len(http.sent) == 1
    assert opened.pacer.errors == ["NeedsSeller"]


@pytest.mark.parametrize(
    "answer",
    [
        answered(b"<html>", 200, {"Content-Type": "text/html"}),
        answered(b"{", 200),
        answered("{'見':1}".encode("cp932")),
        answered(b"", 503),
    ],
)
async def test_a_write_is_sent_once_and_an_unreadable_answer_leaves_it_in_doubt(answer: Any) -> None:
    http = CannedHttp(lambda _: answer)
    with pytest.raises(InDoubt):
        await Client(open_session(http).session).ask(CONFIRM_ORDER, {"orderNumberList": ["1"]}, has_effect=True)
    assert [json.loads(request.body) for request in http.sent] == [{"orderNumberList": ["1"]}]
    assert http.sent[0].has_effect
