"""Decides whether an order is what a search asks for."""

from collections.abc import Collection
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

    Source: rakuten-ichiba-orders 4.1 [2+].
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
    is_whole_keyword: bool = False
    mail_type: int = 0
    mail_address: str = ""
    phone_type: int | None = None
    phone_number: str = ""
    reserve_number: str = ""
    site_type: int = 0
    flags: tuple[str, ...] = ()


def is_in_period(order: StoredOrder, date_type: int, start: datetime, end: datetime) -> bool:
    """Tell whether the date of a type lies in a period, bounds included. Source: rakuten-ichiba-orders 7.2, 14.6."""
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
    equals: tuple[tuple[object, object], ...] = (
        (filters.settlement_method, order.settlement_method),
        (filters.delivery_name, member(tree, "DeliveryModel").get("deliveryName")),
        (filters.reserve_number, tree.get("reserveNumber")),
        (filters.mail_address, member(tree, "OrdererModel").get("emailAddress")),
    )
    contains: tuple[tuple[Collection[int], object], ...] = (
        (filters.progresses, order.progress),
        (filters.order_types, tree.get("orderType")),
        (_CARRIERS_OF_SITE.get(filters.site_type, ()), tree.get("carrierCode")),
    )
    return (
        all(known == asked for asked, known in equals if asked)
        and all(known in asked for asked, known in contains if asked)
        and _has_sub_status(tree, filters.sub_statuses)
        and _has_blank_rows(order, filters)
        and _has_keyword(order, filters)
        and _has_mail_type(tree, filters.mail_type)
        and _has_phone(order, filters)
        and all(_has_flag(tree, flag) for flag in filters.flags)
    )


def _has_sub_status(tree: Tree, wanted: tuple[int, ...]) -> bool:
    known = tree.get("subStatusId")
    if not wanted:
        return True
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
    texts = _keyword_texts(order, filters.keyword_type)
    return any(filters.keyword == text if filters.is_whole_keyword else filters.keyword in text for text in texts)


def _keyword_texts(order: StoredOrder, keyword_type: int) -> list[str]:
    """Give the texts that a keyword of a type is looked for in."""
    packages = order.packages()
    items = [item for package in packages for item in members(package, "ItemModelList")]
    skus = [sku for item in items for sku in members(item, "SkuModelList")]
    orderer = [member(order.tree, "OrdererModel")]
    senders = [member(package, "SenderModel") for package in packages]
    by_type: dict[int, tuple[list[Tree], tuple[str, ...]]] = {
        1: (items, ("itemName",)),
        2: (items, ("itemNumber",)),
        3: ([order.tree], ("memo",)),
        4: (orderer, ("familyName", "firstName")),
        5: (orderer, ("familyNameKana", "firstNameKana")),
        6: (senders, ("familyName", "firstName")),
        7: (skus, ("variantId",)),
        8: (skus, ("merchantDefinedSkuId",)),
        9: (skus, ("skuInfo",)),
    }
    holders, keys = by_type[keyword_type]
    texts = []
    for holder in holders:
        parts = [value for key in keys if isinstance(value := holder.get(key), str)]
        # Names joined and with a blank: both are how people type them.
        texts += ["".join(parts), " ".join(parts)]
    return texts


def _has_mail_type(tree: Tree, mail_type: int) -> bool:
    is_pc_mail = tree.get("emailCarrierCode") == 0
    return not ((mail_type == _PC_MAIL and not is_pc_mail) or (mail_type == _MOBILE_MAIL and is_pc_mail))


def _has_phone(order: StoredOrder, filters: Filters) -> bool:
    if not filters.phone_number or filters.phone_type is None:
        return True
    if filters.phone_type == _BUYER_PHONE:
        people = [member(order.tree, "OrdererModel")]
    else:
        people = [member(package, "SenderModel") for package in order.packages()]
    return any(_phone(person) == filters.phone_number for person in people)


def _phone(person: Tree) -> str:
    return "".join(str(person.get(f"phoneNumber{part}") or "") for part in (1, 2, 3))
