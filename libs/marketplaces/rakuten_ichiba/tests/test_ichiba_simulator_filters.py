"""What searchOrder finds: every filter of 4.1 that a stored order can answer, the date types, paging to its reach."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_wire import Shop, open_shop, running_simulator, set_clock

PERIOD = {"startDatetime": "2026-05-01T00:00:00+0900", "endDatetime": "2026-06-30T23:59:59+0900"}
REACH = 20
# The order that each filter must find among others, which are placed in state 300, paid by card, sent by 宅配便.
SOUGHT = {
    "orderProgress": 400,
    "subStatusId": 9031,
    "orderType": 6,
    "reserveNumber": "999001-20260601-000000001-r",
    "carrierCode": 21,
    "emailCarrierCode": 1,
    "asurakuFlag": 1,
    "drugFlag": 1,
    "oneDayOperationFlag": 1,
    "memo": "二個口で出荷",
    "/SettlementModel/settlementMethodCode": 2,
    "/DeliveryModel/deliveryName": "メール便",
    "/OrdererModel/familyName": "架空",
    "/OrdererModel/firstName": "月子",
    "/OrdererModel/familyNameKana": "カクウ",
    "/OrdererModel/firstNameKana": "ツキコ",
    "/OrdererModel/emailAddress": "00000000000000000000000000000000s1@pc.fw.rakuten.ne.jp",
    "/OrdererModel/phoneNumber1": "099",
    "/OrdererModel/phoneNumber2": "0000",
    "/OrdererModel/phoneNumber3": "0009",
    "/PackageModelList/0/SenderModel/familyName": "受取",
    "/PackageModelList/0/SenderModel/firstName": "太郎",
    "/PackageModelList/0/SenderModel/phoneNumber1": "098",
    "/PackageModelList/0/SenderModel/phoneNumber2": "0000",
    "/PackageModelList/0/SenderModel/phoneNumber3": "0008",
    "/PackageModelList/0/ItemModelList/0/itemName": "探し物の椅子",
    "/PackageModelList/0/ItemModelList/0/itemNumber": "chair-9",
    "/PackageModelList/0/ItemModelList/0/SkuModelList": [
        {"variantId": "v-9", "merchantDefinedSkuId": "CHAIR-9", "skuInfo": "色:群青"}
    ],
    "CouponModelList": [{"couponCode": "AAAA-BBBB-CCCC-0001"}],
}
FILTERS: list[dict[str, object]] = [
    {"orderProgressList": [400, "500"]},
    {"subStatusIdList": [9031]},
    {"orderTypeList": [6]},
    {"settlementMethod": "2"},
    {"deliveryName": "メール便"},
    {"searchKeywordType": 1, "searchKeyword": " 物の椅 "},
    {"searchKeywordType": 2, "searchKeyword": "chair-9"},
    {"searchKeywordType": 3, "searchKeyword": "二個口"},
    {"searchKeywordType": 4, "searchKeyword": "架空月子"},
    {"searchKeywordType": 4, "searchKeyword": "架空 月子"},
    {"searchKeywordType": 5, "searchKeyword": "カクウツキコ"},
    {"searchKeywordType": 6, "searchKeyword": "受取太郎"},
    {"searchKeywordType": 7, "searchKeyword": "v-9"},
    {"searchKeywordType": 8, "searchKeyword": "CHAIR-9"},
    {"searchKeywordType": 9, "searchKeyword": "群青"},
    {"mailSendType": 2},
    {"ordererMailAddress": "00000000000000000000000000000000s1@pc.fw.rakuten.ne.jp"},
    {"phoneNumberType": 1, "phoneNumber": "09900000009"},
    {"phoneNumberType": 2, "phoneNumber": "09800000008"},
    {"reserveNumber": "999001-20260601-000000001-r"},
    {"purchaseSiteType": 4},
    {"asurakuFlag": 1},
    {"couponUseFlag": 1},
    {"drugFlag": 1},
    {"oneDayOperationFlag": 1},
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_simulator(tmp_path_factory.mktemp("filters"), {"reach": REACH}) as running:
        set_clock(running, "2026-06-20T12:00:00+09:00")
        shop = open_shop(running, "999001")
        plain = {"is_plain": True, "progress": 300, "raw": {"carrierCode": 0, "emailCarrierCode": 0}}
        shop.control("POST", "/orders", {"count": 3, "placed_at": "2026-06-01T00:00:00+09:00", **plain})
        sought = {"is_plain": True, "progress": 300, "raw": SOUGHT, "placed_at": "2026-06-02T00:00:00+09:00"}
        shop.control("POST", "/orders", sought)
        yield shop


@pytest.fixture(scope="module")
def sought(shop: Shop) -> str:
    return str(shop.control("GET", "/orders")["orders"][-1]["external_id"])


def _search(shop: Shop, **asked: object) -> Any:
    return shop.post("searchOrder/", json.dumps({"dateType": 1, **PERIOD, **asked}).encode()).json()


@pytest.mark.parametrize("asked", FILTERS, ids=" ".join)
def test_a_filter_finds_the_one_order_that_fits(shop: Shop, sought: str, asked: dict[str, object]) -> None:
    assert _search(shop, **asked)["orderNumberList"] == [sought]


@pytest.mark.parametrize(
    "asked",
    [
        {"orderProgressList": []},
        {"searchKeywordType": 0, "searchKeyword": "nothing"},
        {"deliveryName": ""},
        {"purchaseSiteType": 0},
        {"couponUseFlag": 0},
        {"overseasFlag": 1},
        {"shopUrl": "ignored"},
        {"phoneNumber": "1"},
    ],
    ids=" ".join,
)
def test_an_empty_filter_finds_all(shop: Shop, asked: dict[str, object]) -> None:
    assert len(_search(shop, **asked)["orderNumberList"]) == 4


def test_orders_without_a_sub_status_need_states_beside(shop: Shop, sought: str) -> None:
    refused = _search(shop, subStatusIdList=[-1])
    assert [entry["message"] for entry in refused["MessageModelList"]] == ["orderProgressListの項目を指定して下さい。"]
    found = _search(shop, subStatusIdList=[-1], orderProgressList=[300, 400])["orderNumberList"]
    assert len(found) == 3
    assert sought not in found


@pytest.mark.parametrize("keyword", ["①", "㈱", "髙", "Ⅲ"])
def test_platform_characters_are_refused_in_a_keyword(shop: Shop, keyword: str) -> None:
    refused = _search(shop, searchKeywordType=1, searchKeyword=f"見本{keyword}")
    assert refused["MessageModelList"][0]["message"] == "searchKeywordの書式が不正です。"


@pytest.mark.parametrize("keyword", ["〜", "～", "表ソ能", "ｻﾝﾌﾟﾙ", "é"])
def test_other_characters_are_none_of_them(shop: Shop, keyword: str) -> None:
    assert _search(shop, searchKeywordType=1, searchKeyword=keyword)["orderNumberList"] == []


def test_a_keyword_has_a_length_for_each_type(shop: Shop) -> None:
    assert _search(shop, searchKeywordType=7, searchKeyword="v" * 40)["orderNumberList"] == []
    refused = _search(shop, searchKeywordType=7, searchKeyword="v" * 41)
    assert refused["MessageModelList"][0]["messageCode"] == "ORDER_EXT_API_SEARCH_ORDER_ERROR_999"


def test_what_is_asked_for_exactly_is_not_trimmed(shop: Shop, sought: str) -> None:
    for key in ("deliveryName", "ordererMailAddress", "reserveNumber"):
        exact = next(asked for asked in FILTERS if key in asked)
        assert _search(shop, **exact)["orderNumberList"] == [sought]
        assert _search(shop, **{key: f" {exact[key]}"})["orderNumberList"] == [], key


@pytest.mark.parametrize("phone", ["099-0000-0009", "０９９００００００９", " 09900000009"])
def test_a_phone_number_is_digits_only(shop: Shop, phone: str) -> None:
    refused = _search(shop, phoneNumberType=1, phoneNumber=phone)
    assert [entry["message"] for entry in refused["MessageModelList"]] == ["phoneNumberの書式が不正です。"]


def test_points_are_a_method_of_answers_and_no_filter(shop: Shop) -> None:
    refused = _search(shop, settlementMethod=8)
    assert [entry["message"] for entry in refused["MessageModelList"]] == ["settlementMethodの書式が不正です。"]
    assert _search(shop, settlementMethod=3)["orderNumberList"] == []


@pytest.mark.parametrize(
    ("key", "most", "value"),
    [
        ("deliveryName", 192, "便"),
        ("ordererMailAddress", 256, "x"),
        ("phoneNumber", 36, "0"),
        ("reserveNumber", 382, "x"),
        ("searchKeyword", 4000, "x"),
    ],
)
def test_a_text_has_a_size_in_bytes(shop: Shop, key: str, most: int, value: str) -> None:
    longest = value * (most // len(value.encode()))
    assert _search(shop, **{key: longest})["orderNumberList"] is not None
    refused = _search(shop, **{key: longest + value})
    assert [entry["messageCode"] for entry in refused["MessageModelList"]] == ["ORDER_EXT_API_SEARCH_ORDER_ERROR_999"]


@pytest.mark.parametrize(
    ("key", "most", "value"), [("orderProgressList", 42, 100), ("subStatusIdList", 128, 9031), ("orderTypeList", 32, 1)]
)
def test_a_list_has_a_size_in_bytes(shop: Shop, key: str, most: int, value: int) -> None:
    assert _search(shop, **{key: [value] * most})["orderNumberList"] is not None
    refused = _search(shop, **{key: [value] * (most + 1)})
    assert [entry["messageCode"] for entry in refused["MessageModelList"]] == ["ORDER_EXT_API_SEARCH_ORDER_ERROR_999"]


def test_every_date_type_looks_at_its_own_date(shop: Shop) -> None:
    other = open_shop(shop.simulator, "999002")
    number = other.control("POST", "/orders", {"is_plain": True, "placed_at": "2026-04-20T10:00:00+09:00"})[
        "external_id"
    ]
    moments = {
        "shopOrderCfmDatetime": "2026-05-01T10:00:00+0900",
        "orderFixDatetime": "2026-05-02T10:00:00+0900",
        "shippingCmplRptDatetime": "2026-05-04T00:05:00+0900",
    }
    rows = [{"shippingDetailId": 1, "shippingDate": "2026-05-03"}]
    other.control("POST", f"/orders/{number}/set", {"progress": 700, "raw": moments, "shipping_rows": rows})
    days = {1: "2026-04-20", 2: "2026-05-01", 3: "2026-05-02", 4: "2026-05-03", 5: "2026-05-04", 6: "2026-06-20"}
    for date_type, day in days.items():
        asked = {"startDatetime": f"{day}T00:00:00+0900", "endDatetime": f"{day}T23:59:59+0900"}
        for wanted in days:
            found = _search(other, dateType=wanted, **asked)["orderNumberList"]
            assert found == ([number] if wanted == date_type else []), (date_type, wanted)


def test_blank_flags_find_orders_without_date_or_number(shop: Shop) -> None:
    other = open_shop(shop.simulator, "999003")
    placed = {"count": 3, "is_plain": True, "progress": 300, "placed_at": "2026-06-01T00:00:00+09:00"}
    bare, numbered, dated = other.control("POST", "/orders", placed)["external_ids"]
    row = {"shippingDetailId": 1, "shippingNumber": "000000000011", "shippingDate": None}
    other.control("POST", f"/orders/{numbered}/set", {"shipping_rows": [row]})
    other.control("POST", f"/orders/{dated}/set", {"shipping_rows": [row | {"shippingDate": "2026-06-19"}]})
    assert sorted(_search(other, shippingDateBlankFlag=1)["orderNumberList"]) == [bare, numbered]
    assert _search(other, shippingNumberBlankFlag="1")["orderNumberList"] == [bare]


def test_paging_ends_at_the_reach_and_tells_the_true_total(shop: Shop) -> None:
    other = open_shop(shop.simulator, "999004")
    placed = {"count": REACH + 5, "is_plain": True, "placed_at": "2026-06-01T00:00:00+09:00", "every_seconds": 1}
    numbers = other.control("POST", "/orders", placed)["external_ids"]
    sort = [{"sortColumn": 1, "sortDirection": 1}]
    pages = [
        _search(other, PaginationRequestModel={"requestRecordsAmount": 8, "requestPage": page, "SortModelList": sort})
        for page in (1, 2, 3, 4)
    ]
    assert [number for page in pages for number in page["orderNumberList"]] == numbers[:REACH]
    assert [len(page["orderNumberList"]) for page in pages] == [8, 8, 4, 0]
    assert pages[3]["PaginationResponseModel"] == {
        "totalRecordsAmount": REACH + 5,
        "totalPages": 4,
        "requestPage": 4,
    }


@pytest.mark.parametrize(
    ("pagination", "code"),
    [
        ({"requestPage": 1}, "ERROR_009"),
        ({"requestRecordsAmount": 30}, "ERROR_009"),
        ({"requestRecordsAmount": 1001, "requestPage": 1}, "ERROR_999"),
        ({"requestRecordsAmount": 0, "requestPage": 1}, "ERROR_999"),
        ({"requestRecordsAmount": 30, "requestPage": 0}, "ERROR_999"),
        ({"requestRecordsAmount": "many", "requestPage": 1}, "ERROR_011"),
        ([], "ERROR_011"),
        ({"requestRecordsAmount": 30, "requestPage": 1, "SortModelList": {"sortColumn": 1}}, "ERROR_011"),
        ({"requestRecordsAmount": 30, "requestPage": 1, "SortModelList": [{"sortColumn": 2}]}, "ERROR_011"),
    ],
)
def test_a_pagination_against_the_rules_is_refused(shop: Shop, pagination: object, code: str) -> None:
    refused = _search(shop, PaginationRequestModel=pagination)
    assert refused["MessageModelList"][0]["messageCode"] == f"ORDER_EXT_API_SEARCH_ORDER_{code}"
    assert (refused["orderNumberList"], refused["PaginationResponseModel"]) == (None, None)
