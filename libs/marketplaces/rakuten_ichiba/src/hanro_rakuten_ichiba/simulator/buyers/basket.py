"""Packs the lines of an order into parcels and chooses the coupons and points that its buyer uses."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

from hanro_rakuten_ichiba.simulator.buyers import settlements
from hanro_rakuten_ichiba.simulator.buyers.catalogue import Line
from hanro_rakuten_ichiba.simulator.buyers.money import UNDECIDED, Coupon, Parcel
from hanro_rakuten_ichiba.simulator.buyers.occasions import Occasion

WRAPPING_PAPER_JPY = 150
RIBBON_JPY = 200
_POSTAGE_JPY = 660
_POSTAGE_FREE_FROM_JPY = 9_800
_SHOP_COUPON_JPY = 250
_SERVICE_COUPON_JPY = 100


def pack(chance: random.Random, occasion: Occasion) -> tuple[Parcel, ...]:
    """Pack the lines for one destination, or for 2 to 3 when the buyer wants several and has that many lines.

    Wrapping is counted with the first destination: the documents show it only for one destination [?].
    """
    groups: list[Sequence[Line]] = [occasion.lines]
    if occasion.kind == "several-destinations" and len(occasion.lines) > 1:
        count = min(len(occasion.lines), chance.choice((2, 2, 3)))
        groups = [occasion.lines[start::count] for start in range(count)]
    wrapping = WRAPPING_PAPER_JPY + RIBBON_JPY if occasion.is_wrapped else 0
    return tuple(
        Parcel(
            lines=tuple(group),
            postage=_postage(occasion, group),
            delivery_fee=_delivery_fee(occasion),
            wrapping=wrapping if place == 0 else 0,
        )
        for place, group in enumerate(groups)
    )


def choose_coupons(
    chance: random.Random, occasion: Occasion, first: Line, *, detail_id: int, placed_on: date
) -> tuple[Coupon, ...]:
    """Choose a shop's coupon on the first line, a coupon of Rakuten's on the order, or both. Source: 5.11 [2+]."""
    coupons: list[Coupon] = []
    if not occasion.has_coupons:
        return ()
    wants_service = chance.random() < 0.5  # noqa: PLR2004  a weight
    can_shop = first.unit_price_with_tax >= 2 * _SHOP_COUPON_JPY
    if can_shop and (not wants_service or chance.random() < 0.5):  # noqa: PLR2004  a weight
        model = _coupon(
            chance,
            placed_on,
            name="商品250円引き",
            capital="ショップ",
            capital_code=1,
            price=_SHOP_COUPON_JPY,
            units=first.units,
        )
        model |= {"itemId": first.item_id, "itemDetailId": detail_id}
        coupons.append(_used(model, tax_percent=first.tax_percent))
    if wants_service and first.unit_price_with_tax >= 5 * _SERVICE_COUPON_JPY and first.units > 0:
        model = _coupon(
            chance,
            placed_on,
            name="お買い物100円クーポン",
            capital="サービス",
            capital_code=3,
            price=_SERVICE_COUPON_JPY,
            units=1,
        )
        coupons.append(_used(model, tax_percent=None))
    return tuple(coupons)


def choose_points(chance: random.Random, occasion: Occasion, *, payable: int) -> int:
    """Choose how many points are used: all that is payable, some, or none; never on an undecided amount."""
    if payable <= 0:
        return 0
    if occasion.kind == "points-only":
        return payable
    return min(chance.choice((1, 100, 300, 777)), payable - 1) if occasion.has_points else 0


def _postage(occasion: Occasion, lines: Sequence[Line]) -> int:
    if occasion.kind == "undecided-postage":
        return UNDECIDED
    goods = sum(line.unit_price_with_tax * line.units for line in lines)
    is_free = goods >= _POSTAGE_FREE_FROM_JPY or all(line.is_postage_free for line in lines)
    return 0 if is_free else _POSTAGE_JPY


def _delivery_fee(occasion: Occasion) -> int:
    if occasion.kind == "undecided-fee":
        return UNDECIDED
    return settlements.CASH_ON_DELIVERY_FEE_JPY if occasion.method == settlements.CASH_ON_DELIVERY else 0


def _coupon(
    chance: random.Random, placed_on: date, *, name: str, capital: str, capital_code: int, price: int, units: int
) -> dict[str, object]:
    return {
        "couponCode": f"AAAA-BBBB-CCCC-{chance.randrange(10_000):04d}",
        "itemId": 0,
        "couponName": name,
        "couponSummary": f"定額割引 {price}円",
        "couponCapital": capital,
        "couponCapitalCode": capital_code,
        "expiryDate": (placed_on + timedelta(days=20)).isoformat(),
        "couponPrice": price,
        "couponUnit": units,
        "couponTotalPrice": price * units,
        "itemDetailId": 0,
    }


def _used(model: dict[str, object], *, tax_percent: int | None) -> Coupon:
    amount = model["couponTotalPrice"]
    assert isinstance(amount, int)  # noqa: S101  tells the type checker what _coupon wrote
    return Coupon(model=model, amount=amount, tax_percent=tax_percent, is_of_shop=model["couponCapitalCode"] == 1)
