"""getPayment and getOrderItem: what they tell of an order, and what they keep to themselves."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_full_order import FULL_ORDER
from ichiba_wire import JSON_TYPE, Shop, Simulator, open_shop, place_order, running_simulator, set_clock

NUMBER = FULL_ORDER["orderNumber"]
# Members of PaymentModel in the order of 4.18.
MEMBERS = [
    "orderPaymentNumber",
    "paymentMethod",
    "paymentAmount",
    "paymentCharge",
    "paymentStatus",
    "paymentProcReqDatetime",
    "paymentProcNgDatetime",
    "paymentProcCmplDatetime",
    "paymentProcCancelNgDate",
    "paymentProcCancelCmplDatetime",
    "paymentReqDatetime",
    "paymentNgDatetime",
    "paymentFixDatetime",
    "paymentCancelNgDatetime",
    "paymentCancelCmplDatetime",
    "paymentCancelFixDatetime",
    "payExpectDate",
    "minusPayExpectDate",
    "paymentOrganizationLinkageNumberList",
    "PaymentCardModel",
    "PaymentMultiModel",
    "PaymentBankModel",
    "PaymentPayAfterModel",
    "RefundModelList",
    "AdditionalFeeModelList",
    "PaymentPaypalModel",
]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("payment")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, "2026-05-12T12:00:00+09:00")
    shop = open_shop(simulator, "999001")
    place_order(shop, NUMBER, FULL_ORDER["orderDatetime"], progress=500, raw=FULL_ORDER)
    return shop


def payment(shop: Shop, version: int = 4) -> Any:
    answer = shop.post("getPayment/", json.dumps({"orderNumber": NUMBER, "version": version}).encode())
    assert answer.status == 200, answer.body
    order = answer.json()["OrderModel"]
    assert order["orderNumber"] == NUMBER
    (only,) = order["PaymentModelList"]
    return only


def items(shop: Shop, *numbers: str) -> Any:
    body = json.dumps({"orderNumberList": list(numbers)}).encode()
    headers = {"Authorization": shop.authorization, "Content-Type": JSON_TYPE}
    return shop.simulator.send("POST", "/es/2.0/purchaseItem/getOrderItem/", body, headers).json()


def test_a_card_payment_has_every_member_in_its_place(shop: Shop) -> None:
    told = payment(shop)
    assert list(told) == MEMBERS
    assert [told[key] for key in MEMBERS[:5]] == [f"{NUMBER}-1", 1, 9150, 0, 30300]
    assert told["paymentProcReqDatetime"] == FULL_ORDER["shopOrderCfmDatetime"]
    assert told["PaymentCardModel"] == {
        "cardName": "VISA",
        "cardYm": "2030-11",
        "cardOwner": "HANAKO MIHON",
        "cardNumber": "XXXX-XXXX-XXXX-0000",
        "cardPayType": 2,
        "cardInstallmentDesc": "103",
    }
    assert [told[key] for key in MEMBERS[20:23]] == [None] * 3
    assert list(payment(shop, 3)) == MEMBERS[:-1]


def test_a_payment_goes_with_the_state_until_a_test_says_otherwise(shop: Shop) -> None:
    statuses = []
    for progress in (100, 200, 300, 600, 700, 800, 900):
        shop.control("POST", f"/orders/{NUMBER}/set", {"progress": progress})
        statuses.append(payment(shop)["paymentStatus"])
    assert statuses == [30000, 30200, 30300, 30500, 30600, 31110, 31200]
    shop.control("POST", f"/orders/{NUMBER}/set", {"payment_status": 30400})
    assert payment(shop)["paymentStatus"] == 30400


REFUND_MEMBERS = [
    "paymentAmount",
    "paymentStatus",
    "paymentProcCmplDatetime",
    "paymentReqDatetime",
    "paymentFixDatetime",
    "payExpectDate",
]


def test_a_refund_stands_in_the_payment_with_every_member_in_its_place(shop: Shop) -> None:
    assert payment(shop)["RefundModelList"] == []
    path = f"/orders/{NUMBER}/refund"
    shop.control("POST", path, {"amount": 1200})
    shop.control("POST", path, {"amount": 300, "status": 30500, "expected_on": "2026-05-31"})
    first, second = payment(shop)["RefundModelList"]
    assert list(first) == list(second) == REFUND_MEMBERS
    at = "2026-05-12T12:00:00+0900"
    # The simulator's clock runs on.
    assert [value[:18] for value in list(first.values())[2:5]] == [at[:18]] * 3
    assert [first[name] for name in ("paymentAmount", "paymentStatus", "payExpectDate")] == [1200, 30600, None]
    assert [second[name] for name in ("paymentAmount", "paymentStatus", "paymentFixDatetime", "payExpectDate")] == [
        300,
        30500,
        None,
        "2026-05-31",
    ]
    order = shop.post("getOrder", json.dumps({"orderNumberList": [NUMBER], "version": 10}).encode())
    assert b"RefundModelList" not in order.body


def test_a_test_may_put_refunds_of_any_form(shop: Shop) -> None:
    odd = [{"paymentAmount": "-9999", "paymentStatus": None}]
    shop.control("POST", f"/orders/{NUMBER}/set", {"refunds": odd})
    assert payment(shop)["RefundModelList"] == odd
    shop.control("POST", f"/orders/{NUMBER}/set", {"refunds": []})
    assert payment(shop)["RefundModelList"] == []


def test_a_prepayment_is_waited_for_and_the_bill_has_its_times(shop: Shop) -> None:
    raw = {"/SettlementModel/settlementMethodCode": 9}
    shop.control("POST", f"/orders/{NUMBER}/set", {"progress": 200, "raw": raw})
    assert payment(shop)["paymentStatus"] == 30100
    shop.control("POST", f"/orders/{NUMBER}/pay")
    shop.control("POST", f"/orders/{NUMBER}/set", {"progress": 500})
    set_clock(shop.simulator, "2026-06-12T12:00:00+09:00")
    told = payment(shop)
    assert told["paymentStatus"] == 30600
    assert told["paymentReqDatetime"] < told["paymentFixDatetime"]
    assert told["PaymentBankModel"] == {"transferDate": None, "transferNameKana": None}


def test_a_version_that_is_none_is_refused(shop: Shop) -> None:
    for version in (2, 5, "x"):
        answer = shop.post("getPayment", json.dumps({"orderNumber": NUMBER, "version": version}).encode())
        assert answer.status == 400
        assert answer.json()["MessageModelList"][0]["messageCode"] == "ORDER_EXT_API_GET_PAYMENT_ERROR_009"


def test_an_order_without_personal_data_is_the_same_tree_cut_down(shop: Shop) -> None:
    answer = items(shop, NUMBER, "999001-x")
    assert [entry["messageCode"][-8:] for entry in answer["MessageModelList"]] == ["INFO_101", "INFO_102"]
    (order,) = answer["OrderModelList"]
    left_out = {"remarks", "memo", "operator", "mailPlugSentence", "CouponModelList"}
    assert list(order) == [key for key in FULL_ORDER if key not in left_out]
    assert order["OrdererModel"] == {"prefecture": "東京都"}
    assert order["SettlementModel"] == {"settlementMethodCode": 1}
    (package,) = order["PackageModelList"]
    (whole,) = FULL_ORDER["PackageModelList"]
    taken = {"SenderModel", "ShippingModelList", "SocialGiftModel"}
    assert package == {key: value for key, value in whole.items() if key not in taken}
    text = json.dumps(order, ensure_ascii=False)
    for personal in ("見本町", "花子", "太郎", "pc.fw.rakuten", "XXXX"):
        assert personal not in text


def test_what_only_search_order_takes_is_not_asked(shop: Shop) -> None:
    period = {"startDatetime": "2026-05-01T00:00:00+0900", "endDatetime": "2026-05-31T00:00:00+0900"}
    body = json.dumps({"dateType": 1, **period, "settlementMethod": 9}).encode()
    headers = {"Authorization": shop.authorization, "Content-Type": JSON_TYPE}
    found = shop.simulator.send("POST", "/es/2.0/purchaseItem/searchOrderItem", body, headers).json()
    assert found["orderNumberList"] == [NUMBER]
    assert shop.post("searchOrder", body).json()["orderNumberList"] == []
