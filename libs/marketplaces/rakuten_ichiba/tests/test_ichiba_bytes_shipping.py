"""Shipping rows, at once and queued: the bytes of 15.4 and 15.5, what is written, what is refused, what expires."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_samples import (
    ASYNC_ACCEPTED,
    ASYNC_NO_RESULT,
    ASYNC_RESULT,
    ASYNC_SHIPPING_REQUEST,
    FIRST_ORDER_NUMBER,
    SECOND_ORDER_NUMBER,
    SHIPPED_PACKAGE,
    SHIPPING_ANSWER,
    SHIPPING_MALFORMED,
    SHIPPING_MALFORMED_REQUEST,
    SHIPPING_REQUEST,
)
from ichiba_wire import SECONDS, Shop, Simulator, open_shop, place_order, running_simulator, set_clock

PREFIX = "ORDER_EXT_API_UPDATE_ORDERSHIPPING_"
PLACED_AT = "2026-05-11T10:15:30+0900"
SAMPLE_REQUEST = "00000000-0000-4000-8000-000000000001_20260512180000"
WHOLE_ROW = {"deliveryCompany": "1003", "shippingNumber": "000000000033", "shippingDate": "2026-05-12"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("shipping")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Iterator[Shop]:
    simulator.control("POST", "/reset")
    set_clock(simulator, "2026-05-12T18:00:00+09:00")
    yield open_shop(simulator, "999001")
    simulator.control("DELETE", "/faults")


def place(shop: Shop, number: str = FIRST_ORDER_NUMBER, *, progress: int = 300, basket: int = 90010001) -> str:
    place_order(
        shop,
        number,
        PLACED_AT,
        progress=progress,
        raw={"/PackageModelList/0/basketId": basket, "/PackageModelList/0/ShippingModelList": []},
    )
    return number


def package(shop: Shop, number: str) -> Any:
    return shop.control("GET", f"/orders/{number}")["tree"]["PackageModelList"][0]


def rows(shop: Shop, number: str) -> Any:
    return package(shop, number)["ShippingModelList"]


def asked(number: str, *wanted: object, basket: int = 90010001) -> dict[str, object]:
    return {"orderNumber": number, "BasketidModelList": [{"basketId": basket, "ShippingModelList": list(wanted)}]}


def write(shop: Shop, number: str, *wanted: object, basket: int = 90010001) -> tuple[int, list[str]]:
    answer = shop.post("updateOrderShipping/", json.dumps(asked(number, *wanted, basket=basket)).encode())
    return answer.status, codes(answer.json()["MessageModelList"])


def codes(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["messageCode"].removeprefix(PREFIX) for entry in entries]


def queue(shop: Shop, *orders: object) -> tuple[int, Any]:
    answer = shop.post("updateOrderShippingAsync/", json.dumps({"OrderShippingModelList": list(orders)}).encode())
    return answer.status, answer.json()["MessageModelList"]


def result(shop: Shop, request_id: str) -> bytes:
    answer = shop.post("getResultUpdateOrderShippingAsync/", json.dumps({"requestId": request_id}).encode())
    assert answer.status == 200
    return answer.body


def advance(shop: Shop, seconds: float) -> None:
    shop.simulator.control("PUT", "/clock", {"advance_seconds": seconds})


def test_rows_are_changed_added_and_deleted_in_the_bytes_of_the_sample(shop: Shop) -> None:
    place_order(shop, FIRST_ORDER_NUMBER, PLACED_AT, progress=300, raw=SHIPPED_PACKAGE)
    answer = shop.post("updateOrderShipping/", SHIPPING_REQUEST)
    assert (answer.status, answer.body) == (200, SHIPPING_ANSWER)
    order = shop.control("GET", f"/orders/{FIRST_ORDER_NUMBER}")["tree"]
    assert order["orderProgress"] == 300
    assert order["PackageModelList"][0]["ShippingModelList"] == [
        {
            "shippingDetailId": 700000001 + place,
            "shippingNumber": f"0000000000{place + 1}{place + 1}",
            "deliveryCompany": "1001",
            "deliveryCompanyName": "ヤマト運輸",
            "shippingDate": "2026-05-12",
        }
        for place in (0, 1)
    ]
    (entry,) = shop.simulator.control("GET", "/journal?kind=request")["entries"][-1:]
    assert (entry["function"], entry["has_effect"]) == ("updateOrderShipping", True)


def test_bad_formats_come_in_the_bytes_of_the_sample_and_nothing_is_written(shop: Shop) -> None:
    place_order(shop, FIRST_ORDER_NUMBER, PLACED_AT, progress=300, raw=SHIPPED_PACKAGE)
    before = shop.simulator.control("GET", "/digest")["digest"]
    answer = shop.post("updateOrderShipping/", SHIPPING_MALFORMED_REQUEST)
    assert (answer.status, answer.body) == (400, SHIPPING_MALFORMED)
    assert shop.simulator.control("GET", "/digest")["digest"] == before


def test_the_same_row_added_twice_is_two_rows(shop: Shop) -> None:
    number = place(shop)
    assert [write(shop, number, WHOLE_ROW) for _ in range(2)] == [(200, ["INFO_101"])] * 2
    first, second = rows(shop, number)
    assert first["shippingDetailId"] < second["shippingDetailId"]
    assert {**first, "shippingDetailId": 0} == {**second, "shippingDetailId": 0}


def test_a_row_is_written_once_when_the_connection_is_reset_behind_it(shop: Shop) -> None:
    number = place(shop)
    match = {"path": "updateOrderShipping", "shop": shop.id}
    shop.simulator.control("POST", "/faults", {"kind": "reset-after", "match": match, "count": 1})
    with pytest.raises(ConnectionError):
        write(shop, number, WHOLE_ROW)
    assert len(rows(shop, number)) == 1


def test_absent_members_stay_and_empty_ones_are_erased(shop: Shop) -> None:
    number = place(shop)
    write(shop, number, WHOLE_ROW)
    (row,) = rows(shop, number)
    row_id = {"shippingDetailId": row["shippingDetailId"]}
    assert write(shop, number, row_id | {"shippingNumber": ""}) == (200, ["INFO_102"])
    assert rows(shop, number) == [row | {"shippingNumber": None}]
    assert write(shop, number, row_id | {"shippingDate": None, "deliveryCompany": 1030}) == (200, ["INFO_102"])
    renamed = {"deliveryCompany": "1030", "deliveryCompanyName": "ヤマト運輸 クロネコゆうパケット"}
    assert rows(shop, number) == [row | renamed | {"shippingNumber": None, "shippingDate": None}]


@pytest.mark.parametrize("row", [{"deliveryCompany": "1002"}, {"shippingNumber": "1"}, {"shippingDate": "2026-05-13"}])
def test_a_row_may_hold_any_subset(shop: Shop, row: dict[str, str]) -> None:
    number = place(shop)
    assert write(shop, number, row) == (200, ["INFO_101"])
    (written,) = rows(shop, number)
    assert list(written) == [
        "shippingDetailId",
        "shippingNumber",
        "deliveryCompany",
        "deliveryCompanyName",
        "shippingDate",
    ]
    assert {key: value for key, value in written.items() if value is not None}.keys() >= row.keys()


@pytest.mark.parametrize(
    ("row", "status", "wanted"),
    [
        ({"deliveryCompany": ""}, 400, ["ERROR_009"]),
        ({"deliveryCompany": "1032"}, 400, ["ERROR_011"]),
        ({"shippingDate": "2026-02-30"}, 400, ["ERROR_011"]),
        ({"shippingNumber": "①"}, 400, ["ERROR_011"]),
        ({"shippingNumber": 5}, 400, ["ERROR_011"]),
        ({"shippingNumber": "1" * 121}, 400, ["ERROR_999"]),
        ({"shippingDetailId": "x"}, 400, ["ERROR_011"]),
        ({"shippingDeleteFlag": 2}, 400, ["ERROR_011"]),
        ({"shippingDeleteFlag": 1}, 400, ["ERROR_009"]),
        ({"shippingDetailId": 1, "shippingDeleteFlag": 1}, 200, ["ERROR_999"]),
        ({"shippingDetailId": 1, "shippingNumber": "1"}, 200, ["ERROR_999"]),
    ],
)
def test_a_row_that_cannot_be_is_refused_and_takes_the_good_one_with_it(
    shop: Shop, row: dict[str, object], status: int, wanted: list[str]
) -> None:
    number = place(shop)
    assert write(shop, number, WHOLE_ROW, row) == (status, wanted)
    assert rows(shop, number) == []
    assert not shop.simulator.control("GET", "/journal?kind=request")["entries"][-1]["has_effect"]


def test_places_count_across_baskets_and_an_unknown_basket_is_refused(shop: Shop) -> None:
    number = place(shop)
    body = asked(number, WHOLE_ROW)
    body["BasketidModelList"] = [*body["BasketidModelList"], {"basketId": 5, "ShippingModelList": [WHOLE_ROW]}]  # type: ignore[misc]
    (entry,) = shop.post("updateOrderShipping", json.dumps(body).encode()).json()["MessageModelList"]
    assert (entry["messageCode"].removeprefix(PREFIX), entry["dataNumber"]) == ("ERROR_999", 2)
    assert rows(shop, number) == []


def test_more_than_twenty_rows_of_a_basket_are_refused(shop: Shop) -> None:
    number = place(shop)
    assert write(shop, number, *[WHOLE_ROW] * 21) == (400, ["ERROR_999"])
    assert write(shop, number, *[WHOLE_ROW] * 20) == (200, ["INFO_101"] * 20)


def test_an_order_of_another_shop_is_not_found(shop: Shop) -> None:
    number = place(shop)
    assert write(open_shop(shop.simulator, "999002"), number, WHOLE_ROW) == (200, ["ERROR_999"])
    assert rows(shop, number) == []


def test_the_queue_accepts_and_tells_in_the_bytes_of_the_samples(shop: Shop) -> None:
    place(shop)
    place(shop, SECOND_ORDER_NUMBER, basket=90010077)
    answer = shop.post("updateOrderShippingAsync/", ASYNC_SHIPPING_REQUEST)
    request_id = answer.json()["MessageModelList"][0]["requestId"]
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_2026051218\d{4}", request_id
    )
    assert (answer.status, answer.body.decode()) == (200, ASYNC_ACCEPTED.decode().replace(SAMPLE_REQUEST, request_id))
    assert result(shop, request_id) == ASYNC_NO_RESULT
    assert rows(shop, FIRST_ORDER_NUMBER) == []
    # Cancelled while the request waited.
    shop.control("POST", f"/orders/{SECOND_ORDER_NUMBER}/cancel")
    advance(shop, 6)
    assert result(shop, request_id) == ASYNC_RESULT
    assert [row["shippingNumber"] for row in rows(shop, FIRST_ORDER_NUMBER)] == ["000000000011"]
    assert rows(shop, SECOND_ORDER_NUMBER) == []


def test_a_running_an_unknown_a_foreign_and_an_expired_request_look_alike(shop: Shop) -> None:
    number = place(shop)
    request_id = queue(shop, asked(number, WHOLE_ROW))[1][0]["requestId"]
    alike = [result(shop, request_id), result(shop, SAMPLE_REQUEST)]
    advance(shop, 6)
    alike.append(result(open_shop(shop.simulator, "999002"), request_id))
    advance(shop, 30 * 86_400 - 20 - SECONDS)
    assert result(shop, request_id) not in alike
    advance(shop, 20 + SECONDS)
    alike.append(result(shop, request_id))
    assert set(alike) == {ASYNC_NO_RESULT}


def test_an_invalid_queue_is_refused_with_200_and_nothing_is_queued(shop: Shop) -> None:
    number = place(shop)
    before = shop.simulator.control("GET", "/digest")["digest"]
    status, (entry,) = queue(shop, asked(number, WHOLE_ROW), asked("999001-x", WHOLE_ROW, {"shippingDate": "soon"}))
    assert status == 200
    assert entry == {
        "messageType": "ERROR",
        "messageCode": f"{PREFIX}ASYNC_ERROR_011",
        "message": "shippingDateの書式が不正です。",
        "orderNumber": "999001-x",
        "dataNumber": 2,
        "shippingDetailId": None,
    }
    for orders in ([asked(number, WHOLE_ROW)] * 2, [asked(f"999001-{index}", WHOLE_ROW) for index in range(101)]):
        status, entries = queue(shop, *orders)
        assert (status, codes(entries)) == (200, ["ASYNC_ERROR_999"])
    advance(shop, 60)
    assert rows(shop, number) == []
    assert shop.simulator.control("GET", "/digest")["digest"] == before


def test_a_queued_order_that_the_shop_has_not_got_is_told_in_the_result(shop: Shop) -> None:
    number = place(shop)
    request_id = queue(shop, asked("999001-x", WHOLE_ROW), asked(number, WHOLE_ROW))[1][0]["requestId"]
    advance(shop, 6)
    unknown, known = json.loads(result(shop, request_id))["ResultShippingModelList"]
    assert codes(unknown["MessageModelList"]) == ["ERROR_999"]
    # Places begin at 1 for each order.
    assert [known["MessageModelList"][0][key] for key in ("messageCode", "dataNumber")] == [f"{PREFIX}INFO_101", 1]


def test_the_night_after_the_date_reports_what_the_api_registered(shop: Shop) -> None:
    number = place(shop)
    write(shop, number, WHOLE_ROW | {"shippingDate": "2026-05-13"})
    set_clock(shop.simulator, "2026-05-13T00:10:00+09:00")
    assert shop.control("GET", f"/orders/{number}")["progress"] == 300
    set_clock(shop.simulator, "2026-05-14T00:10:00+09:00")
    assert shop.control("GET", f"/orders/{number}")["progress"] == 500
