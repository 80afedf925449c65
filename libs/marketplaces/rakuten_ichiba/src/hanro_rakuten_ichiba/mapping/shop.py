"""Turns what the shop family shows into market entries; values in, values out.

Source: rakuten-ichiba-orders 10 [1], [2+] as marked there; rakuten-ichiba-catalog 7.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NoReturn
from xml.etree.ElementTree import Element

from hanro.errors import ContractBroken
from hanro.marketplace.types import MarketEntry, MarketKind
from hanro.value import value

Mapped = tuple[MarketEntry, ...]
_FLAGS = {"1": True, "0": False, "": False, "true": True, "false": False}
_ADDRESS = (
    "addressZip",
    "addressPrefecture",
    "addressCity",
    "addressStreet",
    "presidentName",
    "companyTel",
    "companyFax",
)
_PARTS = {
    "businessHoliday": "休業日",
    "shippingHoliday": "発送休業日(受注・問い合わせのみ)",
    "shippingOnly": "発送のみの日",
    "shopHoliday": "長期休業のお知らせ",
}


@value
class ListShape:
    """Say where the entries of a list stand and which members are id, name and the mark of the default one."""

    kind: MarketKind
    path: str
    id_members: tuple[str, ...]
    name_member: str
    default_member: str = ""
    prefix: str = ""


LISTS = {
    "deliverySetInfo": ListShape(
        kind=MarketKind.SHIPPING_GROUP,
        path="deliverySetInfoList/deliverySetInfo",
        id_members=("deliverySetId",),
        name_member="deliverySetName",
        default_member="deliverySetDefaultFlag",
    ),
    "soryoKbn": ListShape(
        kind=MarketKind.SHIPPING_MODE, path="soryoKbnList/soryoKbn", id_members=("kbnId", "id"), name_member="name"
    ),
    "shopAreaSoryo": ListShape(
        kind=MarketKind.SHIPPING_AREA,
        path="shopAreaSoryoWrapper/shopAreaSoryoPatternList/shopAreaSoryoPattern",
        id_members=("patternId",),
        name_member="patternName",
        prefix="shopAreaSoryo/",
    ),
    "delvAreaMaster": ListShape(
        kind=MarketKind.SHIPPING_AREA,
        path="delvAreaMasterList/delvAreaMaster",
        id_members=("delvAreaId",),
        name_member="delvAreaName",
        prefix="delvAreaMaster/",
    ),
    "delvdateMaster": ListShape(
        kind=MarketKind.DELIVERY_DATE,
        path="delvdateMasterList/delvdateMaster",
        id_members=("delvdateNumber",),
        name_member="delvdateCaption",
    ),
    "operationLeadTime": ListShape(
        kind=MarketKind.LEAD_TIME,
        path="operationLeadTimeList/operationLeadTime",
        id_members=("operationLeadTimeId",),
        name_member="name",
        default_member="inStockDefaultFlag",
    ),
    "shipFrom": ListShape(
        kind=MarketKind.SHIP_FROM,
        path="shipFromList/shipFrom",
        id_members=("shipFromId",),
        name_member="name",
        default_member="defaultFlag",
    ),
}
"""By the function's name. Two resources share a kind: their prefix keeps the ids apart."""


def map_list(name: str, result: Element) -> Mapped:
    """Map one of `LISTS`; all other members stay as details, in their own names and characters.

    Raises:
        ContractBroken: the list itself, an id or a name is missing; or a flag is none.
    """
    shape = LISTS[name]
    holder = result.find(shape.path.rpartition("/")[0])
    if holder is None:
        _refuse(shape.path)
    tag = shape.path.rpartition("/")[2]
    return tuple(_map_entry(shape, element, place) for place, element in enumerate(holder.findall(tag)))


def map_shop_master(result: Element) -> Mapped:
    """Map the shop, and the address of its company.

    Raises:
        ContractBroken: url, name or address are missing.
    """
    master = result.find("shopMaster")
    if master is None:
        _refuse("shopMaster")
    members = _members(master)
    for needed in ("url", "shopName", "companyName", "addressZip", "addressPrefecture", "addressCity", "addressStreet"):
        if needed not in members:
            _refuse(f"shopMaster/{needed}")
    url = members.pop("url") or _refuse("shopMaster/url")
    name, company = members.pop("shopName"), members.pop("companyName")
    address = {member: members.pop(member) for member in _ADDRESS if member in members}
    return (
        MarketEntry(kind=MarketKind.SHOP, external_id=url, name=name or url, is_default=True, details=members),
        MarketEntry(
            kind=MarketKind.COMPANY_ADDRESS,
            external_id=url,
            name=company or name or url,
            is_default=True,
            details=address,
        ),
    )


def map_status(result: Element) -> Mapped:
    """Map one status of the shop: what it was moved to.

    Raises:
        ContractBroken: its key or its value is missing.
    """
    key, found = result.findtext("statusKey"), result.findtext("statusValue")
    if not key or found is None:
        _refuse("statusKey" if not key else "statusValue")
    return (
        MarketEntry(kind=MarketKind.SHOP, external_id=f"shopStatus/{key}", name=key, details={"statusValue": found}),
    )


def map_calendar(result: Element) -> Mapped:
    """Map the calendar's parts: weekdays and single days as comma lists, in the marketplace's order.

    Raises:
        ContractBroken: there is no calendar.
    """
    calendar = result.find("shopCalendar")
    if calendar is None:
        _refuse("shopCalendar")
    return tuple(
        MarketEntry(
            kind=MarketKind.CALENDAR, external_id=part.tag, name=_PARTS.get(part.tag, part.tag), details=_members(part)
        )
        for part in calendar
    )


MAPPERS: dict[str, Callable[[Element], Mapped]] = {
    "shopMaster": map_shop_master,
    "shopStatus": map_status,
    "shopCalendar": map_calendar,
    **{name: partial(map_list, name) for name in LISTS},
}
"""By the function's name."""


def _map_entry(shape: ListShape, element: Element, place: int) -> MarketEntry:
    members = _members(element)
    where = f"{shape.path}[{place}]"
    ids = [members.get(member, "").strip() or _refuse(f"{where}/{member}") for member in shape.id_members]
    if shape.name_member not in members:
        _refuse(f"{where}/{shape.name_member}")
    flag = members.get(shape.default_member, "").strip() if shape.default_member else ""
    if flag not in _FLAGS:
        _refuse(f"{where}/{shape.default_member}")
    own = {*(shape.id_members if len(ids) == 1 else ()), shape.name_member, shape.default_member}
    external_id = shape.prefix + "-".join(ids)
    return MarketEntry(
        kind=shape.kind,
        external_id=external_id,
        name=members[shape.name_member] or external_id,
        is_default=_FLAGS[flag],
        details={member: text for member, text in members.items() if member not in own},
    )


def _members(element: Element) -> dict[str, str]:
    """Give the texts inside; a list of texts as a comma list, a list of small entries by their first member."""
    return dict(_texts(element))


def _texts(element: Element) -> Iterator[tuple[str, str]]:
    for child in element:
        if len(child) == 0:
            yield child.tag, child.text or ""
        elif all(len(inner) == 0 for inner in child):
            yield child.tag, ",".join(inner.text or "" for inner in child)
        else:
            for inner in child:
                first, *rest = [leaf.text or "" for leaf in inner.iter() if len(leaf) == 0] or [""]
                yield f"{inner.tag}.{first}", ",".join(rest)


def _refuse(field: str) -> NoReturn:
    raise ContractBroken("what the shop has set up cannot be read", code="unreadable", field=f"/{field}")
