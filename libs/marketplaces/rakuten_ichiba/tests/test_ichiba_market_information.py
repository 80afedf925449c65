"""What a seller set up in RMS: read from the simulator, from the dossier's bytes, and from what cannot be read."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from ichiba_samples import DELIVERY_TIMES_XML
from ichiba_session import CannedHttp, answered, open_session, open_shop_session
from ichiba_wire import Shop, Simulator, open_shop, running_simulator

from hanro.errors import ContractBroken, NeedsSeller, Retryable
from hanro.marketplace.types import HttpAnswer, HttpRequest, MarketEntry, MarketInformation, MarketKind
from hanro_rakuten_ichiba.declared.capabilities import CAPABILITIES
from hanro_rakuten_ichiba.mapping.market_lists import map_sets, map_sub_statuses, map_tree
from hanro_rakuten_ichiba.mapping.shop import map_calendar, map_list, map_shop_master
from hanro_rakuten_ichiba.market_information import read_market
from hanro_rakuten_ichiba.shop_xml import read_result

NAMESPACE = "http://rakuten.co.jp/rms/mall/shop/biz/api/model/resource"
# Byte for byte that of the dossier: rakuten-ichiba-catalog 7, prefix ns2, members in another order.

LEAD_TIMES = f"""<ns2:shopBizApiResponse xmlns:ns2="{NAMESPACE}">
  <resultCode>N000</resultCode>
  <resultMessageList><resultMessage><code>N000</code><message>Succeeded.</message></resultMessage></resultMessageList>
  <result><operationLeadTimeList><operationLeadTime><inStockDefaultFlag>1</inStockDefaultFlag><outOfStockDefaultFlag>1</outOfStockDefaultFlag>
    <operationLeadTimeId>4</operationLeadTimeId><name>リードタイム1日</name><numberOfDays>1</numberOfDays></operationLeadTime></operationLeadTimeList></result>
