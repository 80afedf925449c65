"""searchOrder's bytes equal the samples of 15.1: status, spelling, key order, nulls, number forms."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ichiba_samples import (
    FIRST_ORDER_NUMBER,
    SEARCH_BAD_INPUT,
    SEARCH_HITS,
    SEARCH_NO_HIT,
    SEARCH_REQUEST,
    SECOND_ORDER_NUMBER,
)
from ichiba_wire import Shop, Simulator, open_shop, place_order, running_simulator, set_clock

PERIOD = '"startDatetime":"2026-05-01T00:00:00+0900","endDatetime":"2026-05-31T23:59:59+0900"'
ERROR = "ORDER_EXT_API_SEARCH_ORDER_ERROR_"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    directory: Path = tmp_path_factory.mktemp("simulator")
    with running_simulator(directory) as running:
        yield running


@pytest.fixture(scope="module")
def shop(simulator: Simulator) -> Shop:
    """Offer shop 999001 on 2026-06-01 with the two orders of 15.1, in the states 100 and 300."""
    set_clock(simulator, "2026-06-01T12:00:00+09:00")
    shop = open_shop(simulator, "999001")
    place_order(shop, FIRST_ORDER_NUMBER, "2026-05-11T10:15:30+0900", progress=100)
    place_order(shop, SECOND_ORDER_NUMBER, "2026-05-12T10:15:30+0900", progress=300)
    return shop


def codes(body: bytes) -> list[str]:
    return [message["messageCode"] for message in json.loads(body)["MessageModelList"]]


def test_the_sample_request_finds_the_sample_orders_byte_for_byte(shop: Shop) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST)
    assert (answer.status, answer.body) == (200, SEARCH_HITS)


def test_no_hit_is_a_success_with_null_pagination(shop: Shop) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST.replace(b"2026-05", b"2026-04").replace(b"04-31", b"04-30"))
    assert (answer.status, answer.body) == (200, SEARCH_NO_HIT)


def test_bad_input_of_the_sample_is_refused_byte_for_byte(shop: Shop) -> None:
    body = b'{"startDatetime":"10-14T00:00:00+0900","endDatetime":"2026-05-31T23:59:59+0900"}'
    answer = shop.post("searchOrder/", body)
    assert (answer.status, answer.body) == (400, SEARCH_BAD_INPUT)


def test_all_missing_keys_are_named_in_one_answer(shop: Shop) -> None:
    answer = shop.post("searchOrder/", b"{}")
    assert answer.status == 400
    assert [message["message"] for message in answer.json()["MessageModelList"]] == [
        "dateTypeの項目を指定して下さい。",
        "startDatetimeの項目を指定して下さい。",
        "endDatetimeの項目を指定して下さい。",
    ]
    assert codes(answer.body) == [f"{ERROR}009"] * 3


@pytest.mark.parametrize("path", ["searchOrder/", "searchOrder"])
@pytest.mark.parametrize("form", ["1", '"1"'])
def test_both_slashes_and_numeric_strings_are_taken(shop: Shop, path: str, form: str) -> None:
    body = (
        f'{{"dateType":{form},{PERIOD},"orderProgressList":[{form}00,"300"],'
        f'"PaginationRequestModel":{{"requestRecordsAmount":"1000","requestPage":{form},'
        f'"SortModelList":[{{"sortColumn":{form},"sortDirection":{form}}}]}}}}'
    )
    answer = shop.post(path, body.replace('"1"00', '"100"').encode())
    assert (answer.status, answer.body) == (200, SEARCH_HITS)


def test_unknown_keys_are_ignored(shop: Shop) -> None:
    answer = shop.post("searchOrder/", SEARCH_REQUEST.replace(b"{", b'{"shopUrl":"example-shop","x":{"y":[null]},', 1))
    assert (answer.status, answer.body) == (200, SEARCH_HITS)


def test_escaped_japanese_means_the_same_as_unescaped(shop: Shop) -> None:
    plain = f'{{"dateType":1,{PERIOD},"deliveryName":"宅配便"}}'
    escaped = json.dumps(json.loads(plain))
    assert "\\u" in escaped
    first, second = shop.post("searchOrder/", plain.encode()), shop.post("searchOrder/", escaped.encode())
    assert (first.status, first.body) == (second.status, second.body)
    assert first.status == 200


def test_without_pagination_thirty_a_page_newest_first(shop: Shop) -> None:
    answer = shop.post("searchOrder/", f'{{"dateType":1,{PERIOD}}}'.encode())
    assert answer.json()["orderNumberList"] == [SECOND_ORDER_NUMBER, FIRST_ORDER_NUMBER]
    assert answer.json()["PaginationResponseModel"] == {"totalRecordsAmount": 2, "totalPages": 1, "requestPage": 1}


def test_a_page_beyond_the_last_keeps_the_total_or_finds_nothing(shop: Shop) -> None:
    pagination = '"PaginationRequestModel":{"requestRecordsAmount":1,"requestPage":%d}'
    second = shop.post("searchOrder/", f'{{"dateType":1,{PERIOD},{pagination % 2}}}'.encode())
    assert second.json()["orderNumberList"] == [FIRST_ORDER_NUMBER]
    assert second.json()["PaginationResponseModel"] == {"totalRecordsAmount": 2, "totalPages": 2, "requestPage": 2}
    third = shop.post("searchOrder/", f'{{"dateType":1,{PERIOD},{pagination % 3}}}'.encode())
    assert (third.status, third.json()["orderNumberList"]) == (200, [])


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-05-31T00:00:00+0900", "2026-05-30T00:00:00+0900"),
        ("2026-03-01T00:00:00+0900", "2026-05-03T00:00:01+0900"),
        ("2024-05-01T00:00:00+0900", "2024-05-02T00:00:00+0900"),
    ],
)
def test_periods_against_the_rules_are_refused_with_the_code_of_unknown_codes(shop: Shop, start: str, end: str) -> None:
    body = f'{{"dateType":1,"startDatetime":"{start}","endDatetime":"{end}"}}'
    answer = shop.post("searchOrder/", body.encode())
    assert answer.status == 400
    assert codes(answer.body) == [f"{ERROR}999"]
    assert list(answer.json()) == ["orderNumberList", "MessageModelList", "PaginationResponseModel"]
    assert answer.json()["orderNumberList"] is None


def test_exactly_63_days_and_730_days_ago_are_within_the_rules(shop: Shop) -> None:
    sixty_three = '{"dateType":1,"startDatetime":"2026-03-29T00:00:00+0900","endDatetime":"2026-05-31T00:00:00+0900"}'
    assert shop.post("searchOrder/", sixty_three.encode()).status == 200
    oldest = '{"dateType":1,"startDatetime":"2024-06-01T13:00:00+0900","endDatetime":"2024-06-02T00:00:00+0900"}'
    assert shop.post("searchOrder/", oldest.encode()).status == 200


@pytest.mark.parametrize("states", ["[]", "null"])
def test_orders_without_sub_status_need_at_least_one_state(shop: Shop, states: str) -> None:
    body = f'{{"dateType":1,{PERIOD},"subStatusIdList":[-1],"orderProgressList":{states}}}'
    answer = shop.post("searchOrder/", body.encode())
    assert [message["message"] for message in answer.json()["MessageModelList"]] == [
        "orderProgressListの項目を指定して下さい。"
    ]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("dateType", '"x"'),
        ("startDatetime", '"2026-05-01"'),
        ("startDatetime", '"2026-13-01T00:00:00+0900"'),
        ("endDatetime", '"2026-05-31 23:59:59"'),
        ("endDatetime", '"2026-05-31T23:59:59Z"'),
        ("orderProgressList", '["x"]'),
    ],
)
def test_a_bad_format_is_named_by_its_key(shop: Shop, member: str, value: str) -> None:
    request = json.loads(SEARCH_REQUEST) | {member: json.loads(value)}
    answer = shop.post("searchOrder/", json.dumps(request).encode())
    assert answer.status == 400
    assert codes(answer.body) == [f"{ERROR}011"]
    assert answer.json()["MessageModelList"][0]["message"] == f"{member}の書式が不正です。"


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
def test_a_body_without_keys_never_finds_anything(shop: Shop, body: bytes) -> None:
    answer = shop.post("searchOrder/", body)
    assert answer.status == 400


def test_the_filter_samples_of_the_field_table_are_understood(simulator: Simulator) -> None:
    shop = open_shop(simulator, "999002")
    number = "999002-20260511-0000000001"
    raw = {
        "reserveNumber": "290333-20170915-215337-r",
        "memo": "要冷蔵",
        "OrdererModel": {"phoneNumber1": "03", "phoneNumber2": "4444", "phoneNumber3": "5555", "familyName": "見本"},
        "DeliveryModel": {"deliveryName": "メール便", "deliveryClass": 1},
    }
    place_order(shop, number, "2026-05-11T10:15:30+0900", progress=300, raw=raw)
    mail_address = shop.control("GET", f"/orders/{number}")["tree"]["OrdererModel"]["emailAddress"]
    for hit, miss in (
        ('"phoneNumberType":1,"phoneNumber":"0344445555"', '"phoneNumberType":1,"phoneNumber":"034444555"'),
        ('"reserveNumber":"290333-20170915-215337-r"', '"reserveNumber":"290333-20170915-215337"'),
        ('"searchKeywordType":3,"searchKeyword":" 冷蔵 "', '"searchKeywordType":3,"searchKeyword":"冷凍"'),
        ('"searchKeywordType":"4","searchKeyword":"見本"', '"searchKeywordType":"4","searchKeyword":"試験"'),
        ('"deliveryName":"メール便"', '"deliveryName":"宅配便"'),
        (f'"ordererMailAddress":"{mail_address}"', '"ordererMailAddress":"x@pc.fw.rakuten.ne.jp"'),
        ('"settlementMethod":1', '"settlementMethod":2'),
        ('"orderTypeList":[1,4]', '"orderTypeList":[5,6]'),
        ('"subStatusIdList":[-1],"orderProgressList":[300]', '"subStatusIdList":[-1],"orderProgressList":[100]'),
        ('"shippingDateBlankFlag":1', '"couponUseFlag":1'),
        ('"shippingNumberBlankFlag":"1"', '"asurakuFlag":1'),
        ('"dateType":3', '"dateType":5'),
    ):
        found = shop.post("searchOrder/", f'{{"dateType":1,{PERIOD},{hit}}}'.encode())
        assert found.json()["orderNumberList"] == [number], hit
        nothing = shop.post("searchOrder/", f'{{"dateType":1,{PERIOD},{miss}}}'.encode())
        assert (nothing.status, nothing.body) == (200, SEARCH_NO_HIT), miss


def test_orders_without_sub_status_are_asked_for_with_their_states(shop: Shop) -> None:
    answer = shop.post("searchOrder/", f'{{"dateType":1,{PERIOD},"subStatusIdList":[-1]}}'.encode())
    assert answer.status == 400
    assert answer.json()["MessageModelList"][0]["message"] == "orderProgressListの項目を指定して下さい。"


def test_platform_dependent_characters_are_refused_in_a_keyword(shop: Shop) -> None:
    body = f'{{"dateType":1,{PERIOD},"searchKeywordType":1,"searchKeyword":"①㈱髙"}}'
    answer = shop.post("searchOrder/", body.encode())
    assert answer.status == 400
    assert answer.json()["MessageModelList"][0]["messageType"] == "ERROR"


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.sampled_from(["1", "-9999"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)
FIELDS = ("dateType", "startDatetime", "endDatetime", "orderProgressList", "subStatusIdList", "searchKeywordType")
MORE_FIELDS = (
    "searchKeyword",
    "phoneNumber",
    "settlementMethod",
    "PaginationRequestModel",
    "orderNumberList",
    "version",
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(FIELDS + MORE_FIELDS), json_values, max_size=4))
def test_no_json_breaks_a_function(shop: Shop, changes: dict[str, object]) -> None:
    search = json.dumps(json.loads(SEARCH_REQUEST) | changes).encode()
    assert shop.post("searchOrder/", search).status in (200, 400)
    read = json.dumps({"orderNumberList": [FIRST_ORDER_NUMBER], "version": 10} | changes).encode()
    assert shop.post("getOrder/", read).status in (200, 400)


def test_bounds_of_the_period_are_inclusive(shop: Shop) -> None:
    body = '{"dateType":1,"startDatetime":"2026-05-11T10:15:30+0900","endDatetime":"2026-05-12T10:15:30+0900"}'
    assert len(shop.post("searchOrder/", body.encode()).json()["orderNumberList"]) == 2
    moment = body.replace("05-12T10:15:30", "05-11T10:15:30")
    assert shop.post("searchOrder/", moment.encode()).json()["orderNumberList"] == [FIRST_ORDER_NUMBER]
    narrower = body.replace("05-11T10:15:30", "05-11T10:15:31").replace("05-12T10:15:30", "05-12T10:15:29")
    assert shop.post("searchOrder/", narrower.encode()).body == SEARCH_NO_HIT
