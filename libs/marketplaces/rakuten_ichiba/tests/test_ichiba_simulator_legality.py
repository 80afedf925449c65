"""The legality matrix 8.3: every function that writes, in every state that an order can have."""

import json
from collections.abc import Iterator

import pytest
from ichiba_restated import restated
from ichiba_wire import Shop, open_shop, running_simulator, set_clock

STATES = (100, 200, 300, 400, 500, 600, 700, 800, 900)
ROW = {"deliveryCompany": "1003", "shippingNumber": "000000000033"}
# Suffix of the answer in each of STATES.
MATRIX = {
    "confirmOrder": ("INFO_101", *["ERROR_103"] * 7, "ERROR_102"),
    "updateOrderSender": (*["INFO_101"] * 3, *["ERROR_999"] * 6),
    "updateOrderSenderAfterShipping": (*["ERROR_999"] * 4, *["INFO_101"] * 3, *["ERROR_999"] * 2),
    # 9001 belongs to 100, 9031 to 300; each is asked for in its own state, 9001 elsewhere.
    "updateOrderSubStatus": ("INFO_101", "ERROR_102", "INFO_101", *["ERROR_102"] * 5, "ERROR_101"),
    **dict.fromkeys(
        ("updateOrderMemo", "updateOrderRemarks", "updateOrderOrderer", "updateOrderDelivery"),
        (*["INFO_101"] * 8, "ERROR_999"),
    ),
    "cancelOrder": (*["INFO_101"] * 3, *["ERROR_999"] * 6),
    "cancelOrderAfterShipping": (*["ERROR_999"] * 4, *["INFO_101"] * 4, "ERROR_999"),
    "updateOrderShipping": (*["INFO_101"] * 3, "ERROR_999", *["INFO_101"] * 3, "ERROR_999", "ERROR_102"),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_simulator(tmp_path_factory.mktemp("legality")) as running:
        set_clock(running, "2026-06-01T12:00:00+09:00")
        yield open_shop(running, "999001")


def ask(shop: Shop, function: str, number: str) -> str:
    """Call a function for an order with a request that only the order's state can make wrong; gives the suffix."""
    tree = shop.control("GET", f"/orders/{number}")["tree"]
    cancel = {"orderNumber": number, "inventoryRestoreType": 0, "changeReasonDetailApply": 10}
    bodies: dict[str, dict[str, object]] = {
        "updateOrderSender": restated(tree),
        "updateOrderSenderAfterShipping": restated(tree),
        "cancelOrder": cancel,
        "updateOrderSubStatus": {
            "orderNumberList": [number],
            "subStatusId": 9031 if tree["orderProgress"] == 300 else 9001,
        },
        "updateOrderMemo": {"orderNumber": number, "memo": "要冷蔵"},
        "updateOrderRemarks": {"orderNumber": number, "giftCheck": 1},
        "updateOrderOrderer": {"orderNumber": number, "OrdererModel": tree["OrdererModel"] | {"city": "別区"}},
        "updateOrderDelivery": {"orderNumber": number, "deliveryName": "クール便"},
        "cancelOrderAfterShipping": cancel,
        "confirmOrder": {"orderNumberList": [number]},
        "updateOrderShipping": {
            "orderNumber": number,
            "BasketidModelList": [
                {"basketId": tree["PackageModelList"][0]["basketId"], "ShippingModelList": [ROW]},
            ],
        },
    }
    (entry,) = shop.post(function, json.dumps(bodies[function]).encode()).json()["MessageModelList"]
    return "_".join(entry["messageCode"].split("_")[-2:])


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("function", MATRIX)
def test_each_function_answers_in_each_state_as_the_matrix_says(shop: Shop, function: str, state: int) -> None:
    number = shop.control("POST", "/orders", {"is_plain": True})["external_id"]
    shop.control("POST", f"/orders/{number}/set", {"progress": state})
    before = shop.control("GET", f"/orders/{number}")
    wanted = MATRIX[function][STATES.index(state)]
    assert ask(shop, function, number) == wanted
    has_changed = shop.control("GET", f"/orders/{number}") != before
    assert has_changed == wanted.startswith("INFO")
