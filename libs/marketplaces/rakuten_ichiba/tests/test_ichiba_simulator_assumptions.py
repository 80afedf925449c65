"""What no source states can be switched: every field of `Assumptions` that changes an answer."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_samples import SEARCH_NO_HIT, SEARCH_REQUEST
from ichiba_wire import Shop, open_shop, running_simulator, set_clock

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
