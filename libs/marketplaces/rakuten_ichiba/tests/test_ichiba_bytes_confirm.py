"""confirmOrder's and getSubStatusList's bytes equal 15.3 and 15.6; what a confirmation changes shows in getOrder."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_samples import CONFIRM_MIXED, CONFIRM_REQUEST, FIRST_ORDER_NUMBER, SECOND_ORDER_NUMBER, SUB_STATUS_LIST
from ichiba_wire import Shop, Simulator, open_shop, place_order, running_simulator, set_clock

PREFIX = "ORDER_EXT_API_CONFIRM_ORDER_"
PLACED_AT = "2026-05-31T10:15:30+0900"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        set_clock(running, "2026-06-01T12:00:00+09:00")
        yield running


@pytest.fixture(scope="module")
def shop(simulator: Simulator) -> Shop:
    return open_shop(simulator, "999001")


def confirm(shop: Shop, *numbers: str) -> list[str]:
    answer = shop.post("confirmOrder/", json.dumps({"orderNumberList": list(numbers)}).encode())
    assert answer.status == 200, answer.body
    messages = answer.json()["MessageModelList"]
    assert [message["orderNumber"] for message in messages] == list(numbers)
    return [message["messageCode"].removeprefix(PREFIX) for message in messages]


def read(shop: Shop, number: str) -> dict[str, Any]:
    answer = shop.post("getOrder", json.dumps({"orderNumberList": [number], "version": 10}).encode())
    (order,) = answer.json()["OrderModelList"]
    assert isinstance(order, dict)
    return order


def place(shop: Shop, ending: int, progress: int) -> str:
    number = f"999001-20260531-{ending:010d}"
    place_order(shop, number, PLACED_AT, progress=progress)
    return number


def test_the_mixed_result_of_the_sample_comes_byte_for_byte(shop: Shop) -> None:
    place_order(shop, FIRST_ORDER_NUMBER, PLACED_AT, progress=100)
    place_order(shop, SECOND_ORDER_NUMBER, PLACED_AT, progress=300)
    answer = shop.post("confirmOrder/", CONFIRM_REQUEST)
    assert (answer.status, answer.body) == (200, CONFIRM_MIXED)


def test_a_confirmation_leaves_its_time_and_one_history_entry(shop: Shop) -> None:
    number = place(shop, 1, 100)
    before = read(shop, number)
    assert confirm(shop, number) == ["INFO_101"]
    after = read(shop, number)
    assert (before["orderProgress"], after["orderProgress"]) == (100, 200)
    at = after["shopOrderCfmDatetime"]
    assert at.startswith("2026-06-01T12:")
    (reason,) = after["ChangeReasonModelList"]
    assert list(reason.values())[1:] == [8, None, None, None, at, at, at]
    assert (before["cancelDueDate"], after["cancelDueDate"]) == ("2026-06-14", None)
    assert list(after) == list(before)


def test_a_second_confirmation_is_error_103_and_changes_nothing(shop: Shop) -> None:
    number = place(shop, 2, 100)
    assert confirm(shop, number) == ["INFO_101"]
    after_first = read(shop, number)
    assert confirm(shop, number) == ["ERROR_103"]
    assert read(shop, number) == after_first


@pytest.mark.parametrize(
    ("progress", "code"),
    [*((progress, "ERROR_103") for progress in (200, 300, 400, 500, 600, 700, 800)), (900, "ERROR_102")],
)
def test_each_state_answers_as_the_legality_matrix_says(shop: Shop, progress: int, code: str) -> None:
    number = place(shop, 1000 + progress, progress)
    assert confirm(shop, number) == [code]
    assert read(shop, number)["orderProgress"] == progress


def test_an_undecided_amount_is_error_105(shop: Shop) -> None:
    for kind in ("undecided-postage", "undecided-fee"):
        (number,) = shop.control("POST", "/orders", {"kind": kind})["external_ids"]
        assert confirm(shop, number) == ["ERROR_105"]
        assert read(shop, number)["orderProgress"] == 100


def test_an_unknown_order_does_not_stop_the_others(shop: Shop) -> None:
    number = place(shop, 3, 100)
    unknown, info = confirm(shop, "999001-20260101-0000000009", number)
    assert unknown.startswith("ERROR_")
    assert info == "INFO_101"


@pytest.mark.parametrize("body", [b"{}", b'{"orderNumberList":null}', b'{"orderNumberList":[]}'])
def test_a_missing_list_is_400_error_009(shop: Shop, body: bytes) -> None:
    answer = shop.post("confirmOrder/", body)
    assert answer.status == 400
    (message,) = answer.json()["MessageModelList"]
    assert message["messageCode"] == f"{PREFIX}ERROR_009"
    assert message["message"] == "orderNumberListの項目を指定して下さい。"


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
@pytest.mark.parametrize("path", ["getSubStatusList/", "getSubStatusList"])
def test_sub_statuses_come_for_an_empty_a_null_and_an_object_body(shop: Shop, path: str, body: bytes) -> None:
    answer = shop.post(path, body)
    assert answer.status == 200
    assert answer.body == SUB_STATUS_LIST
