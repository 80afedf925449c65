"""Writes the OrderModel of version 10 in the key order of the full sample, rakuten-ichiba-orders 15.2."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hanro_rakuten_ichiba.simulator.buyers import settlements
from hanro_rakuten_ichiba.simulator.buyers.basket import RIBBON_JPY, WRAPPING_PAPER_JPY
from hanro_rakuten_ichiba.simulator.buyers.money import STANDARD_PERCENT, Sums, tax_within
from hanro_rakuten_ichiba.simulator.buyers.occasions import Occasion
from hanro_rakuten_ichiba.simulator.buyers.packages import TAX_RATE_STANDARD, package_model, social_gift_model
from hanro_rakuten_ichiba.simulator.buyers.progress import change_reasons, times
from hanro_rakuten_ichiba.simulator.buyers.settlements import Settlement

_WEEKDAYS = "月火水木金土日"
_BANDS = ((1, "午前中"), (1214, "12:00-14:00"), (1618, "16:00-18:00"), (1820, "18:00-20:00"), (1921, "19:00-21:00"))
_PAYMENT_DAYS = 10
_ORDINARY, _PRE_ORDER = 1, 6
# Older orders have none (5.2).
_TAX_ROWS_SINCE = date(2019, 7, 30)
_DROP_OFF_PLACES = ("宅配ボックス", "玄関前", "物置")
_AWKWARD_REMARK = "①階の㈱髙﨑へ〜ｻﾝﾌﾟﾙ様気付、表のソ能工業まで。"


@dataclass(frozen=True)
class Invention:
    """An order that has been decided in full and only needs writing; `senders` has one entry per parcel."""

    occasion: Occasion
    shop_number: str
    order_number: str
    sequence: int
    placed_at: datetime
    first_detail_id: int
    orderer: dict[str, object]
    senders: tuple[dict[str, object], ...]
    settlement: Settlement
    sums: Sums


def order_model(chance: random.Random, invention: Invention) -> dict[str, object]:
    """Return the tree of an invented order. Source: rakuten-ichiba-orders 5.2 [2+]."""
    occasion = invention.occasion
    placed_on = invention.placed_at.date()
    delivery_date, term, remarks = _delivery_wish(chance, occasion, placed_on)
    return {
        "orderNumber": invention.order_number,
        "orderProgress": occasion.progress,
        "subStatusId": None,
        "subStatusName": None,
        **times(invention.placed_at, occasion.progress),
        "deliveryDate": delivery_date,
        "shippingTerm": term,
        "remarks": remarks,
        **_flags(chance, invention),
        **_amounts(invention.sums),
        "asurakuFlag": 0,
        "drugFlag": 0,
        "dealFlag": 0,
        "deliveryCertPrgFlag": 0 if occasion.is_plain else chance.choice((0, 0, 1)),
        "oneDayOperationFlag": 0,
        "membershipType": 0,
        "memo": None,
        "operator": None,
        "mailPlugSentence": None,
        "modifyFlag": 0,
        "receiptIssueCount": 0,
        "receiptIssueHistoryList": [],
        "OrdererModel": invention.orderer,
        "SettlementModel": invention.settlement.model,
        "DeliveryModel": {"deliveryName": _delivery_name(occasion), "deliveryClass": 1},
        "PointModel": {"usedPoint": invention.sums.used_point},
        "WrappingModel1": _wrapping(1, "花柄包装紙", WRAPPING_PAPER_JPY) if occasion.is_wrapped else None,
        "WrappingModel2": _wrapping(2, "赤いリボン", RIBBON_JPY) if occasion.is_wrapped else None,
        "PackageModelList": _packages(chance, invention),
        "CouponModelList": [coupon.model for coupon in invention.sums.coupons] or None,
        "ChangeReasonModelList": change_reasons(invention.placed_at, occasion.progress, invention.sequence),
        "TaxSummaryModelList": invention.sums.tax_rows() if placed_on >= _TAX_ROWS_SINCE else [],
        "DueDateModelList": _due_dates(invention),
    }


def _flags(chance: random.Random, invention: Invention) -> dict[str, object]:
    occasion = invention.occasion
    is_pre_order = occasion.kind == "pre-order"
    sender = invention.senders[0]
    equals_buyer = len(invention.senders) == 1 and all(
        invention.orderer[key] == value for key, value in sender.items() if key != "isolatedIslandFlag"
    )
    return {
        "giftCheckFlag": int(occasion.is_gift),
        "socialGiftFlag": int(occasion.kind == "social-gift"),
        "severalSenderFlag": int(len(invention.senders) > 1),
        "equalSenderFlag": int(equals_buyer),
        "isolatedIslandFlag": int(any(each["isolatedIslandFlag"] for each in invention.senders)),
        "rakutenMemberFlag": 1,
        "carrierCode": chance.choice((0, 11, 11, 12, 12, 21)),
        "emailCarrierCode": 0,
        "orderType": _PRE_ORDER if is_pre_order else _ORDINARY,
        "reserveNumber": (
            f"{invention.shop_number}-{invention.placed_at:%Y%m%d}-{invention.sequence:06d}-r" if is_pre_order else None
        ),
        "reserveDeliveryCount": 1 if is_pre_order else None,
        "cautionDisplayType": 0,
        "cautionDisplayDetailType": None,
        "rakutenConfirmFlag": 0,
    }


def _amounts(sums: Sums) -> dict[str, object]:
    of_shop = sum(coupon.amount for coupon in sums.coupons if coupon.is_of_shop)
    return {
        "goodsPrice": sum(parcel.goods_price for parcel in sums.parcels),
        "postagePrice": sums.postage,
        "deliveryPrice": sums.delivery_fee,
        "paymentCharge": sums.payment_charge,
        "paymentChargeTaxRate": TAX_RATE_STANDARD,
        "totalPrice": sums.total_price,
        "requestPrice": sums.request_price,
        "couponAllTotalPrice": sums.coupon_total,
        "couponShopPrice": of_shop,
        "couponOtherPrice": sums.coupon_total - of_shop,
        "additionalFeeOccurAmountToUser": 0,
        "additionalFeeOccurAmountToShop": 0,
    }


def _delivery_wish(chance: random.Random, occasion: Occasion, placed_on: date) -> tuple[str | None, int | None, str]:
    """Return the wished date and band with the remarks that repeat them. Source: 5.2 on remarks [wire]."""
    lines = ["[配送日時指定:]"]
    delivery_date, term = None, None
    if not occasion.is_plain and chance.random() < 0.5:  # noqa: PLR2004  a weight
        wished = placed_on + timedelta(days=chance.choice((3, 4, 5)))
        term, band = chance.choice(_BANDS)
        delivery_date = wished.isoformat()
        lines += [f"{delivery_date}({_WEEKDAYS[wished.weekday()]})", band]
    lines.append("")
    if occasion.is_awkward:
        lines.append(_AWKWARD_REMARK)
    elif not occasion.is_plain and chance.random() < 0.2:  # noqa: PLR2004  a weight
        lines.append("不在時は宅配ボックスへお願いします。")
    return delivery_date, term, "\n".join(lines) + "\n"


def _delivery_name(occasion: Occasion) -> str:
    return "コンビニ受取" if occasion.kind == "convenience-store-pick-up" else "宅配便"


def _wrapping(title: int, name: str, price: int) -> dict[str, object]:
    return {
        "title": title,
        "name": name,
        "price": price,
        "includeTaxFlag": 1,
        "deleteWrappingFlag": 0,
        "taxRate": TAX_RATE_STANDARD,
        "taxPrice": tax_within(price, STANDARD_PERCENT),
    }


def _packages(chance: random.Random, invention: Invention) -> list[dict[str, object]]:
    occasion = invention.occasion
    packages: list[dict[str, object]] = []
    detail_id = invention.first_detail_id
    is_pick_up = occasion.kind == "convenience-store-pick-up"
    is_gift_unanswered = occasion.kind == "social-gift"
    can_drop = not (occasion.is_plain or is_pick_up or is_gift_unanswered)
    for parcel, sender in zip(invention.sums.parcels, invention.senders, strict=True):
        drops = can_drop and chance.random() < 0.3  # noqa: PLR2004  a weight
        package = package_model(
            parcel,
            sender,
            first_detail_id=detail_id,
            placed_at=invention.placed_at,
            progress=occasion.progress,
            noshi="御祝" if occasion.is_gift and chance.random() < 0.5 else None,  # noqa: PLR2004  a weight
            drop_off=chance.choice(_DROP_OFF_PLACES) if drops else None,
            is_pick_up=is_pick_up,
            social_gift=(
                social_gift_model(invention.shop_number, invention.placed_at.date(), invention.sequence)
                if is_gift_unanswered
                else None
            ),
        )
        packages.append(package)
        detail_id += len(parcel.lines)
    return packages


def _due_dates(invention: Invention) -> list[dict[str, object]]:
    """Return the payment's due date of a prepaid order; the other kinds of date come with later events."""
    if invention.settlement.method not in settlements.PREPAID:
        return []
    due = invention.placed_at.date() + timedelta(days=_PAYMENT_DAYS)
    return [{"dueDateType": 0, "dueDate": due.isoformat()}]
