"""The controls under `/_sim`: shops, keys, grants, orders that hide or cannot be read, reset, digest, journal."""

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

NOON = "2026-06-01T12:00:00+09:00"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("controls")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, NOON)
    return open_shop(simulator, "999001")


def _search(shop: Shop, **more: object) -> list[str]:
    period = {"startDatetime": "2026-05-01T00:00:00+0900", "endDatetime": "2026-06-30T23:59:59+0900"}
    answer = shop.post("searchOrder/", json.dumps({"dateType": 1, **period, **more}).encode())
    numbers: list[str] = answer.json()["orderNumberList"]
    return numbers


def _order(shop: Shop, number: str) -> dict[str, Any]:
    body = json.dumps({"orderNumberList": [number], "version": 10}).encode()
    order: dict[str, Any] = shop.post("getOrder/", body).json()["OrderModelList"][0]
    return order


def _place(shop: Shop, **wish: object) -> str:
    return str(shop.control("POST", "/orders", wish)["external_id"])


def _refusal(simulator: Simulator, method: str, path: str, value: object = None) -> tuple[int, str]:
    body = b"" if value is None else json.dumps(value).encode()
    answer = simulator.send(method, f"/_sim{path}", body, {"Content-Type": "application/json"})
    return answer.status, answer.json()["detail"]


def test_a_shop_is_answered_with_all_that_a_client_needs(simulator: Simulator, shop: Shop) -> None:
    made = simulator.control("POST", "/shops")
    assert made["id"] == "999002"
    assert made["service_secret"].startswith("SP999002_")
    assert made["license_key"].startswith("SL999002_")
    assert made["smtp_username"].isdecimal()
    assert made["smtp_password"]
    assert made["sender_address"] == "shop999002@example.invalid"
    assert made["masked_pattern"] == "*.fw.rakuten.ne.jp"
    assert all(made["grants"].values())
    assert made["license_expires_at"] == "2026-08-30T23:59:59+09:00"
    assert shop.id == "999001"


def test_order_numbers_count_on_from_where_a_shop_asks_and_never_back(simulator: Simulator, shop: Shop) -> None:
    numbers = [_place(shop, placed_at=NOON)]
    simulator.control("POST", "/shops", {"number": "999002", "first_sequence": 5000})
    numbers.append(_place(shop, placed_at=NOON))
    simulator.control("POST", "/shops", {"number": "999003", "first_sequence": 3})
    numbers.append(_place(shop, placed_at=NOON))
    assert numbers == [f"999001-20260601-{123_456_788 + sequence:010d}" for sequence in (1, 5000, 5001)]


def test_after_a_reset_the_same_calls_give_the_same_shop_and_orders(simulator: Simulator, shop: Shop) -> None:
    def live_once() -> object:
        simulator.control("POST", "/reset")
        set_clock(simulator, NOON)
        made = simulator.control("POST", "/shops", {"number": "999001"})
        simulator.control("POST", "/shops/999001/orders", {"count": 5, "placed_at": NOON})
        return made, simulator.control("GET", "/shops/999001/orders"), simulator.control("GET", "/digest")["digest"]

    assert live_once() == live_once()
    assert shop.id == "999001"


def test_an_order_hidden_from_one_route_is_found_by_the_other(shop: Shop) -> None:
    number = _place(shop, hidden_from=["placed"])
    assert _search(shop) == []
    assert _search(shop, orderProgressList=[100]) == [number]
    shop.control("POST", f"/orders/{number}/show")
    shop.control("POST", f"/orders/{number}/hide", {"routes": ["open"]})
    assert _search(shop) == [number]
    assert _search(shop, orderProgressList=[100]) == []
    assert _order(shop, number)["orderNumber"] == number


def test_an_order_of_700_days_ago_is_found_in_its_state(shop: Shop) -> None:
    number = _place(shop, placed_days_ago=700, progress=300)
    period = {"startDatetime": "2024-06-10T00:00:00+0900", "endDatetime": "2024-08-01T00:00:00+0900"}
    assert _search(shop, orderProgressList=[300], **period) == [number]
    assert _order(shop, number)["orderProgress"] == 300


def test_an_order_over_730_days_old_is_unknown(shop: Shop) -> None:
    number = _place(shop, placed_days_ago=731, progress=700)
    answer = shop.post("getOrder/", json.dumps({"orderNumberList": [number], "version": 10}).encode()).json()
    assert answer["OrderModelList"] == []
    assert answer["MessageModelList"][0]["messageCode"].endswith("INFO_102")