</ns2:shopBizApiResponse>
"""
ABSENT = {MarketKind.RETURN_ADDRESS, MarketKind.BRAND}
XML = {"Content-Type": "application/xml; charset=UTF-8"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("market")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    return open_shop(simulator, "999001")


async def read(shop: Shop) -> MarketInformation:
    return await read_market(open_shop_session(shop).session)


def of(found: MarketInformation, kind: MarketKind) -> list[MarketEntry]:
    return [entry for entry in found.entries if entry.kind is kind]


def result_of(inner: str) -> str:
    return (
        f'<shopbiz:shopBizApiResponse xmlns:shopbiz="{NAMESPACE}"><resultCode>N000</resultCode>'
        f"<result>{inner}</result></shopbiz:shopBizApiResponse>"
    )


async def test_all_kinds_are_read_or_absent_with_a_reason(shop: Shop) -> None:
    found = await read(shop)
    assert found.failed == {}
    assert {entry.kind for entry in found.entries} | ABSENT == set(MarketKind)
    assert set(found.absent) == ABSENT
    for absent in found.absent.values():
        assert absent.reason.ja != absent.reason.en
        assert absent.source
    groups = [(one.external_id, one.name, one.is_default) for one in of(found, MarketKind.SHIPPING_GROUP)]
    assert groups == [("1", "宅配便", True), ("2", "クール便", False)]
    tree = [(one.external_id, one.name, one.parent_id) for one in of(found, MarketKind.CATEGORY)]
    assert tree == [
        ("set/0", "通常", None),
        ("1234567891", "トップス", "set/0"),
        ("1234567892", "Tシャツ", "1234567891"),
    ]
    statuses = [(one.external_id, one.name, one.details["orderProgress"]) for one in of(found, MarketKind.SUB_STATUS)]
    assert statuses == [("9001", "要確認", "100"), ("9031", "出荷準備中", "300"), ("9032", "入荷待ち", "300")]
    (address,) = of(found, MarketKind.COMPANY_ADDRESS)
    assert (address.name, address.details["addressCity"]) == ("見本株式会社", "架空区")
    ids = [one.external_id for one in of(found, MarketKind.SHOP)]
    assert ids == ["sample-shop-999001", "shopStatus/skuMigration", "shopStatus/pcTopMigration"]
    assert {one.external_id for one in of(found, MarketKind.SHIPPING_AREA)} == {"shopAreaSoryo/1", "delvAreaMaster/1"}
    holiday = next(one for one in of(found, MarketKind.CALENDAR) if one.external_id == "businessHoliday")
    assert holiday.details == {"regularSchedule": "SATURDAY,SUNDAY,HOLIDAY", "eventDates": ""}
    assert "架空区" not in repr(found)


async def test_reading_twice_gives_the_same_and_changes_nothing(shop: Shop) -> None:
    before = shop.simulator.control("GET", "/digest")["digest"]
    first, second = await read(shop), await read(shop)
    assert first.entries == second.entries
    assert shop.simulator.control("GET", "/digest")["digest"] == before


async def test_each_grant_that_is_off_takes_its_own_kinds_alone(shop: Shop) -> None:
    whole = await read(shop)
    grants = sorted(CAPABILITIES_GRANTS)
    assert len(grants) == 13
    for grant in grants:
        shop.control("PUT", f"/grants/{grant}", {"enabled": False})
        found = await read(shop)
        shop.control("PUT", f"/grants/{grant}", {"enabled": True})
        assert found.failed, grant
        for failure in found.failed.values():
            assert isinstance(failure, NeedsSeller)
            assert (failure.code, failure.grant_id) == ("grant-missing", grant)
            assert failure.remedy is not None
        assert set(found.failed) | {entry.kind for entry in found.entries} | ABSENT == set(MarketKind), grant
        assert found.entries == tuple(entry for entry in whole.entries if entry.kind not in found.failed)


CAPABILITIES_GRANTS = next(support for name, support in CAPABILITIES.items() if name == "market_information").grant_ids


async def test_all_grants_off_fail_all_kinds_and_a_dead_key_raises(shop: Shop) -> None:
    shop.control("PUT", "/grants", dict.fromkeys(CAPABILITIES_GRANTS, False))
    found = await read(shop)
    assert set(found.failed) == set(MarketKind) - ABSENT
    shop.control("POST", "/keys/revoke")
    with pytest.raises(NeedsSeller) as refused:
        await read(shop)
    assert refused.value.code == "credential-refused"


async def test_an_outage_of_all_raises_and_one_of_a_part_fails_that_part(shop: Shop) -> None:
    fault = {"kind": "status", "status": 503, "match": {"path": "deliverySetInfo", "shop": shop.id}}
    shop.simulator.control("POST", "/faults", fault)
    found = await read(shop)
    assert {kind: type(one) for kind, one in found.failed.items()} == {MarketKind.SHIPPING_GROUP: Retryable}
    shop.simulator.control("POST", "/faults", {"kind": "status", "status": 503, "match": {"shop": shop.id}})
    with pytest.raises(Retryable) as failed:
        await read(shop)
    assert failed.value.code == "unavailable"


async def test_every_request_takes_a_turn_in_the_group_of_its_function(shop: Shop) -> None:
    opened = open_shop_session(shop)
    await read_market(opened.session)
    turns = [group for (group,) in opened.pacer.groups]
    assert {name: turns.count(name) for name in set(turns)} == {"shop": 11, "category": 2, "order": 1}


async def test_what_a_shop_does_not_have_is_read_as_none(shop: Shop) -> None:
    for resource in ("deliverySetInfo", "shipFrom", "shopStatus", "shopCalendar"):
        shop.control("PUT", f"/resources/{resource}", {"entries": []})
    shop.control("PUT", "/categories", {"sets": []})
    shop.control("PUT", "/sub-statuses", {"status_models": []})
    found = await read(shop)
    assert found.failed == {}
    for kind in ("SHIPPING_GROUP", "SHIP_FROM", "CALENDAR", "CATEGORY", "SUB_STATUS"):
        assert of(found, MarketKind[kind]) == []


async def test_the_calendar_is_read_from_the_first_of_the_month_in_japan() -> None:
    asked: list[HttpRequest] = []

    def answer(request: HttpRequest) -> HttpAnswer:
        asked.append(request)
        return answered(b"", 503)

    opened = open_session(CannedHttp(answer), now=datetime(2026, 6, 30, 16, tzinfo=UTC))
    with pytest.raises(Retryable):
        await read_market(opened.session)
    query = next(request.query for request in asked if request.path.endswith("shopCalendar"))
    assert query == (("fromDate", "2026-07-01"), ("period", "180"))


def test_the_dossiers_lead_times_map_with_another_prefix() -> None:
    (entry,) = map_list("operationLeadTime", read_result(LEAD_TIMES.encode()))
    assert (entry.kind, entry.external_id, entry.name, entry.is_default) == (
        MarketKind.LEAD_TIME,
        "4",
        "リードタイム1日",
        True,
    )
    assert entry.details == {"outOfStockDefaultFlag": "1", "numberOfDays": "1"}


def test_the_dossiers_delivery_times_map() -> None:
    (entry,) = map_list("delvdateMaster", read_result(DELIVERY_TIMES_XML.encode()))
    assert (entry.external_id, entry.name, dict(entry.details)) == ("1", "1〜2日以内に発送予定", {})


def test_the_dossiers_tree_maps() -> None:
    tree = {
        "rootNode": {
            "children": [
                {
                    "category": {"categoryId": "1234567891", "title": "トップス"},
                    "children": [{"category": {"categoryId": "1234567892", "title": "Tシャツ"}}],
                }
            ]
        }
    }
    assert [(one.external_id, one.parent_id) for one in map_tree("0", tree)] == [
        ("1234567891", "set/0"),
        ("1234567892", "1234567891"),
    ]
    bare = {"rootNode": {"children": [{"categoryId": "1", "children": [{"categoryId": "2"}]}]}}
    assert [(one.name, one.parent_id) for one in map_tree("0", bare)] == [("1", "set/0"), ("2", "1")]
    assert [one.external_id for one in map_sets({"categorySetKeyList": ["0", {"categorySetId": "7"}]})] == [
        "set/0",
        "set/7",
    ]


@pytest.mark.parametrize(
    ("inner", "field"),
    [
        ("", "/deliverySetInfoList/deliverySetInfo"),
        (
            (
                "<deliverySetInfoList><deliverySetInfo><deliverySetName>x</deliverySetName></deliverySetInfo>"
                "</deliverySetInfoList>"
            ),
            "/deliverySetInfoList/deliverySetInfo[0]/deliverySetId",
        ),
        (
            (
                "<deliverySetInfoList><deliverySetInfo><deliverySetId>1</deliverySetId></deliverySetInfo>"
                "</deliverySetInfoList>"
            ),
            "/deliverySetInfoList/deliverySetInfo[0]/deliverySetName",
        ),
        (
            (
                "<deliverySetInfoList><deliverySetInfo><deliverySetId>1</deliverySetId><deliverySetName>x</deliverySetName>"
                "<deliverySetDefaultFlag>maybe</deliverySetDefaultFlag></deliverySetInfo></deliverySetInfoList>"
            ),
            "/deliverySetInfoList/deliverySetInfo[0]/deliverySetDefaultFlag",
        ),
    ],
)
def test_a_list_that_cannot_be_read_names_the_place(inner: str, field: str) -> None:
    with pytest.raises(ContractBroken) as broken:
        map_list("deliverySetInfo", read_result(result_of(inner).encode()))
    assert (broken.value.code, broken.value.field) == ("unreadable", field)


def test_a_master_or_a_calendar_that_is_not_there_is_a_broken_contract() -> None:
    for mapper in (map_shop_master, map_calendar):
        with pytest.raises(ContractBroken):
            mapper(read_result(result_of("<other/>").encode()))
    with pytest.raises(ContractBroken) as broken:
        map_shop_master(read_result(result_of("<shopMaster><url>a</url></shopMaster>").encode()))
    assert broken.value.field == "/shopMaster/shopName"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"StatusModelList": "x"},
        {"StatusModelList": [{"SubStatusModelList": []}]},
        {"StatusModelList": [{"orderProgress": "100", "SubStatusModelList": [{"subStatusName": "x"}]}]},
        {"StatusModelList": [{"orderProgress": "100", "SubStatusModelList": [{"subStatusId": "1"}]}]},
    ],
)
def test_sub_statuses_that_cannot_be_read_are_a_broken_contract(members: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        map_sub_statuses(members)
    assert map_sub_statuses({"StatusModelList": None}) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a",
        b"<other/>",
        result_of("<x/>").replace("N000", "N001").encode(),
        result_of("<x/>").replace("<result><x/></result>", "").encode(),
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>' + result_of("<x>&b;</x>").encode(),
        b"<?xml version='1.0' encoding='UTF-8'?><a>\xff</a>",
    ],
)
def test_what_is_no_answer_of_the_shop_family_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^the answer"):
        read_result(body)


async def test_bytes_that_cannot_be_read_fail_their_kind_alone(shop: Shop) -> None:
    for function, body in (("deliverySetInfo", "<!DOCTYPE x><x/>"), ("getSubStatusList", '{"MessageModelList":[]}')):
        match = {"path": function, "shop": shop.id}
        shop.simulator.control("POST", "/faults", {"kind": "status", "status": 200, "body": body, "match": match})
    found = await read(shop)
    assert set(found.failed) == {MarketKind.SHIPPING_GROUP, MarketKind.SUB_STATUS}
    assert {type(failure) for failure in found.failed.values()} == {ContractBroken}
