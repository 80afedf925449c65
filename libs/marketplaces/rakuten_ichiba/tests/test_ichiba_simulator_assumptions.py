"""What no source states can be switched: every field of `Assumptions` that changes an answer."""

import base64
import gzip
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_full_order import FULL_ORDER
from ichiba_restated import restated
from ichiba_samples import SEARCH_NO_HIT, SEARCH_REQUEST
from ichiba_wire import Shop, open_shop, place_order, running_simulator, set_clock

# The opposite of each default.
SWITCHED = {
    "charsets": ["utf-8", "UTF8"],
    "content_type_first": True,
    "authorization": "lenient",
    "normalises_paths": False,
    "compresses": True,
    "unreadable_code": "GK0006",
    "server": "nginx",
    "session_cookie": "",
    "repeated_keys": "refuse",
    "blank_is_missing": True,
    "counts_bytes": False,
    "accept_colon_offset": True,
    "accept_other_offsets": False,
    "keyword_match": "whole",
    "repeated_numbers": "each",
    "orders_per_call": 3,
    "refusal_status": 400,
    "rows_per_basket": 1,
    "shipping_states": [300],
    "async_delay_seconds": 100,
    "async_kept_days": 1,
    "unnoted_states": [500, 900],
    "items_have_texts": True,
    "coupons_shrink": False,
    "cancelling_seconds": 100,
    "resettling_seconds": 100,
    "failed_authorisation_leads_to": 800,
    "event_timeout_seconds": 0.2,
    "event_retry_seconds": [],
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_simulator(tmp_path_factory.mktemp("switched"), SWITCHED) as running:
        set_clock(running, "2026-06-20T12:00:00+09:00")
        yield open_shop(running, "999001")


def search(shop: Shop, **asked: object) -> Any:
    period = {"startDatetime": "2026-05-01T00:00:00+0900", "endDatetime": "2026-06-30T23:59:59+0900"}
    return shop.post("searchOrder/", json.dumps({"dateType": 1, **period, **asked}).encode()).json()


def texts(answer: Any) -> list[str]:
    return [message["message"] for message in answer["MessageModelList"]]


def test_other_names_of_a_charset_are_taken(shop: Shop) -> None:
    assert shop.post("searchOrder/", SEARCH_REQUEST, Content_Type="application/json; charset=utf8").status == 200


def test_a_content_type_is_refused_before_the_key_is_looked_at(shop: Shop) -> None:
    assert shop.post("searchOrder/", b"x", Authorization="ESA x", Content_Type="text/plain").status == 415


def test_credentials_are_read_with_patience(shop: Shop) -> None:
    scheme, _, encoded = shop.authorization.partition(" ")
    for taken in (f"esa\t {encoded}", f"{scheme} {encoded.rstrip('=')}", f"Esa  {encoded}"):
        assert shop.post("searchOrder/", SEARCH_REQUEST, Authorization=taken).status == 200
    for spoilt in ("", "ESA", "ESA  ", "ESA x", "Bearer " + encoded, "ESA " + base64.b64encode(b"no colon").decode()):
        assert shop.post("searchOrder/", SEARCH_REQUEST, Authorization=spoilt).status == 400, spoilt


def test_paths_are_taken_to_the_letter(shop: Shop) -> None:
    assert shop.post("search%4Frder/", SEARCH_REQUEST).status == 404
    assert shop.post("/searchOrder/", SEARCH_REQUEST).status == 404
    assert shop.post("searchOrder/", SEARCH_REQUEST).status == 200


def test_an_answer_is_compressed_for_who_takes_it(shop: Shop) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST, Accept_Encoding="gzip")
    assert answer.header("Content-Encoding") == "gzip"
    assert gzip.decompress(answer.body) == SEARCH_NO_HIT
    assert shop.post("searchOrder/", SEARCH_REQUEST).body == SEARCH_NO_HIT


def test_server_and_cookie_are_as_assumed(shop: Shop) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST)
    assert (answer.header("Server"), answer.header("Set-Cookie")) == ("nginx", None)


def test_an_unreadable_body_and_a_key_that_stands_twice_get_the_assumed_code(shop: Shop) -> None:
    for body in (b"{", b'{"dateType":1,"dateType":1}'):
        answer = shop.post("searchOrder/", body)
        assert (answer.status, answer.json()["errors"][0]["code"]) == (400, "GK0006")


def test_an_empty_text_is_missing(shop: Shop) -> None:
    assert texts(search(shop, startDatetime="")) == ["startDatetimeの項目を指定して下さい。"]


def test_bytes_are_not_counted(shop: Shop) -> None:
    assert search(shop, deliveryName="x" * 5000)["orderNumberList"] == []
    assert shop.post("getOrder/", json.dumps({"orderNumberList": ["x" * 5000], "version": 10}).encode()).status == 200


def test_offsets_are_those_of_japan_with_or_without_colon(shop: Shop) -> None:
    assert search(shop, startDatetime="2026-05-01T00:00:00+09:00")["orderNumberList"] is not None
    assert texts(search(shop, startDatetime="2026-05-01T00:00:00+0000")) == ["startDatetimeの書式が不正です。"]


def test_a_keyword_is_the_whole_text_and_a_repeated_number_is_answered_each_time(shop: Shop) -> None:
    number = shop.control("POST", "/orders", {"is_plain": True, "raw": {"memo": "要冷蔵"}})["external_id"]
    assert search(shop, searchKeywordType=3, searchKeyword="冷蔵")["orderNumberList"] == []
    assert search(shop, searchKeywordType=3, searchKeyword="要冷蔵")["orderNumberList"] == [number]
    confirmed = shop.post("confirmOrder/", json.dumps({"orderNumberList": [number] * 2}).encode()).json()
    assert [message["messageCode"][-9:] for message in confirmed["MessageModelList"]] == ["_INFO_101", "ERROR_103"]
    more = json.dumps({"orderNumberList": [number] * 4}).encode()
    assert shop.post("confirmOrder/", more).status == 400


