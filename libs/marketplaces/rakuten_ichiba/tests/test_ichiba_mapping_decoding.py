"""Answers are decoded so that numbers keep their characters and each order its own bytes."""

import json

import pytest
from ichiba_full_order import FULL_ANSWER

from hanro_rakuten_ichiba.decoding import decode


def test_numbers_stay_the_characters_that_were_sent() -> None:
    document = decode(b'{"a":1980.0000,"b":-9999,"c":1e3,"d":NaN,"e":12345678901234567890.10}')
    assert document.members == {"a": "1980.0000", "b": "-9999", "c": "1e3", "d": "NaN", "e": "12345678901234567890.10"}


def test_each_order_keeps_its_own_bytes() -> None:
    first, second = '{ "orderNumber" : "1",\n "a":[{}] }', '{"orderNumber":"2\\u0031","名":"髙①㈱〜ｶﾅ"}'
    document = decode(f' {{"x":null , "OrderModelList" : [ {first} ,{second} ] ,"y":[]}}\n'.encode())
    assert [order.raw for order in document.orders] == [first.encode(), second.encode()]
    assert document.members == {"x": None, "y": []}


def test_the_full_sample_is_decoded_as_any_reader_would() -> None:
    document = decode(FULL_ANSWER.encode())
    (order,) = document.orders
    assert json.loads(order.raw) == json.loads(FULL_ANSWER)["OrderModelList"][0]


def test_orders_that_are_null_or_absent_are_none() -> None:
    assert decode(b"{}").orders == decode(b'{"OrderModelList":[]}').orders == ()
    assert decode(b'{"OrderModelList":null}').members == {"OrderModelList": None}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"<html></html>",
        b'{"a":1',
        b'{"a":1}}',
        b'{"a":1,}',
        b'{1:"a"}',
        b'{"a" 1}',
        b'{"OrderModelList":[{}',
        b'{"OrderModelList":[{},]}',
        b'{"OrderModelList":[{} {}]}',
        b'{"OrderModelList":[{"a":}]}',
        '{"a":"見本"}'.encode("cp932"),
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":' + b"[" * 100_000,
        b'{"OrderModelList":[' + b"[" * 100_000,
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  many causes, one kind
        decode(body)
