"""Sub-status, memo, remarks, buyer and delivery method: the bytes of 15.6, what is written, erased, refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_samples import FIRST_ORDER_NUMBER, MEMO_ANSWER, MEMO_REQUEST
from ichiba_wire import Shop, Simulator, open_shop, place_order, running_simulator, set_clock

NUMBER = FIRST_ORDER_NUMBER
PLACED_AT = "2026-05-11T10:15:30+0900"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("notes")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, "2026-05-12T12:00:00+09:00")
    shop = open_shop(simulator, "999001")
    place_order(shop, NUMBER, PLACED_AT, progress=300)
    return shop


def tree(shop: Shop, number: str = NUMBER) -> Any:
    return shop.control("GET", f"/orders/{number}")["tree"]


def ask(shop: Shop, function: str, **body: object) -> tuple[int, list[str]]:
    answer = shop.post(f"{function}/", json.dumps(body, ensure_ascii=False).encode())
    entries = answer.json()["MessageModelList"]
    return answer.status, ["_".join(entry["messageCode"].split("_")[-2:]) for entry in entries]


def changed(shop: Shop, before: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tree(shop).items() if value != before[key]}


def test_a_memo_is_written_in_the_bytes_of_the_sample(shop: Shop) -> None:
    before = tree(shop)
    answer = shop.post("updateOrderMemo/", MEMO_REQUEST)
    assert (answer.status, answer.body) == (200, MEMO_ANSWER)
    assert changed(shop, before) == {
        "subStatusId": 9031,
        "subStatusName": "出荷準備中",
        "deliveryDate": "2026-05-14",
        "shippingTerm": 1820,
        "memo": "要冷蔵",
        "operator": "出荷係",
        "mailPlugSentence": "ご注文ありがとうございます。",
        "DeliveryModel": before["DeliveryModel"] | {"deliveryClass": 2},
    }
    (entry,) = shop.simulator.control("GET", "/journal?kind=request")["entries"][-1:]
    assert entry["has_effect"]


def test_an_absent_key_stays_and_an_empty_one_is_null(shop: Shop) -> None:
    shop.post("updateOrderMemo/", MEMO_REQUEST)
    before = tree(shop)
    assert ask(shop, "updateOrderMemo", orderNumber=NUMBER, memo="", subStatusId=None) == (200, ["INFO_101"])
    assert changed(shop, before) == {"memo": None, "subStatusId": None, "subStatusName": None}


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"memo": "x" * 1001}, ["ERROR_999"]),
        ({"memo": "①"}, ["ERROR_011"]),
        ({"operator": "七文字の担当者"}, ["ERROR_999"]),
        ({"mailPlugSentence": "x" * 1025}, ["ERROR_999"]),
        ({"deliveryClass": 9, "deliveryDate": "2026-02-30", "shippingTerm": 2018}, ["ERROR_011"] * 3),
        # Of another state, and of none.
        ({"subStatusId": 9001}, ["ERROR_999"]),
        ({"subStatusId": 5}, ["ERROR_999"]),
    ],
)
def test_a_memo_that_cannot_be_is_refused_whole(shop: Shop, values: dict[str, object], codes: list[str]) -> None:
    before = tree(shop)
    assert ask(shop, "updateOrderMemo", orderNumber=NUMBER, **({"operator": "係"} | values)) == (400, codes)
    assert tree(shop) == before


@pytest.mark.parametrize("term", [0, 1, 2, 9, 708, 1214, 1416, 1618, "1820", 1921, 2021, 2324])
def test_every_time_of_day_is_taken(shop: Shop, term: int | str) -> None:
    assert ask(shop, "updateOrderMemo", orderNumber=NUMBER, shippingTerm=term) == (200, ["INFO_101"])
    assert tree(shop)["shippingTerm"] == int(term)


def test_sub_statuses_are_set_order_by_order(shop: Shop) -> None:
    other, cancelled = "999001-20260511-0000000002", "999001-20260511-0000000003"
    place_order(shop, other, PLACED_AT, progress=100)
    place_order(shop, cancelled, PLACED_AT, progress=900)
    foreign = "999002-20260511-0000000001"
    place_order(open_shop(shop.simulator, "999002"), foreign, PLACED_AT, progress=300)
    answer = ask(shop, "updateOrderSubStatus", subStatusId="9032", orderNumberList=[other, NUMBER, cancelled, foreign])
    assert answer == (200, ["ERROR_102", "INFO_101", "ERROR_101", "ERROR_016"])
    assert (tree(shop)["subStatusId"], tree(shop)["subStatusName"]) == (9032, "入荷待ち")
    assert tree(shop, other)["subStatusId"] is None
    assert ask(shop, "updateOrderSubStatus", subStatusId=None, orderNumberList=[NUMBER]) == (200, ["INFO_101"])
    assert (tree(shop)["subStatusId"], tree(shop)["subStatusName"]) == (None, None)
    for body in ({"subStatusId": "x", "orderNumberList": [NUMBER]}, {"subStatusId": None, "orderNumberList": "x"}):
        assert ask(shop, "updateOrderSubStatus", **body)[0] == 400


def test_remarks_and_the_wish_for_a_gift_are_written_one_without_the_other(shop: Shop) -> None:
    before = tree(shop)
    assert ask(shop, "updateOrderRemarks", orderNumber=NUMBER, giftCheck="1") == (200, ["INFO_101"])
    assert changed(shop, before) == {"giftCheckFlag": 1}
    assert ask(shop, "updateOrderRemarks", orderNumber=NUMBER, remarks="玄関先へ") == (200, ["INFO_101"])
    assert changed(shop, before) == {"giftCheckFlag": 1, "remarks": "玄関先へ"}
    assert ask(shop, "updateOrderRemarks", orderNumber=NUMBER) == (400, ["ERROR_999"])
    assert ask(shop, "updateOrderRemarks", orderNumber=NUMBER, remarks="x" * 4001) == (400, ["ERROR_999"])


def test_the_buyer_is_written_and_other_members_stay(shop: Shop) -> None:
    before = tree(shop)
    wanted = before["OrdererModel"] | {"city": "別区", "sex": None, "firstNameKana": "サブロウ"}
    assert ask(shop, "updateOrderOrderer", orderNumber=NUMBER, OrdererModel=wanted) == (200, ["INFO_101"])
    assert changed(shop, before) == {"OrdererModel": wanted}
    refused = wanted | {"prefecture": "架空県", "sex": "x"}
    status, codes = ask(shop, "updateOrderOrderer", orderNumber=NUMBER, OrdererModel=refused)
    assert (status, set(codes)) == (400, {"ERROR_011"})
    assert tree(shop)["OrdererModel"] == wanted


def test_a_delivery_method_is_one_that_the_shop_has_set_up(shop: Shop) -> None:
    before = tree(shop)
    assert ask(shop, "updateOrderDelivery", orderNumber=NUMBER, deliveryName="クール便") == (200, ["INFO_101"])
    assert changed(shop, before) == {"DeliveryModel": before["DeliveryModel"] | {"deliveryName": "クール便"}}
    assert ask(shop, "updateOrderDelivery", orderNumber=NUMBER, deliveryName="空輸") == (400, ["ERROR_999"])


@pytest.mark.parametrize("function", ["updateOrderMemo", "updateOrderRemarks", "updateOrderDelivery"])
def test_an_order_of_another_shop_is_refused(shop: Shop, function: str) -> None:
    other, before = open_shop(shop.simulator, "999002"), tree(shop)
    answer = ask(other, function, orderNumber=NUMBER, giftCheck=1, deliveryName="宅配便")
    assert answer == (200, ["ERROR_999"])
    assert tree(shop) == before
