"""Odd values in what a shop writes, and orders that a test broke: each gets a refusal or an answer, none is a bug."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_full_order import FULL_ORDER
from ichiba_restated import restated
from ichiba_wire import Shop, open_shop, place_order, running_simulator, set_clock

NUMBER = FULL_ORDER["orderNumber"]
ODD_VALUES: list[Any] = [
    None,
    True,
    -1,
    1.5,
    "",
    "x",
    "１",
    "9" * 30,
    -9999,
    "2026-05-12",
    [],
    {},
    [None],
    [{}],
    {"a": 1},
]
ROWS = {
    "orderNumber": NUMBER,
    "BasketidModelList": [
        {
            "basketId": 90010001,
            "ShippingModelList": [
                {"deliveryCompany": "1001", "shippingNumber": "1", "shippingDate": "2026-05-12"},
                {"shippingDetailId": 700000001, "shippingDeleteFlag": 1},
            ],
        }
    ],
}
CANCEL = {"orderNumber": NUMBER, "inventoryRestoreType": 0, "changeReasonDetailApply": 8}
BODIES: dict[str, dict[str, Any]] = {
    "updateOrderShipping": ROWS,
    "updateOrderShippingAsync": {"OrderShippingModelList": [ROWS]},
    "getResultUpdateOrderShippingAsync": {"requestId": "x"},
    "updateOrderSubStatus": {"subStatusId": 9001, "orderNumberList": [NUMBER]},
    "updateOrderMemo": {
        "orderNumber": NUMBER,
        "memo": "x",
        "deliveryDate": "2026-05-12",
        "shippingTerm": 1,
        "deliveryClass": 1,
        "subStatusId": 9001,
    },
    "updateOrderRemarks": {"orderNumber": NUMBER, "remarks": "x", "giftCheck": 1},
    "updateOrderSender": restated(FULL_ORDER, afterSettlementMethodCode=9, reductionReason=1),
    "updateOrderSenderAfterShipping": restated(FULL_ORDER, reductionReason=1),
    "cancelOrder": CANCEL,
    "cancelOrderAfterShipping": CANCEL,
    "updateOrderOrderer": {"orderNumber": NUMBER, "OrdererModel": FULL_ORDER["OrdererModel"], "reductionReason": 1},
    "updateOrderDelivery": {"orderNumber": NUMBER, "deliveryName": "宅配便"},
    "getPayment": {"orderNumber": NUMBER, "version": 4},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_simulator(tmp_path_factory.mktemp("odd-changes")) as running:
        set_clock(running, "2026-05-12T12:00:00+09:00")
        shop = open_shop(running, "999001")
        place_order(shop, NUMBER, FULL_ORDER["orderDatetime"], progress=300, raw=FULL_ORDER)
        yield shop


def renew(shop: Shop, progress: int, **broken: Any) -> int:
    """Put the full order back in a state, with a value of a test's own; gives the status."""
    whole = {key: value for key, value in FULL_ORDER.items() if key != "orderProgress"}
    shop.control("POST", f"/orders/{NUMBER}/set", {"progress": progress, "raw": whole})
    body = json.dumps({"raw": broken}).encode()
    path = f"/_sim/shops/{shop.id}/orders/{NUMBER}/set"
    return shop.simulator.send("POST", path, body, {"Content-Type": "application/json"}).status


def pointers(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the way to every value inside."""
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*way, key)
        yield from pointers(inner, (*way, key))


def spoilt(body: dict[str, Any], way: tuple[str | int, ...], value: object) -> dict[str, Any]:
    spoiling = copy.deepcopy(body)
    holder: Any = spoiling
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = value
    return spoiling


@pytest.mark.parametrize("function", BODIES)
def test_odd_values_in_a_request_are_answered(shop: Shop, function: str) -> None:
    chance = random.Random(function)  # noqa: S311  repeatable on purpose
    renew(shop, 500 if "After" in function else 100)
    ways = list(pointers(BODIES[function]))
    for way in chance.sample(ways, min(len(ways), 40)):
        body = spoilt(BODIES[function], way, chance.choice(ODD_VALUES))
        answer = shop.post(function, json.dumps(body).encode())
        assert answer.status in {200, 400}, (way, body)


def test_an_order_that_a_test_broke_is_answered_by_every_function_and_by_the_download(shop: Shop) -> None:
    chance = random.Random(1)  # noqa: S311  repeatable on purpose
    ways = [way for way in pointers(FULL_ORDER) if way[0] not in {"orderNumber", "orderProgress"}]
    for way in chance.sample(ways, 40):
        value = chance.choice(ODD_VALUES)
        if renew(shop, 100, **{"/" + "/".join(map(str, way)): value}) != 200:
            continue
        for function, body in BODIES.items():
            if "cancel" not in function:
                assert shop.post(function, json.dumps(body).encode()).status in {200, 400}, (function, way, value)
        for layout in ("new", "old"):
            path = f"/_sim/shops/{shop.id}/orders.csv?layout={layout}"
            assert shop.simulator.send("GET", path).status == 200, (way, value)
        shop.simulator.control("PUT", "/clock", {"advance_seconds": 6})
    assert shop.simulator.control("GET", "/journal?kind=bug")["entries"] == []
