"""The licence API and the Shop API: JSON and XML bytes of sections 9 and 10."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from ichiba_samples import DELIVERY_TIMES_XML, UNAUTHORISED
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

NAMESPACE = "http://rakuten.co.jp/rms/mall/shop/biz/api/model/resource"
OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<shopbiz:shopBizApiResponse xmlns:shopbiz="{NAMESPACE}">'
    "<resultCode>N000</resultCode>"
    "<resultMessageList><resultMessage><code>N000</code><message>Succeeded.</message></resultMessage>"
    "</resultMessageList>"
)
# Resource, the list behind <result>, its element, and the element's members in their order (10).
RESOURCES = {
    "deliverySetInfo": (
        "deliverySetInfoList/deliverySetInfo",
        ("deliverySetId", "deliverySetName", "deliverySetDefaultFlag"),
    ),
    "soryoKbn": ("soryoKbnList/soryoKbn", ("kbnId", "id", "name")),
    "shopAreaSoryo": (
        "shopAreaSoryoWrapper/shopAreaSoryoPatternList/shopAreaSoryoPattern",
        ("patternId", "patternName", "shopAreaSoryoChargeList"),
    ),
    "delvAreaMaster": (
        "delvAreaMasterList/delvAreaMaster",
        ("delvAreaId", "delvAreaName", "delvAreaCaption", "delvAreaLimit"),
    ),
    "delvdateMaster": ("delvdateMasterList/delvdateMaster", ("delvdateNumber", "delvdateCaption")),
    "operationLeadTime": (
        "operationLeadTimeList/operationLeadTime",
        ("operationLeadTimeId", "name", "numberOfDays", "inStockDefaultFlag", "outOfStockDefaultFlag"),
    ),
    "shipFrom": ("shipFromList/shipFrom", ("shipFromId", "name", "zipcodeFrom", "defaultFlag")),
}
SHOP_MASTER = (
    "shopName",
    "url",
    "companyName",
    "presidentName",
    "addressZip",
    "addressPrefecture",
    "addressCity",
    "addressStreet",
    "companyTel",
    "companyFax",
    "tantouName",
    "tantouPost",
    "tantouTel",
    "tantouFax",
    "supportTel",
    "supportFax",
    "emergencyTel",
    "secName",
)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="module")
def shop(simulator: Simulator) -> Shop:
    """Offer shop 999001 whose key was issued on 2026-08-30, as in the measurement of 9."""
    set_clock(simulator, "2026-08-30T12:00:00+09:00")
    return open_shop(simulator, "999001")


def squeezed(body: bytes) -> str:
    return re.sub(r">\s+<", "><", body.decode("utf-8")).strip()


def test_the_expiry_date_is_the_measured_one_byte_for_byte(shop: Shop) -> None:
    for path in ("license-key/expiry-date", "license-key/expiry-date/"):
        answer = shop.get(f"license-management/{path}?licenseKey={shop.license_key}", Accept="application/json")
        assert (answer.status, answer.body) == (200, b'{"expiryDate":"2026-11-28T23:59:59"}')
        assert answer.header("Content-Type") == "application/json;charset=UTF-8"


def test_a_foreign_licence_key_is_401(shop: Shop) -> None:
    answer = shop.get("license-management/license-key/expiry-date?licenseKey=SL999001_AAAAAAAAAAAAAAAA")
    assert (answer.status, answer.body) == (401, UNAUTHORISED)


def test_a_missing_licence_key_is_400_gk0001(shop: Shop) -> None:
    answer = shop.get("license-management/license-key/expiry-date")
    assert answer.status == 400
    assert answer.json()["errors"][0]["code"] == "GK0001"


def test_lead_times_come_in_the_xml_of_the_sample_byte_for_byte(shop: Shop) -> None:
    answer = shop.get("shop/delvdateMaster?delvdateNumber=1", Accept="application/xml")
    assert answer.status == 200
    assert answer.body.decode() == DELIVERY_TIMES_XML


def test_xml_answers_have_the_headers_of_the_shop_api(shop: Shop) -> None:
    answer = shop.get("shop/shopMaster")
    assert (answer.header("Content-Type") or answer.header("content-type")) == "application/xml; charset=UTF-8"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.header("x-request-id") or "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", answer.header("Timestamp") or "")


@pytest.mark.parametrize("resource", [*RESOURCES, "shopMaster", "shopCalendar", "shopStatus/skuMigration"])
def test_every_resource_is_wrapped_alike_and_only_the_root_has_a_prefix(shop: Shop, resource: str) -> None:
    for path in (f"shop/{resource}", f"shop/{resource}/"):
        answer = shop.get(path)
        assert answer.status == 200
        text = squeezed(answer.body)
        assert text.startswith(OPENING)
        assert re.findall(r"</?([A-Za-z]+):", text) == ["shopbiz", "shopbiz"]
        name = resource.partition("/")[0]
        assert f'xsi:type="shopbiz:{name}BizModel"' in text


@pytest.mark.parametrize("resource", RESOURCES)
def test_lists_hold_their_members_in_order(shop: Shop, resource: str) -> None:
    path, members = RESOURCES[resource]
    found = ET.fromstring(shop.get(f"shop/{resource}").body).findall(f"result/{path}")  # noqa: S314  our own bytes
    assert found
    for element in found:
        assert [child.tag for child in element] == list(members)


def test_the_shop_master_has_its_members_in_order(shop: Shop) -> None:
    root = ET.fromstring(shop.get("shop/shopMaster").body)  # noqa: S314  our own bytes
    master = root.find("result/shopMaster")
    assert master is not None
    assert [child.tag for child in master] == [name for name in SHOP_MASTER if master.find(name) is not None]
    assert {name for name in SHOP_MASTER if master.find(name) is None} <= {"tantouPost", "emergencyTel"}


def test_a_query_narrows_to_one_entry_and_an_unknown_one_is_c008(shop: Shop) -> None:
    whole = ET.fromstring(shop.get("shop/delvdateMaster").body)  # noqa: S314  our own bytes
    assert len(whole.findall("result/delvdateMasterList/delvdateMaster")) > 1
    absent = shop.get("shop/delvdateMaster?delvdateNumber=999")
    assert absent.status == 404
    assert "<resultCode>C008</resultCode>" in squeezed(absent.body)


def test_the_calendar_takes_a_day_and_up_to_180_days(shop: Shop) -> None:
    answer = shop.get("shop/shopCalendar?fromDate=2026-09-01&period=180")
    assert answer.status == 200
    calendar = ET.fromstring(answer.body).find("result/shopCalendar")  # noqa: S314  our own bytes
    assert calendar is not None
    assert [child.tag for child in calendar][:3] == ["businessHoliday", "shippingHoliday", "shippingOnly"]
    for query in ("period=181", "period=x", "fromDate=2026-13-01"):
        refused = shop.get(f"shop/shopCalendar?{query}")
        assert refused.status == 400
        assert "<resultCode>C001</resultCode>" in squeezed(refused.body)


def test_the_status_of_the_sku_migration_is_told_by_key(shop: Shop) -> None:
    root = ET.fromstring(shop.get("shop/shopStatus/skuMigration").body)  # noqa: S314  our own bytes
    assert [found.text for found in root.iter("statusKey")] == ["skuMigration"]
    assert [found.text for found in root.iter("statusValue")] != []


def test_an_unknown_resource_is_refused(shop: Shop) -> None:
    assert shop.get("shop/noSuchResource").status in (400, 404)


def test_a_wrong_key_is_401_here_too(shop: Shop) -> None:
    answer = shop.get("shop/shopMaster", Authorization="ESA U1BfeDpTTF94")
    assert (answer.status, answer.body) == (401, UNAUTHORISED)
