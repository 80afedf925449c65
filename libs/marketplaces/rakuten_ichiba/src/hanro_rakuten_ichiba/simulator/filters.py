"""Decides whether an order is what a search asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hanro_rakuten_ichiba.simulator.japan_time import day_in_japan, read_date, read_moment
from hanro_rakuten_ichiba.simulator.orders import StoredOrder, Tree, member, members

_NO_SUB_STATUS = -1
_MOMENT_OF_DATE_TYPE = {2: "shopOrderCfmDatetime", 3: "orderFixDatetime", 5: "shippingCmplRptDatetime"}
_BY_SHIPPING_DATE, _BY_SETTLEMENT_FIX = 4, 6
_CARRIERS_OF_SITE = {1: {0}, 2: {1, 2, 3, 5}, 3: {11, 12, 19}, 4: {21, 22, 29}}
_PC_MAIL, _MOBILE_MAIL = 1, 2
_BUYER_PHONE = 1


@dataclass(frozen=True)
class Filters:
    """State what a search asks for besides the period; empty members ask for nothing.

    Source: rakuten-ichiba-orders 4.1 [2+]; that a keyword may stand anywhere in the text [?].
    """

    progresses: tuple[int, ...] = ()
    sub_statuses: tuple[int, ...] = ()
    order_types: tuple[int, ...] = ()
    settlement_method: int | None = None
    delivery_name: str = ""
    has_no_shipping_date: bool = False
    has_no_shipping_number: bool = False
    keyword_type: int = 0
    keyword: str = ""
    mail_type: int = 0
    mail_address: str = ""
    phone_type: int | None = None
    phone_number: str = ""
    reserve_number: str = ""
    site_type: int = 0
    flags: tuple[str, ...] = ()


def is_in_period(order: StoredOrder, date_type: int, start: datetime, end: datetime) -> bool:
    """Tell whether the date of a type lies in a period, bounds included. Source: rakuten-ichiba-orders 7.2, 14.6 [?]."""
    if date_type == _BY_SHIPPING_DATE:
        days = [read_date(row.get("shippingDate")) for row in order.shipping_rows()]
        return any(day is not None and day_in_japan(start) <= day <= day_in_japan(end) for day in days)
    if date_type == _BY_SETTLEMENT_FIX:
        moment = order.settled_at
    else:
        moment = read_moment(order.tree.get(_MOMENT_OF_DATE_TYPE[date_type]))
    return moment is not None and start <= moment <= end


def is_wanted(order: StoredOrder, filters: Filters) -> bool:
    """Tell whether an order passes every filter."""
    tree = order.tree
    if filters.progresses and order.progress not in filters.progresses:
        return False
    if filters.sub_statuses and not _has_sub_status(tree, filters.sub_statuses):
        return False
    if filters.order_types and tree.get("orderType") not in filters.order_types:
        return False
    if filters.settlement_method is not None and order.settlement_method != filters.settlement_method:
        return False
    if filters.delivery_name and member(tree, "DeliveryModel").get("deliveryName") != filters.delivery_name:
        return False
    if filters.reserve_number and tree.get("reserveNumber") != filters.reserve_number:
        return False
    return (
        _has_blank_rows(order, filters)
        and _has_keyword(order, filters)
        and _has_buyer(order, filters)
        and all(_has_flag(tree, flag) for flag in filters.flags)
    )


def _has_sub_status(tree: Tree, wanted: tuple[int, ...]) -> bool:
    known = tree.get("subStatusId")
    return known in wanted if known is not None else _NO_SUB_STATUS in wanted


def _has_blank_rows(order: StoredOrder, filters: Filters) -> bool:
    rows = order.shipping_rows()
    if filters.has_no_shipping_date and any(row.get("shippingDate") for row in rows):
        return False
    return not (filters.has_no_shipping_number and any(row.get("shippingNumber") for row in rows))


def _has_flag(tree: Tree, flag: str) -> bool:
    return bool(members(tree, "CouponModelList")) if flag == "couponUseFlag" else tree.get(flag) == 1


def _has_keyword(order: StoredOrder, filters: Filters) -> bool:
    if not filters.keyword or not filters.keyword_type:
        return True
    return any(filters.keyword in text for text in _keyword_texts(order, filters.keyword_type))


def _keyword_texts(order: StoredOrder, keyword_type: int) -> list[str]:
    """Give the texts that a keyword of a type is looked for in."""
    packages = order.packages()
    items = [item for package in packages for item in members(package, "ItemModelList")]
    skus = [sku for item in items for sku in members(item, "SkuModelList")]
    orderer = [member(order.tree, "OrdererModel")]
    senders = [member(package, "SenderModel") for package in packages]
    match keyword_type:
        case 1:
            return _texts(items, "itemName")
        case 2:
            return _texts(items, "itemNumber")
        case 3:
            return _texts([order.tree], "memo")
        case 4:
            return _names(orderer, "familyName", "firstName")
        case 5:
            return _names(orderer, "familyNameKana", "firstNameKana")
        case 6:
            return _names(senders, "familyName", "firstName")
        case 7:
            return _texts(skus, "variantId")
        case 8:
            return _texts(skus, "merchantDefinedSkuId")
        case _:
            return _texts(skus, "skuInfo")


def _texts(holders: Iterable[Tree], key: str) -> list[str]:
    return [value for holder in holders if isinstance(value := holder.get(key), str)]


def _names(people: Iterable[Tree], family: str, first: str) -> list[str]:
    """Give each name joined and with a blank: both are how people type it."""
    names = []
    for person in people:
        parts = [value for key in (family, first) if isinstance(value := person.get(key), str)]
        names += ["".join(parts), " ".join(parts)]
    return names


def _has_buyer(order: StoredOrder, filters: Filters) -> bool:
    tree, orderer = order.tree, member(order.tree, "OrdererModel")
    is_pc_mail = tree.get("emailCarrierCode") == 0
    if (filters.mail_type == _PC_MAIL and not is_pc_mail) or (filters.mail_type == _MOBILE_MAIL and is_pc_mail):
        return False
    if filters.mail_address and orderer.get("emailAddress") != filters.mail_address:
        return False
    if filters.site_type and tree.get("carrierCode") not in _CARRIERS_OF_SITE[filters.site_type]:
        return False
    if not filters.phone_number or filters.phone_type is None:
        return True
    people = [orderer]
    if filters.phone_type != _BUYER_PHONE:
        people = [member(package, "SenderModel") for package in order.packages()]
    return any(_phone(person) == filters.phone_number for person in people)


def _phone(person: Tree) -> str:
    return "".join(str(person.get(f"phoneNumber{part}") or "") for part in (1, 2, 3))