def test_a_broken_leaf_is_served_as_it_is_until_it_is_mended(shop: Shop) -> None:
    number = _place(shop, raw={"/PackageModelList/0/basketId": "not a number", "orderDatetime": "yesterday"})
    broken = _order(shop, number)
    assert broken["PackageModelList"][0]["basketId"] == "not a number"
    assert broken["orderDatetime"] == "yesterday"
    assert _search(shop) == [number]
    shop.control("POST", f"/orders/{number}/mend")
    mended = _order(shop, number)
    assert isinstance(mended["PackageModelList"][0]["basketId"], int)
    assert mended["orderDatetime"] == "2026-06-01T12:00:00+0900"


def test_members_may_be_missing_unknown_or_of_an_unknown_state(shop: Shop) -> None:
    number = _place(shop)
    shop.control(
        "POST",
        f"/orders/{number}/set",
        {"remove": ["/OrdererModel/emailAddress"], "raw": {"orderProgress": 950, "newMember": {"a": [1.5]}}},
    )
    order = _order(shop, number)
    assert "emailAddress" not in order["OrdererModel"]
    assert (order["orderProgress"], order["newMember"]) == (950, {"a": [1.5]})
    answer = shop.post("confirmOrder/", json.dumps({"orderNumberList": [number]}).encode()).json()
    assert answer["MessageModelList"][0]["messageCode"] == "ORDER_EXT_API_CONFIRM_ORDER_ERROR_103"


def test_a_tree_without_its_parts_still_answers_every_version(shop: Shop) -> None:
    number = _place(shop, raw={"PackageModelList": "gone", "ChangeReasonModelList": {"a": 1}, "OrdererModel": None})
    body = {"orderNumberList": [number], "version": 3}
    order = shop.post("getOrder/", json.dumps(body).encode()).json()["OrderModelList"][0]
    assert order["PackageModelList"] == "gone"
    assert _search(shop, ordererMailAddress="a@example.invalid") == []


def test_many_orders_are_placed_apart_and_listed_with_their_buyers(shop: Shop) -> None:
    made = shop.control("POST", "/orders", {"count": 40, "every_seconds": 60})
    assert len(set(made["external_ids"])) == 40
    assert _search(shop, PaginationRequestModel={"requestRecordsAmount": 1000, "requestPage": 1}) == list(
        reversed(made["external_ids"])
    )
    truth = shop.control("GET", "/orders")["orders"]
    assert [order["external_id"] for order in truth] == made["external_ids"]
    assert all(order["tree"]["OrdererModel"]["emailAddress"].endswith(".fw.rakuten.ne.jp") for order in truth)


def test_reading_leaves_the_digest_and_confirming_changes_it(shop: Shop) -> None:
    number = _place(shop)
    before = shop.simulator.control("GET", "/digest")["digest"]
    _search(shop)
    _order(shop, number)
    shop.post("confirmOrder/", b"{}")
    assert shop.simulator.control("GET", "/digest")["digest"] == before
    shop.post("confirmOrder/", json.dumps({"orderNumberList": [number]}).encode())
    assert shop.simulator.control("GET", "/digest")["digest"] != before


def test_the_journal_names_shop_and_function_and_hides_the_licence_key(shop: Shop) -> None:
    shop.get(f"license-management/license-key/expiry-date?licenseKey={shop.license_key}")
    shop.control("POST", "/keys/expire")
    _search_status = shop.post("searchOrder/", b"{}").status
    entries = shop.simulator.control("GET", "/journal?kind=request")["entries"]
    assert [(entry["shop"], entry["function"], entry["status"]) for entry in entries] == [
        ("999001", "expiry-date", 200),
        ("999001", "searchOrder", 401),
    ]
    assert _search_status == 401
    text = json.dumps(entries)
    assert shop.license_key not in text
    assert shop.service_secret not in text


def test_an_expired_key_works_again_when_restored_and_a_revoked_one_too(shop: Shop) -> None:
    for action in ("expire", "revoke"):
        shop.control("POST", f"/keys/{action}")
        assert shop.post("getSubStatusList/", b"").status == 401
        shop.control("POST", "/keys/restore")
        assert shop.post("getSubStatusList/", b"").status == 200


def test_a_key_dies_with_the_second_it_is_set_to(shop: Shop) -> None:
    shop.control("POST", "/keys/set", {"expires_at": "2026-06-01T13:00:00+09:00"})
    set_clock(shop.simulator, "2026-06-01T12:59:59.500+09:00")
    assert shop.post("getSubStatusList/", b"").status == 200
    set_clock(shop.simulator, "2026-06-01T13:00:01+09:00")
    assert shop.post("getSubStatusList/", b"").status == 401


def test_a_switched_off_function_is_refused_alone_and_works_again(shop: Shop) -> None:
    shop.control("PUT", "/grants/rpay.order.getSubStatusList", {"enabled": False})
    assert shop.post("getSubStatusList/", b"").status == 400
    assert shop.post("searchOrder/", b"{}").json()["MessageModelList"]
    shop.control("PUT", "/grants/rpay.order.getSubStatusList", {"enabled": True})
    assert shop.post("getSubStatusList/", b"").status == 200


