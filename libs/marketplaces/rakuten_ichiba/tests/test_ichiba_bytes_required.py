"""The order functions with required keys refuse what lacks one, in the family's words, and change nothing."""

import json
from collections.abc import Iterator

import pytest
from ichiba_wire import Shop, open_shop, running_simulator

# Function, prefix, required keys, status. rakuten-ichiba-orders 4.4 to 4.18, 6.
REQUIRED = (
    ("updateOrderShipping", "UPDATE_ORDERSHIPPING", ("orderNumber", "BasketidModelList"), 400),
    # Validation errors come with 200 (4.5).
    ("updateOrderShippingAsync", "UPDATE_ORDERSHIPPING_ASYNC", ("OrderShippingModelList",), 200),
    (
        "getResultUpdateOrderShippingAsync",
        "GET_RESULT_UPDATEORDERSHIPPING_ASYNC",
        ("requestId",),
        400,
    ),
    ("updateOrderSubStatus", "UPDATE_ORDERSUBSTATUS", ("subStatusId", "orderNumberList"), 400),
    ("updateOrderMemo", "UPDATE_ORDERMEMO", ("orderNumber",), 400),
    ("updateOrderRemarks", "UPDATE_ORDERREMARKS", ("orderNumber",), 400),
    ("updateOrderSender", "UPDATE_ORDERSENDER", ("orderNumber", "PackageModelList"), 400),
    (
        "updateOrderSenderAfterShipping",
        "UPDATE_ORDERSENDER_AFTER_SHIPPING",
        ("orderNumber", "PackageModelList"),
        400,
    ),
    ("cancelOrder", "CANCEL_ORDER", ("orderNumber", "inventoryRestoreType", "changeReasonDetailApply"), 400),
    (
        "cancelOrderAfterShipping",
        "CANCEL_ORDER_AFTER_SHIPPING",
        ("orderNumber", "inventoryRestoreType", "changeReasonDetailApply"),
        400,
    ),
    ("updateOrderOrderer", "UPDATE_ORDERORDERER", ("orderNumber", "OrdererModel"), 400),
    ("updateOrderDelivery", "UPDATE_ORDERDELIVERY", ("orderNumber", "deliveryName"), 400),
    ("simulateCouponAmount", "SIMULATE_COUPON_AMOUNT", ("orderNumber", "PackageModelList"), 400),
    ("getPayment", "GET_PAYMENT", ("orderNumber", "version"), 400),
)
VALUES = {
    "orderNumber": "999001-20260511-0123456789",
    "orderNumberList": ["999001-20260511-0123456789"],
    "subStatusId": None,
    "version": 4,
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_simulator(tmp_path_factory.mktemp("required")) as running:
        yield open_shop(running, "999001")


def refusal(prefix: str, *keys: str) -> bytes:
    entries = ",".join(
        f'{{"messageType":"ERROR","messageCode":"ORDER_EXT_API_{prefix}_ERROR_009",'
        f'"message":"{key}の項目を指定して下さい。"}}'
        for key in keys
    )
    return f'{{"MessageModelList":[{entries}]}}'.encode()


@pytest.mark.parametrize(("function", "prefix", "keys", "status"), REQUIRED)
def test_each_required_key_that_is_missing_is_named_and_nothing_changes(
    shop: Shop, function: str, prefix: str, keys: tuple[str, ...], status: int
) -> None:
    before = shop.simulator.control("GET", "/digest")["digest"]
    answer = shop.post(f"{function}/", b"{}")
    assert (answer.status, answer.body) == (status, refusal(prefix, *keys))
    whole = {key: VALUES.get(key, 1) for key in keys}
    for key in keys:
        lacking = json.dumps({name: value for name, value in whole.items() if name != key}).encode()
        answer = shop.post(function, lacking)
        assert (answer.status, answer.body) == (status, refusal(prefix, key))
    assert shop.post(function, b"").json()["errors"][0]["code"] == "GK0005"
    assert shop.simulator.control("GET", "/digest")["digest"] == before


def test_orders_without_personal_data_are_searched_and_not_found_in_the_words_of_get_order(shop: Shop) -> None:
    def post(function: str, body: bytes) -> tuple[int, bytes]:
        path, sent = f"/es/2.0/purchaseItem/{function}/", {"Authorization": shop.authorization}
        answer = shop.simulator.send("POST", path, body, sent | {"Content-Type": "application/json; charset=utf-8"})
        return answer.status, answer.body

    period = b'{"dateType":1,"startDatetime":"2026-05-01T00:00:00+0900","endDatetime":"2026-05-02T00:00:00+0900"}'
    assert post("searchOrderItem", period)[0] == 200
    assert b"SEARCH_ORDER_ERROR_009" in post("searchOrderItem", b"{}")[1]
    assert post("getOrderItem", b"{}") == (400, refusal("GET_ORDER", "orderNumberList")[:-1] + b',"OrderModelList":[]}')
    status, body = post("getOrderItem", b'{"orderNumberList":["999001-20260511-0123456789"]}')
    assert (status, b"GET_ORDER_INFO_102" in body) == (200, True)
    number = shop.control("POST", "/orders")["external_id"]
    assert post("getOrderItem", json.dumps({"orderNumberList": [number]}).encode())[0] == 200
    # The fields of its answer are not public (4.17).
    simulated = shop.post("simulateCouponAmount", json.dumps({"orderNumber": number, "PackageModelList": [1]}).encode())
    assert (simulated.status, simulated.json()["errors"][0]["code"]) == (501, "SIM-501")
