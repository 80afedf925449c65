"""Requests that no client should send: each gets a refusal or an answer, none breaks the simulator."""

import json
import random
from collections.abc import Iterator

import pytest
from ichiba_wire import JSON_TYPE, Shop, open_shop, running_simulator, set_clock

ODD_VALUES: list[object] = [
    *(None, True, 0, -1, 1.5, 10**30, 1e308, "", "-1", "²", "１", "\ud800", "x" * 5000),
    *([], [None], [[]], [-1], {}, {"a": 1}),
    *("0001-01-01T00:00:00+0900", "9999-12-31T23:59:59-2359", "2026-05-01T00:00:00+0900"),
]
KEYS = (
    *("orderProgressList", "subStatusIdList", "dateType", "startDatetime", "endDatetime", "orderTypeList"),
    *("settlementMethod", "deliveryName", "searchKeywordType", "searchKeyword", "mailSendType", "phoneNumber"),
    *("purchaseSiteType", "asurakuFlag", "PaginationRequestModel", "orderNumberList", "version"),
)
VALID = {"dateType": 1, "startDatetime": "2026-05-01T00:00:00+0900", "endDatetime": "2026-06-30T23:59:59+0900"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_simulator(tmp_path_factory.mktemp("odd")) as running:
        set_clock(running, "2026-06-01T12:00:00+09:00")
        shop = open_shop(running, "999001")
        shop.control("POST", "/orders", {"count": 5})
        yield shop


@pytest.mark.parametrize("function", ["searchOrder/", "getOrder/", "confirmOrder/", "getSubStatusList"])
def test_odd_values_are_answered_with_json(shop: Shop, function: str) -> None:
    chance = random.Random(function)  # noqa: S311  repeatable on purpose
    for _ in range(200):
        body = {key: chance.choice(ODD_VALUES) for key in chance.sample(KEYS, chance.randint(0, 8))}
        if chance.random() < 0.7:
            body |= VALID
        answer = shop.post(function, json.dumps(body).encode())
        assert answer.status in {200, 400}, body
        assert answer.json(), body


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"version":' + b"1" * 6000 + b"}", b'{"version":NaN}', b"\xff", b"{}x"]
)
def test_a_body_that_no_reader_takes_is_400(shop: Shop, body: bytes) -> None:
    assert shop.post("getOrder/", body).status == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("shop/shopCalendar?fromDate=9999-12-30&period=180", 400),
        ("shop/shopCalendar?period=" + "9" * 5000, 400),
        ("shop/shopMaster/x", 400),
        ("shop/shopStatus", 404),
        ("shop/shopStatus/x/y", 400),
        ("shop", 404),
        ("license-management/license-key/expiry-date?licenseKey=%ff", 401),
    ],
)
def test_odd_paths_and_queries_are_refused(shop: Shop, path: str, status: int) -> None:
    assert shop.get(path).status == status


@pytest.mark.parametrize("content_type", ["application/json; charset*=bad''x", "; ; ;", "application/json; charset=%"])
def test_odd_content_types_are_415(shop: Shop, content_type: str) -> None:
    assert shop.post("getOrder/", b"{}", Content_Type=content_type).status == 415


def test_nothing_of_it_was_a_bug(shop: Shop) -> None:
    shop.post("getOrder/", b"{}", Content_Type=JSON_TYPE)
    assert shop.simulator.control("GET", "/journal?kind=bug")["entries"] == []