def test_set_up_can_be_replaced(shop: Shop) -> None:
    shop.control("PUT", "/sub-statuses", {"status_models": []})
    assert shop.post("getSubStatusList/", b"").json()["StatusModelList"] == []
    entry = {"delvdateNumber": "7", "delvdateCaption": "<翌日> & 翌々日"}
    shop.control("PUT", "/resources/delvdateMaster", {"entries": [entry]})
    assert (
        "<delvdateCaption>&lt;翌日&gt; &amp; 翌々日</delvdateCaption>" in shop.get("shop/delvdateMaster").body.decode()
    )


@pytest.mark.parametrize("resource", ["shopMaster", "shopStatus", "shopCalendar", "delvdateMaster", "shopAreaSoryo"])
@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"a": None, "b": 1, "c": "\u0000"},
        {"aList": ["x", {"b": [1]}, None]},
        {"statusKey": "k", "delvdateNumber": 1, "patternId": "1"},
        {"shippingHoliday": {"regularSchedule": 1, "eventDates": [None, "20260601"]}},
    ],
)
def test_odd_set_ups_are_shown_as_well_formed_xml(shop: Shop, resource: str, entry: dict[str, object]) -> None:
    path = "shop/shopStatus/k" if resource == "shopStatus" else f"shop/{resource}"
    for entries in ([entry], []):
        shop.control("PUT", f"/resources/{resource}", {"entries": entries})
        for query in ("", "?delvdateNumber=1&patternId=1&period=10"):
            answer = shop.get(path + query)
            assert answer.status in {200, 404}
            assert ET.fromstring(answer.body).tag.endswith("shopBizApiResponse")  # noqa: S314  our own bytes
    assert shop.simulator.control("GET", "/journal?kind=bug")["entries"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("orders", b'{"raw":{"memo":"\\ud800"}}'),
        ("orders", b'{"raw":{"memo":NaN}}'),
        ("orders", b'{"placed_at":"9999-12-31T23:59:59Z"}'),
        ("orders", b'{"placed_at":"0001-01-01T00:00:00+14:00"}'),
        ("orders", b'{"raw":{"orderDatetime":"1000-01-01T00:00:00+0900"}}'),
        ("orders", b'{"lines":[{"units":-1}]}'),
        ("orders", b'{"lines":[{"price":1000000000}]}'),
        ("keys/set", b'{"expires_at":"9999-12-31T23:59:59Z"}'),
    ],
)
def test_controls_that_would_break_the_marketplace_are_refused(shop: Shop, path: str, body: bytes) -> None:
    sent = {"Content-Type": "application/json"}
    refused = shop.simulator.send("POST", f"/_sim/shops/{shop.id}/{path}", body, sent)
    assert refused.status == 422
    assert shop.control("GET", "/orders") == {"orders": []}
    assert shop.simulator.control("GET", "/digest")["digest"]


def test_wrong_controls_are_refused_in_words(simulator: Simulator, shop: Shop) -> None:
    assert _refusal(simulator, "POST", "/shops", {"number": "999001"}) == (409, "there is a shop 999001 already")
    assert _refusal(simulator, "POST", "/shops/1/orders") == (404, "there is no shop 1")
    assert _refusal(simulator, "POST", "/shops/999001/orders/x/pay")[0] == 404
    assert _refusal(simulator, "POST", "/shops/999001/orders", {"colour": "red"})[1].startswith("colour: ")
    assert _refusal(simulator, "POST", "/shops/999001/orders", {"raw": {"/a/b": 1}}) == (422, "/a/b leads nowhere")
    assert _refusal(simulator, "POST", "/shops/999001/keys/set")[0] == 422
    assert _refusal(simulator, "PUT", "/shops/999001/grants/rpay.order.fly", {"enabled": True})[0] == 404
    number = _place(shop)
    taken = {"raw": {"orderNumber": number}}
    assert _refusal(simulator, "POST", "/shops/999001/orders", taken) == (422, f"there is an order {number} already")
    assert len(shop.control("GET", "/orders")["orders"]) == 1


def test_the_controls_describe_themselves(simulator: Simulator) -> None:
    paths = simulator.control("GET", "/openapi.json")["paths"]
    assert paths.keys() >= {
        "/_sim/shops",
        "/_sim/shops/{number}/orders",
        *(f"/_sim/shops/{{number}}/orders/{{external_id}}/{act}" for act in ("pay", "cancel", "request-cancel")),
        "/_sim/shops/{number}/grants/{grant}",
        "/_sim/shops/{number}/keys/{action}",
        *(f"/_sim/{name}" for name in ("faults", "limits", "clock", "journal", "digest", "reset", "health")),
    }
    assert all(operation["description"] for path in paths.values() for operation in path.values())
