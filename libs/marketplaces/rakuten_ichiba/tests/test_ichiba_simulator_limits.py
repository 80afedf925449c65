"""Rate limits and faults: what a client meets when it is too fast or the marketplace is not well."""

import http.client
import json
from collections.abc import Iterator

import pytest
from ichiba_wire import JSON_TYPE, Shop, Simulator, open_shop, running_simulator, set_clock

ALL = b'{"dateType":1,"startDatetime":"2026-05-01T00:00:00+0900","endDatetime":"2026-06-30T23:59:59+0900"}'


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("limits")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, "2026-06-01T12:00:00+09:00")
    return open_shop(simulator, "999001")


def _limit(simulator: Simulator, **setting: object) -> None:
    # So slow that no token comes back while a test runs.
    simulator.control("PUT", "/limits", {"requests_per_second": 0.001, "shop": "999001", **setting})


def _confirm(shop: Shop, number: str) -> None:
    """Confirm over a connection that may break."""
    connection = http.client.HTTPConnection("127.0.0.1", shop.simulator.port, timeout=20)
    try:
        headers = {"Authorization": shop.authorization, "Content-Type": JSON_TYPE}
        connection.request("POST", "/es/2.0/order/confirmOrder/", json.dumps({"orderNumberList": [number]}), headers)
        connection.getresponse().read()
    finally:
        connection.close()


def _progress(shop: Shop, number: str) -> object:
    return shop.control("GET", f"/orders/{number}")["progress"]


def test_a_burst_of_one_refuses_the_second_call_until_time_has_passed(shop: Shop) -> None:
    _limit(shop.simulator, burst=1)
    assert [shop.post("searchOrder/", ALL).status for _ in range(2)] == [200, 429]
    shop.simulator.control("PUT", "/clock", {"advance_seconds": 1001})
    assert shop.post("getOrder/", b"{}").status == 400


def test_each_group_and_each_shop_has_its_own_bucket(shop: Shop) -> None:
    _limit(shop.simulator, burst=1)
    other = open_shop(shop.simulator, "999002")
    assert shop.post("searchOrder/", ALL).status == 200
    assert shop.get("shop/shopMaster").status == 200
    assert shop.get(f"license-management/license-key/expiry-date?licenseKey={shop.license_key}").status == 200
    assert [shop.post("confirmOrder/", b"{}").status, shop.get("shop/shipFrom").status] == [429, 429]
    assert other.post("searchOrder/", ALL).status == 200


def test_a_limit_of_one_group_leaves_the_others(shop: Shop) -> None:
    _limit(shop.simulator, burst=1, group="shop")
    assert [shop.get("shop/shopMaster").status for _ in range(2)] == [200, 429]
    assert [shop.post("searchOrder/", ALL).status for _ in range(3)] == [200, 200, 200]


def test_a_call_with_a_dead_key_costs_nothing_and_one_without_the_grant_does(shop: Shop) -> None:
    _limit(shop.simulator, burst=1)
    shop.control("POST", "/keys/expire")
    assert [shop.post("searchOrder/", ALL).status for _ in range(2)] == [401, 401]
    shop.control("POST", "/keys/restore")
    shop.control("PUT", "/grants/rpay.order.searchOrder", {"enabled": False})
    assert [shop.post("searchOrder/", ALL).status for _ in range(2)] == [400, 429]


def test_the_wait_is_told_in_whole_seconds(shop: Shop) -> None:
    shop.simulator.control("PUT", "/limits", {"requests_per_second": 0.1, "burst": 1, "shop": "999001"})
    answers = [shop.post("searchOrder/", ALL) for _ in range(2)]
    assert answers[1].header("Retry-After") == "10"


def test_a_throttle_dial_speaks_the_words_of_the_gateway(shop: Shop) -> None:
    shop.simulator.control("POST", "/faults", {"kind": "throttle", "count": 1, "match": {"path": "searchOrder"}})
    assert shop.post("getOrder/", b"{}").status == 400
    answer = shop.post("searchOrder/", ALL)
    assert (answer.status, answer.header("Retry-After")) == (429, "1")
    assert answer.body == b'{"errors":[{"code":"SIM-429","message":"Too Many Requests"}]}'
    assert shop.post("searchOrder/", ALL).status == 200


def test_a_maintenance_page_hits_one_shop_alone(shop: Shop) -> None:
    other = open_shop(shop.simulator, "999002")
    shop.simulator.control("POST", "/faults", {"kind": "html", "status": 503, "match": {"shop": "999001"}})
    refused = shop.post("searchOrder/", ALL)
    assert (refused.status, refused.body[:15]) == (503, b"<!DOCTYPE html>")
    assert other.post("searchOrder/", ALL).status == 200


def test_a_reset_after_the_confirmation_leaves_it_done_and_the_repeat_says_so(shop: Shop) -> None:
    number = shop.control("POST", "/orders", {"is_plain": True})["external_id"]
    shop.simulator.control("POST", "/faults", {"kind": "reset-after", "count": 1, "match": {"path": "confirmOrder"}})
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        _confirm(shop, number)
    assert _progress(shop, number) == 200
    again = shop.post("confirmOrder/", json.dumps({"orderNumberList": [number]}).encode()).json()
    assert again["MessageModelList"][0]["messageCode"] == "ORDER_EXT_API_CONFIRM_ORDER_ERROR_103"
    entries = shop.simulator.control("GET", "/journal?kind=request")["entries"]
    assert [entry["has_effect"] for entry in entries if entry["function"] == "confirmOrder"] == [True, False]


def test_a_reset_before_the_confirmation_leaves_it_undone(shop: Shop) -> None:
    number = shop.control("POST", "/orders", {"is_plain": True})["external_id"]
    shop.simulator.control("POST", "/faults", {"kind": "reset-before", "count": 1})
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        _confirm(shop, number)
    assert _progress(shop, number) == 100


def test_a_cut_body_breaks_in_the_middle(shop: Shop) -> None:
    shop.simulator.control("POST", "/faults", {"kind": "cut-body", "count": 1})
    number = shop.control("POST", "/orders", {"is_plain": True})["external_id"]
    with pytest.raises(http.client.IncompleteRead):
        _confirm(shop, number)
    assert _progress(shop, number) == 200
