"""What time, shop and buyer do to an order: section 8 of the dossier, on the virtual clock."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

NOON = "2026-06-01T12:00:00+09:00"
SHIPPED_ROW = {
    "shippingDetailId": 700000001,
    "shippingNumber": "000000000011",
    "deliveryCompany": "1001",
    "deliveryCompanyName": "ヤマト運輸",
    "shippingDate": "2026-06-02",
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("life-cycle")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, NOON)
    return open_shop(simulator, "999001")


def _place(shop: Shop, **wish: object) -> str:
    return str(shop.control("POST", "/orders", {"is_plain": True, **wish})["external_id"])


def _advance(shop: Shop, seconds: float) -> None:
    shop.simulator.control("PUT", "/clock", {"advance_seconds": seconds})


def _order(shop: Shop, number: str) -> dict[str, Any]:
    body = json.dumps({"orderNumberList": [number], "version": 10}).encode()
    order: dict[str, Any] = shop.post("getOrder/", body).json()["OrderModelList"][0]
    return order


def _confirm(shop: Shop, number: str) -> str:
    body = json.dumps({"orderNumberList": [number]}).encode()
    return str(shop.post("confirmOrder/", body).json()["MessageModelList"][0]["messageCode"]).rpartition("ORDER_")[2]


def test_a_confirmed_order_is_ready_when_rakuten_is_done_with_it(shop: Shop) -> None:
    number = _place(shop)
    assert _confirm(shop, number) == "INFO_101"
    _advance(shop, 50)
    assert _order(shop, number)["orderProgress"] == 200
    _advance(shop, 10)
    order = _order(shop, number)
    assert order["orderProgress"] == 300
    assert order["orderFixDatetime"] == order["shippingInstDatetime"]
    assert order["orderFixDatetime"].startswith("2026-06-01T12:01:0")


def test_a_bank_transfer_waits_for_the_money(shop: Shop) -> None:
    number = _place(shop, kind="bank-transfer")
    _confirm(shop, number)
    _advance(shop, 86_400)
    assert _order(shop, number)["orderProgress"] == 200
    shop.control("POST", f"/orders/{number}/pay")
    assert _order(shop, number)["orderProgress"] == 300


def test_money_that_came_before_the_confirmation_counts(shop: Shop) -> None:
    number = _place(shop, kind="bank-transfer")
    shop.control("POST", f"/orders/{number}/pay")
    assert _order(shop, number)["orderProgress"] == 100
    _confirm(shop, number)
    _advance(shop, 61)
    assert _order(shop, number)["orderProgress"] == 300


def test_an_order_that_nobody_confirms_is_cancelled_when_its_last_day_has_ended(shop: Shop) -> None:
    number = _place(shop)
    assert _order(shop, number)["cancelDueDate"] == "2026-06-15"
    set_clock(shop.simulator, "2026-06-15T23:59:50+09:00")
    assert _order(shop, number)["orderProgress"] == 100
    _advance(shop, 11)
    order = _order(shop, number)
    assert order["orderProgress"] == 900
    assert order["cancelDueDate"] is None
    assert order["ChangeReasonModelList"][-1]["changeReason"] == 0


def test_a_confirmed_order_outlives_the_fourteen_days(shop: Shop) -> None:
    number = _place(shop)
    _confirm(shop, number)
    _advance(shop, 20 * 86_400)
    assert _order(shop, number)["orderProgress"] == 300


def test_an_order_that_the_buyer_cancelled_is_not_brought_back_by_the_processing(shop: Shop) -> None:
    number = _place(shop)
    _confirm(shop, number)
    shop.control("POST", f"/orders/{number}/cancel")
    _advance(shop, 3600)
    assert _order(shop, number)["orderProgress"] == 900
    assert _confirm(shop, number) == "ERROR_102"


def test_an_application_for_cancellation_is_completed_in_its_own_entry(shop: Shop) -> None:
    number = _place(shop, progress=300)
    shop.control("POST", f"/orders/{number}/request-cancel")
    waiting = _order(shop, number)
    assert waiting["orderProgress"] == 800
    assert waiting["ChangeReasonModelList"][-1]["changeCmplDatetime"] is None
    shop.control("POST", f"/orders/{number}/cancel")
    done = _order(shop, number)
    assert done["orderProgress"] == 900
    assert len(done["ChangeReasonModelList"]) == len(waiting["ChangeReasonModelList"])
    assert done["ChangeReasonModelList"][-1]["changeType"] == 2


@pytest.mark.parametrize("action", ["pay", "cancel", "request-cancel"])
def test_a_buyer_can_do_nothing_more_to_a_cancelled_order(shop: Shop, action: str) -> None:
    number = _place(shop, progress=900)
    answer = shop.simulator.send("POST", f"/_sim/shops/{shop.id}/orders/{number}/{action}")
    assert answer.status == 409


def test_the_night_after_the_shipping_date_reports_the_shipping(shop: Shop) -> None:
    number = _place(shop, progress=300)
    shop.control("POST", f"/orders/{number}/set", {"shipping_rows": [SHIPPED_ROW]})
    set_clock(shop.simulator, "2026-06-02T00:06:00+09:00")
    assert _order(shop, number)["orderProgress"] == 300
    set_clock(shop.simulator, "2026-06-03T00:04:50+09:00")
    assert _order(shop, number)["orderProgress"] == 300
    _advance(shop, 11)
    order = _order(shop, number)
    assert order["orderProgress"] == 500
    assert order["shippingCmplRptDatetime"] == "2026-06-03T00:05:00+0900"


@pytest.mark.parametrize("field", ["deliveryCompany", "shippingNumber", "shippingDate"])
def test_a_night_run_leaves_an_order_with_an_incomplete_row(shop: Shop, field: str) -> None:
    number = _place(shop, progress=300)
    rows = [SHIPPED_ROW, SHIPPED_ROW | {field: None}]
    shop.control("POST", f"/orders/{number}/set", {"shipping_rows": rows})
    set_clock(shop.simulator, "2026-06-05T12:00:00+09:00")
    assert shop.simulator.control("POST", "/night-run") == {"moved": 0}
    assert _order(shop, number)["orderProgress"] == 300


def test_a_night_run_by_hand_moves_an_order_once(shop: Shop) -> None:
    number = _place(shop, progress=300)
    shop.control("POST", f"/orders/{number}/set", {"shipping_rows": [SHIPPED_ROW | {"shippingDate": "2026-05-31"}]})
    assert shop.simulator.control("POST", "/night-run") == {"moved": 1}
    assert shop.simulator.control("POST", "/night-run") == {"moved": 0}
    assert _order(shop, number)["orderProgress"] == 500


def test_a_jump_over_weeks_bills_and_settles_in_order(shop: Shop) -> None:
    number = _place(shop, progress=300)
    shop.control("POST", f"/orders/{number}/set", {"shipping_rows": [SHIPPED_ROW]})
    set_clock(shop.simulator, "2026-06-20T12:00:00+09:00")
    entries = shop.simulator.control("GET", "/journal?kind=state")["entries"]
    assert [entry["to"] for entry in entries if entry["order"] == number] == [300, 500, 600, 700]
    assert _order(shop, number)["orderProgress"] == 700


def test_the_sub_status_goes_with_the_state(shop: Shop) -> None:
    number = _place(shop)
    shop.control("POST", f"/orders/{number}/set", {"sub_status_id": 9001, "sub_status_name": "要確認"})
    assert _order(shop, number)["subStatusId"] == 9001
    _confirm(shop, number)
    order = _order(shop, number)
    assert (order["subStatusId"], order["subStatusName"]) == (None, None)


def test_two_confirmations_at_the_same_time_are_one(shop: Shop) -> None:
    number = _place(shop)
    with ThreadPoolExecutor(2) as pool:
        codes = sorted(pool.map(lambda _: _confirm(shop, number), range(2)))
    assert codes == ["ERROR_103", "INFO_101"]
    assert len(_order(shop, number)["ChangeReasonModelList"]) == 1


def test_a_shop_with_automatic_confirmation_has_no_new_orders(shop: Shop) -> None:
    other = shop.simulator.control("POST", "/shops", {"number": "999002", "confirms_automatically": True})
    placed = shop.simulator.control("POST", f"/shops/{other['id']}/orders", {"is_plain": True})["external_id"]
    order = shop.simulator.control("GET", f"/shops/{other['id']}/orders/{placed}")["tree"]
    assert order["orderProgress"] == 200
    assert order["shopOrderCfmDatetime"] == order["orderDatetime"]


def test_the_receivers_silence_is_a_reason_from_version_10_on(shop: Shop) -> None:
    number = _place(shop, progress=300)
    shop.control("POST", f"/orders/{number}/request-cancel")
    shop.control("POST", f"/orders/{number}/set", {"raw": {"/ChangeReasonModelList/1/changeReasonDetail": 16}})
    details = []
    for version in (9, 10):
        body = json.dumps({"orderNumberList": [number], "version": version}).encode()
        order = shop.post("getOrder/", body).json()["OrderModelList"][0]
        details.append(order["ChangeReasonModelList"][1]["changeReasonDetail"])
    assert details == [None, 16]
