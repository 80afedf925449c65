"""Holds what a shop has set up in RMS and the shop family shows: delivery, calendar, shop master."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """State how a resource looks: `<holder><entry>…</entry></holder>`, narrowed by query `keys` of the same name.

    Without `holder` the resource is not a list; `is_written`: POST to the same path writes it.

    Source: rakuten-ichiba-orders 10.
    """

    holder: str = ""
    entry: str = ""
    keys: tuple[str, ...] = ()
    is_written: bool = False


# Page layout, and the two calendars of RMS; that all of these can be written is assumed [?].
PAGES = (
    "shopCalendarAndDesign", "shopHoliday", "topDisplay", "shopLayoutImage", "shopLayoutCommon", "naviButtonInfo",
    "naviButton", "layoutTextSmall", "layoutTextLarge", "layoutLossLeader", "layoutItemMap", "layoutCategoryMap",
    "goldTop", "spTopPage", "spTopPageDisplay", "spCategoryPage", "spItemPage", "spMedamaCategory", "spMedamaItem",
    "spBigBanner", "spSmallBanner", "signboard",
)  # fmt: skip

RESOURCES = {
    "shopMaster": Resource(),
    "deliverySetInfo": Resource("deliverySetInfoList", "deliverySetInfo", ("deliverySetId",)),
    "soryoKbn": Resource("soryoKbnList", "soryoKbn", ("kbnId", "id")),
    "shopAreaSoryo": Resource("shopAreaSoryoPatternList", "shopAreaSoryoPattern", ("patternId",)),
    "delvAreaMaster": Resource("delvAreaMasterList", "delvAreaMaster", ("delvAreaId",)),
    "delvdateMaster": Resource("delvdateMasterList", "delvdateMaster", ("delvdateNumber",)),
    "operationLeadTime": Resource("operationLeadTimeList", "operationLeadTime", ("operationLeadTimeId",)),
    "shipFrom": Resource("shipFromList", "shipFrom", ("shipFromId",)),
    "shopCalendar": Resource(),
    "shopStatus": Resource(),
    **{name: Resource(is_written=True) for name in PAGES},
}

Entry = dict[str, object]
Resources = dict[str, list[Entry]]


def default_resources(name: str, url: str) -> Resources:
    """Give what a new shop has set up; the entries of each resource in the order of its members.

    Source: rakuten-ichiba-orders 10 for the members; the values are invented.
    """
    return {
        "shopMaster": [_shop_master(name, url)],
        "deliverySetInfo": [
            {"deliverySetId": "1", "deliverySetName": "宅配便", "deliverySetDefaultFlag": "1"},
            {"deliverySetId": "2", "deliverySetName": "クール便", "deliverySetDefaultFlag": "0"},
        ],
        "soryoKbn": [
            {"kbnId": "1", "id": "1", "name": "送料区分1"},
            {"kbnId": "2", "id": "1", "name": "送料区分2"},
        ],
        "shopAreaSoryo": [
            {
                "patternId": "1",
                "patternName": "全国",
                "shopAreaSoryoChargeList": [
                    {"regionId": str(region), "charge": "1500" if region in {1, 13} else "660"}
                    for region in range(1, 14)
                ],
            }
        ],
        "delvAreaMaster": [
            {"delvAreaId": "1", "delvAreaName": "関東", "delvAreaCaption": "関東へ翌日", "delvAreaLimit": "12:00"}
        ],
        "delvdateMaster": [
            {"delvdateNumber": "1", "delvdateCaption": "1〜2日以内に発送予定"},
            {"delvdateNumber": "2", "delvdateCaption": "3〜5日以内に発送予定"},
        ],
        "operationLeadTime": [
            _lead_time("1", "翌営業日", "1", in_stock="1", out_of_stock="0"),
            _lead_time("2", "取り寄せ", "7", in_stock="0", out_of_stock="1"),
        ],
        "shipFrom": [{"shipFromId": "1", "name": "本社倉庫", "zipcodeFrom": "1000000", "defaultFlag": "1"}],
        "shopCalendar": [
            {
                "businessHoliday": {"regularSchedule": ["SATURDAY", "SUNDAY", "HOLIDAY"], "eventDates": []},
                "shippingHoliday": {"regularSchedule": ["SUNDAY"], "eventDates": []},
                "shippingOnly": {"regularSchedule": [], "eventDates": []},
                "shopHoliday": {
                    "title": "",
                    "stimestampYmd": "",
                    "etimestampYmd": "",
                    "mailMessage": "",
                    "stimestampMailYmd": "",
                    "etimestampMailYmd": "",
                    "message": "",
                },
            }
        ],
        "shopStatus": [
            {"statusKey": "skuMigration", "statusValue": "1"},
            {"statusKey": "pcTopMigration", "statusValue": "1"},
        ],
        # Their members are not public; what a test sets is shown as it is.
        **{page: [] for page in PAGES},
    }


def _lead_time(lead_time_id: str, name: str, days: str, *, in_stock: str, out_of_stock: str) -> Entry:
    return {
        "operationLeadTimeId": lead_time_id,
        "name": name,
        "numberOfDays": days,
        "inStockDefaultFlag": in_stock,
        "outOfStockDefaultFlag": out_of_stock,
    }


def _shop_master(name: str, url: str) -> Entry:
    return {
        "shopName": name,
        "url": url,
        "companyName": "見本株式会社",
        "presidentName": "見本 一郎",
        "addressZip": "100-0000",
        "addressPrefecture": "東京都",
        "addressCity": "架空区",
        "addressStreet": "見本町1-2-3",
        "companyTel": "03-0000-0001",
        "companyFax": "03-0000-0002",
        "tantouName": "見本 花子",
        "tantouTel": "03-0000-0003",
        "tantouFax": "03-0000-0004",
        "supportTel": "03-0000-0005",
        "supportFax": "03-0000-0006",
        "secName": "出荷係",
    }