def ask(shop: Shop, function: str, **body: object) -> tuple[int, list[str]]:
    answer = shop.post(function, json.dumps(body).encode())
    entries = answer.json()["MessageModelList"]
    return answer.status, ["_".join(entry["messageCode"].split("_")[-2:]) for entry in entries]


def advance(shop: Shop, seconds: float) -> None:
    shop.simulator.control("PUT", "/clock", {"advance_seconds": seconds})


def show(shop: Shop, number: str) -> Any:
    return shop.control("GET", f"/orders/{number}")["tree"]


def place(shop: Shop, progress: int, **raw: object) -> str:
    return str(shop.control("POST", "/orders", {"is_plain": True, "progress": progress, "raw": raw})["external_id"])


def parcels(number: str, basket_id: int, count: int) -> dict[str, object]:
    rows = [{"shippingNumber": str(place)} for place in range(count)]
    return {"orderNumber": number, "BasketidModelList": [{"basketId": basket_id, "ShippingModelList": rows}]}


def test_a_refusal_of_one_order_has_the_assumed_status(shop: Shop) -> None:
    body = {"inventoryRestoreType": 0, "changeReasonDetailApply": 8}
    assert ask(shop, "cancelOrder", orderNumber=place(shop, 500), **body) == (400, ["ERROR_999"])


def test_rows_states_delay_and_keeping_of_shipping_are_as_assumed(shop: Shop) -> None:
    number, early = place(shop, 300), place(shop, 200)
    basket, other = (show(shop, one)["PackageModelList"][0]["basketId"] for one in (number, early))
    assert ask(shop, "updateOrderShipping", **parcels(number, basket, 2)) == (400, ["ERROR_999"])
    assert ask(shop, "updateOrderShipping", **parcels(early, other, 1)) == (400, ["ERROR_999"])
    body = json.dumps({"OrderShippingModelList": [parcels(number, basket, 1)]}).encode()
    request_id = shop.post("updateOrderShippingAsync", body).json()["MessageModelList"][0]["requestId"]
    asked = json.dumps({"requestId": request_id}).encode()
    told = []
    for seconds in (90, 11, 86_400):
        advance(shop, seconds)
        (result,) = shop.post("getResultUpdateOrderShippingAsync", asked).json()["ResultShippingModelList"]
        told.append("orderNumber" in result)
    assert told == [False, True, False]


def test_notes_and_texts_are_as_assumed(shop: Shop) -> None:
    number = place(shop, 500, memo="割れ物")
    assert ask(shop, "updateOrderMemo", orderNumber=number, memo="常温") == (400, ["ERROR_999"])
    headers = {"Authorization": shop.authorization, "Content-Type": "application/json; charset=utf-8"}
    asked = json.dumps({"orderNumberList": [number]}).encode()
    answer = shop.simulator.send("POST", "/es/2.0/purchaseItem/getOrderItem", asked, headers)
    assert answer.json()["OrderModelList"][0]["memo"] == "割れ物"


def test_coupons_stay_and_a_changed_amount_waits_as_long_as_is_assumed(shop: Shop) -> None:
    # A shop of its own: other tests search this one's May.
    shop = open_shop(shop.simulator, "999002")
    place_order(shop, FULL_ORDER["orderNumber"], FULL_ORDER["orderDatetime"], progress=300, raw=FULL_ORDER)
    number = FULL_ORDER["orderNumber"]
    shop.control("POST", f"/orders/{number}/set", {"progress": 300})
    body = restated(show(shop, number))
    body["PackageModelList"][0]["ItemModelList"][0]["units"] = 1
    assert ask(shop, "updateOrderSender", **body, reductionReason=6) == (200, ["INFO_101"])
    assert show(shop, number)["couponAllTotalPrice"] == 600
    states = []
    for seconds in (90, 11):
        advance(shop, seconds)
        states.append(show(shop, number)["orderProgress"])
    assert states == [400, 300]


def test_cancellations_wait_as_long_as_is_assumed(shop: Shop) -> None:
    cancelled, failed = place(shop, 300), place(shop, 100)
    body = {"inventoryRestoreType": 0, "changeReasonDetailApply": 8}
    shop.post("confirmOrder", json.dumps({"orderNumberList": [failed]}).encode())
    shop.control("POST", f"/orders/{failed}/fail-authorisation")
    assert ask(shop, "cancelOrder", orderNumber=cancelled, **body) == (200, ["INFO_101"])
    states = []
    for seconds in (90, 11):
        advance(shop, seconds)
        states.append([show(shop, one)["orderProgress"] for one in (cancelled, failed)])
    assert states == [[800, 800], [900, 900]]


def test_a_silent_receiver_of_events_is_left_in_the_assumed_time_and_not_tried_again(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        shop.control("PUT", "/event-notification", {"url": url, "auth_key": "synthetic"})
        place(shop, 100)
        ends_at = time.monotonic() + 20
        while not (entries := shop.simulator.control("GET", "/journal?kind=event")["entries"]):
            assert time.monotonic() < ends_at
            time.sleep(0.02)
        advance(shop, 86_400)
        assert shop.control("GET", "/event-notification/notices")["notices"][0]["attempts"] == 1
    assert (entries[0]["error"], entries[0]["result"]) == ("timeout", "timeout")
    shop.control("DELETE", "/event-notification")
