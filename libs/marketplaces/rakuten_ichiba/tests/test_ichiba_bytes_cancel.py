"""Cancellations by the shop: the bytes of 15.6, where each state leads, what refuses, what the history says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_samples import CANCEL_ANSWER, CANCEL_REQUEST, FIRST_ORDER_NUMBER
from ichiba_wire import Shop, Simulator, open_shop, place_order, running_simulator, set_clock

PLACED_AT = "2026-05-31T10:15:30+0900"
ROW = {"deliveryCompany": "1003", "shippingNumber": "000000000033", "shippingDate": "2026-06-01"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("cancel")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, "2026-06-01T12:00:00+09:00")
    return open_shop(simulator, "999001")


def place(shop: Shop, progress: int) -> str:
    place_order(shop, FIRST_ORDER_NUMBER, PLACED_AT, progress=progress)
    return FIRST_ORDER_NUMBER


def cancel(shop: Shop, number: str, *, reason: int = 8, restore: int = 1, after_shipping: bool = False) -> list[str]:
    body = {"orderNumber": number, "inventoryRestoreType": restore, "changeReasonDetailApply": reason}
    function = "cancelOrderAfterShipping/" if after_shipping else "cancelOrder/"
    entries = shop.post(function, json.dumps(body).encode()).json()["MessageModelList"]
    return ["_".join(entry["messageCode"].split("_")[-2:]) for entry in entries]


def tree(shop: Shop, number: str) -> Any:
    return shop.control("GET", f"/orders/{number}")["tree"]


def write_row(shop: Shop, number: str, **row: object) -> None:
    basket = tree(shop, number)["PackageModelList"][0]["basketId"]
    body = {"orderNumber": number, "BasketidModelList": [{"basketId": basket, "ShippingModelList": [row]}]}
    assert shop.post("updateOrderShipping", json.dumps(body).encode()).status == 200


def test_the_application_comes_in_the_bytes_of_the_sample(shop: Shop) -> None:
    place(shop, 300)
    answer = shop.post("cancelOrder/", CANCEL_REQUEST)
    assert (answer.status, answer.body) == (200, CANCEL_ANSWER)
    (entry,) = shop.simulator.control("GET", "/journal?kind=request")["entries"][-1:]
    assert entry["has_effect"]


def test_a_new_order_ends_at_once_with_one_entry(shop: Shop) -> None:
    number = place(shop, 100)
    assert cancel(shop, number) == ["INFO_101"]
    order = tree(shop, number)
    assert (order["orderProgress"], order["cancelDueDate"]) == (900, None)
    (reason,) = order["ChangeReasonModelList"]
    at = reason["changeApplyDatetime"]
    assert list(reason.values())[1:] == [2, None, 0, 8, at, at, at]
    assert at.startswith("2026-06-01T12:00")


@pytest.mark.parametrize("progress", [200, 300])
def test_an_accepted_order_waits_in_800_and_ends_in_its_own_entry(shop: Shop, progress: int) -> None:
    number = place(shop, progress)
    assert cancel(shop, number, reason=1, restore=2) == ["INFO_101"]
    waiting = tree(shop, number)
    assert waiting["orderProgress"] == 800
    open_entry = waiting["ChangeReasonModelList"][-1]
    assert [open_entry[key] for key in ("changeType", "changeReason", "changeReasonDetail")] == [0, 1, 1]
    assert (open_entry["changeFixDatetime"], open_entry["changeCmplDatetime"]) == (None, None)
    assert {item["restoreInventoryFlag"] for item in waiting["PackageModelList"][0]["ItemModelList"]} == {2}
    assert cancel(shop, number) == ["ERROR_999"]
    shop.simulator.control("PUT", "/clock", {"advance_seconds": 61})
    done = tree(shop, number)
    assert done["orderProgress"] == 900
    assert len(done["ChangeReasonModelList"]) == len(waiting["ChangeReasonModelList"])
    entry = done["ChangeReasonModelList"][-1]
    assert entry["changeId"] == open_entry["changeId"]
    assert (entry["changeType"], entry["changeReasonDetail"]) == (2, 1)
    assert entry["changeApplyDatetime"] < entry["changeCmplDatetime"] == entry["changeFixDatetime"]


def test_a_registered_shipping_date_refuses_until_it_is_erased(shop: Shop) -> None:
    number = place(shop, 300)
    write_row(shop, number, **ROW)
    before = tree(shop, number)
    assert cancel(shop, number) == ["ERROR_999"]
    assert tree(shop, number) == before
    row_id = before["PackageModelList"][0]["ShippingModelList"][0]["shippingDetailId"]
    write_row(shop, number, shippingDetailId=row_id, shippingDate="")
    assert cancel(shop, number) == ["INFO_101"]


@pytest.mark.parametrize("progress", [500, 600, 700, 800])
def test_after_shipping_it_is_settled_in_one_step(shop: Shop, progress: int) -> None:
    number = place(shop, progress)
    count = len(tree(shop, number)["ChangeReasonModelList"])
    assert cancel(shop, number, reason=2, after_shipping=True) == ["INFO_101"]
    order = tree(shop, number)
    assert order["orderProgress"] == 900
    entry = order["ChangeReasonModelList"][-1]
    assert (entry["changeType"], entry["changeCmplDatetime"] is not None) == (2, True)
    # The buyer's application is completed in its own entry, and its reason stays.
    assert (len(order["ChangeReasonModelList"]) - count, entry["changeReasonDetail"]) == (
        (0, 1) if progress == 800 else (1, 2)
    )


@pytest.mark.parametrize("after_shipping", [False, True])
def test_values_that_no_list_has_are_error_011_together(shop: Shop, after_shipping: bool) -> None:  # noqa: FBT001
    number = place(shop, 500 if after_shipping else 300)
    # 16 stands in answers alone (7.9).
    assert cancel(shop, number, reason=16, restore=3, after_shipping=after_shipping) == ["ERROR_011"] * 2
    assert cancel(shop, "999001-x", after_shipping=after_shipping) == ["ERROR_999"]


def test_the_buyers_cancellation_comes_before_the_end_of_the_shops(shop: Shop) -> None:
    number = place(shop, 300)
    cancel(shop, number)
    shop.control("POST", f"/orders/{number}/cancel")
    ended = tree(shop, number)
    shop.simulator.control("PUT", "/clock", {"advance_seconds": 61})
    assert tree(shop, number) == ended
    assert ended["orderProgress"] == 900
