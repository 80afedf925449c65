"""getOrder's bytes equal the samples of 15.2, in each version of 5.1."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ichiba_full_order import FULL_ANSWER, FULL_ORDER, compact
from ichiba_samples import (
    BANK_TRANSFER,
    DELIVERY_STORE,
    DUE_DATES,
    FIRST_ORDER_NUMBER,
    READ_NONE_FOUND,
    READ_REQUEST,
    READ_VERSION_MISSING,
    SOCIAL_GIFT,
)
from ichiba_tables import faults_of
from ichiba_wire import Shop, Simulator, open_shop, place_order, running_simulator, set_clock

VERSIONS = (3, 4, 5, 6, 7, 8, 9, 10)
# What the table of 5.1 adds with a version: model (key in its parent) and members.
ADDED: dict[int, dict[str, tuple[str, ...]]] = {
    4: {"PackageModelList": ("defaultDeliveryCompanyCode",), "ItemModelList": ("isSingleItemShipping",)},
    5: {"OrderModelList": ("receiptIssueCount", "receiptIssueHistoryList", "DueDateModelList")},
    6: {"OrderModelList": ("cautionDisplayDetailType",)},
    7: {"ItemModelList": ("SkuModelList",)},
    8: {"OrderModelList": ("deliveryCertPrgFlag", "oneDayOperationFlag")},
    9: {"PackageModelList": ("dropOffFlag", "dropOffLocation")},
    10: {"OrderModelList": ("socialGiftFlag",), "PackageModelList": ("SocialGiftModel",)},
}
# What version 8 removed. Where these stood among the keys is not known, so their place is not compared.
REMOVED_BY_8: dict[str, tuple[str, ...]] = {
    "OrderModelList": ("goodsTax", "isTaxRecalc"),
    "PackageModelList": ("goodsTax",),
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="module")
def shop(simulator: Simulator) -> Shop:
    """Offer shop 999001 on 2026-06-01 with the full order of 15.2."""
    set_clock(simulator, "2026-06-01T12:00:00+09:00")
    shop = open_shop(simulator, "999001")
    place_order(shop, FIRST_ORDER_NUMBER, FULL_ORDER["orderDatetime"], progress=500, raw=FULL_ORDER)
    return shop


def objects_of(value: Any, model: str, name: str = "OrderModelList") -> Iterator[dict[str, Any]]:
    """Find the objects of a model in an answer."""
    if isinstance(value, list):
        for each in value:
            yield from objects_of(each, model, name)
    elif isinstance(value, dict):
        if name == model:
            yield value
        for key, each in value.items():
            yield from objects_of(each, model, key)


def change(tree: Any, members: dict[str, tuple[str, ...]], act: Callable[[dict[str, Any], str], None]) -> None:
    for model, names in members.items():
        for found in objects_of(tree, model):
            for name in names:
                act(found, name)


def drop(found: dict[str, Any], name: str) -> None:
    del found[name]


def expected_orders(version: int) -> list[dict[str, Any]]:
    """Give the order of 15.2 without what the versions after `version` added."""
    orders = copy.deepcopy([FULL_ORDER])
    for newer in range(version + 1, 11):
        change(orders, ADDED[newer], drop)
    return orders


def read(shop: Shop, version: object) -> Any:
    body = json.dumps({"orderNumberList": [FIRST_ORDER_NUMBER], "version": version}).encode()
    answer = shop.post("getOrder/", body)
    assert answer.status == 200, answer.body
    return answer.json()


def test_the_full_sample_comes_back_byte_for_byte(shop: Shop) -> None:
    answer = shop.post("getOrder/", READ_REQUEST)
    assert answer.status == 200
    assert answer.body.decode() == compact(FULL_ANSWER).decode()


def test_japanese_is_written_unescaped_and_rates_keep_their_short_form(shop: Shop) -> None:
    body = shop.post("getOrder/", READ_REQUEST).body
    assert b"\\u" not in body
    assert "〜2日以内に発送予定".encode() in body
    assert b'"taxRate":0.08,' in body
    assert b'"paymentChargeTaxRate":0.1,' in body


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_has_what_it_had_and_nothing_newer(shop: Shop, version: int) -> None:
    answer = read(shop, version)
    assert list(answer) == (["version"] if version >= 6 else []) + ["MessageModelList", "OrderModelList"]
    orders = answer["OrderModelList"]
    if version < 8:
        for model, names in REMOVED_BY_8.items():
            for found in objects_of(orders, model):
                assert all(type(found[name]) is int for name in names)
        change(orders, REMOVED_BY_8, drop)
    assert json.dumps(orders, ensure_ascii=False) == json.dumps(expected_orders(version), ensure_ascii=False)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_may_be_a_numeric_string(shop: Shop, version: int) -> None:
    assert read(shop, str(version)) == read(shop, version)


@pytest.mark.parametrize("version", [1, 2, "1", "2", 0, 11, -1, "x", 10.5, [10]])
def test_withdrawn_and_unknown_versions_are_refused(shop: Shop, version: object) -> None:
    body = json.dumps({"orderNumberList": [FIRST_ORDER_NUMBER], "version": version}).encode()
    answer = shop.post("getOrder/", body)
    assert answer.status == 400
    assert list(answer.json()) == ["MessageModelList", "OrderModelList"]
    assert answer.json()["OrderModelList"] == []
    assert all(message["messageType"] == "ERROR" for message in answer.json()["MessageModelList"])


def test_a_missing_version_is_refused_byte_for_byte(shop: Shop) -> None:
    answer = shop.post("getOrder/", b'{"orderNumberList":["999001-20260511-0123456789"]}')
    assert (answer.status, answer.body) == (400, READ_VERSION_MISSING)


def test_a_missing_list_is_refused_with_its_name(shop: Shop) -> None:
    answer = shop.post("getOrder/", b'{"version":10}')
    assert answer.status == 400
    assert answer.json() == {
        "MessageModelList": [
            {
                "messageType": "ERROR",
                "messageCode": "ORDER_EXT_API_GET_ORDER_ERROR_009",
                "message": "orderNumberListの項目を指定して下さい。",
            }
        ],
        "OrderModelList": [],
    }


def test_none_found_is_told_per_order_byte_for_byte(shop: Shop) -> None:
    body = b'{"orderNumberList":["999001-20260101-0000000001","999001-20260101-0000000002"],"version":10}'
    answer = shop.post("getOrder/", body)
    assert (answer.status, answer.body) == (200, READ_NONE_FOUND)


def test_found_and_unknown_together_give_one_success_and_one_entry_for_the_unknown(shop: Shop) -> None:
    body = b'{"orderNumberList":["999001-20260101-0000000001","999001-20260511-0123456789"],"version":10}'
    answer = shop.post("getOrder/", body)
    assert answer.json()["MessageModelList"] == [
        {
            "messageType": "INFO",
            "messageCode": "ORDER_EXT_API_GET_ORDER_INFO_101",
            "message": "受注情報取得に成功しました。(取得件数1件)",
        },
        {
            "messageType": "INFO",
            "messageCode": "ORDER_EXT_API_GET_ORDER_INFO_102",
            "message": "受注情報が取得できませんでした。",
            "orderNumber": "999001-20260101-0000000001",
        },
    ]
    assert [order["orderNumber"] for order in answer.json()["OrderModelList"]] == [FIRST_ORDER_NUMBER]


def test_an_order_of_another_shop_is_unknown(shop: Shop, simulator: Simulator) -> None:
    other = open_shop(simulator, "999002")
    answer = other.post("getOrder/", READ_REQUEST)
    assert answer.status == 200
    assert answer.json()["OrderModelList"] == []
    assert shop.post("getOrder/", READ_REQUEST).json()["OrderModelList"] != []


def test_a_hundred_orders_may_be_asked_and_no_more(shop: Shop) -> None:
    numbers = [f"999001-20260101-{place:010d}" for place in range(101)]
    hundred = json.dumps({"orderNumberList": numbers[:100], "version": 10}).encode()
    assert len(shop.post("getOrder/", hundred).json()["MessageModelList"]) == 100
    more = shop.post("getOrder/", json.dumps({"orderNumberList": numbers, "version": 10}).encode())
    assert more.status == 400
    assert more.json()["MessageModelList"][0]["messageType"] == "ERROR"


def test_a_list_of_numbers_has_a_size_in_bytes_and_counts_repetitions(shop: Shop) -> None:
    within = json.dumps({"orderNumberList": ["x" * 4096], "version": 10}).encode()
    assert shop.post("getOrder/", within).status == 200
    for numbers in (["x" * 4097], [FIRST_ORDER_NUMBER] * 101):
        refused = shop.post("getOrder/", json.dumps({"orderNumberList": numbers, "version": 10}).encode())
        assert refused.status == 400
        assert refused.json()["MessageModelList"][0]["messageCode"] == "ORDER_EXT_API_GET_ORDER_ERROR_999"
        assert refused.json()["OrderModelList"] == []


def test_the_fragments_that_exclude_each_other_come_back_as_shown(shop: Shop) -> None:
    order = copy.deepcopy(FULL_ORDER)
    order |= {
        "orderNumber": "999001-20260511-0000000777",
        "SettlementModel": json.loads(BANK_TRANSFER),
        "DueDateModelList": json.loads(DUE_DATES),
        "CouponModelList": None,
        "WrappingModel1": None,
        "WrappingModel2": None,
    }
    order["PackageModelList"][0] |= {
        "DeliveryCvsModel": json.loads(DELIVERY_STORE),
        "SocialGiftModel": json.loads(SOCIAL_GIFT),
    }
    place_order(shop, order["orderNumber"], order["orderDatetime"], progress=500, raw=order)
    body = READ_REQUEST.replace(b"0123456789", b"0000000777")
    answered = shop.post("getOrder/", body).body
    assert json.dumps(order, ensure_ascii=False, separators=(",", ":")).encode() in answered
    for fragment in (BANK_TRANSFER, DUE_DATES, DELIVERY_STORE, SOCIAL_GIFT):
        assert fragment.encode() in answered
    for name in ("CouponModelList", "WrappingModel1", "WrappingModel2"):
        assert f'"{name}":null'.encode() in answered


def test_orders_of_invented_buyers_follow_the_tables_on_the_wire(shop: Shop) -> None:
    placed = shop.control("POST", "/orders", {"count": 30})
    numbers = [str(number) for number in placed["external_ids"]]
    answer = shop.post("getOrder/", json.dumps({"orderNumberList": numbers, "version": 10}).encode())
    orders = answer.json()["OrderModelList"]
    assert sorted(order["orderNumber"] for order in orders) == sorted(numbers)
    assert [fault for order in orders for fault in faults_of(order, "OrderModelList")] == []
