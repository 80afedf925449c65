"""Invents one order: decides the occasion, does the sums and hands back the newest OrderModel tree."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from hanro_rakuten_ichiba.simulator.buyers import basket, settlements
from hanro_rakuten_ichiba.simulator.buyers.money import Sums
from hanro_rakuten_ichiba.simulator.buyers.occasions import KINDS, Occasion, decide_occasion
from hanro_rakuten_ichiba.simulator.buyers.order_tree import Invention, order_model
from hanro_rakuten_ichiba.simulator.buyers.people import (
    ORDERER_KEYS,
    invent_person,
    orderer_model,
    sender_model,
    waiting_sender_model,
)

__all__ = ["KINDS", "invent_order"]

_JST = timezone(timedelta(hours=9))
# The first invented order of a shop ends like the sample of 15.2; ids grow past the signed 32-bit limit after a few
# hundred orders, because real ones were close to it in 2023 (5.6 [wire]).
_NUMBER_BEFORE_FIRST = 123_456_788
_DETAIL_ID_BEFORE_FIRST = 2_147_480_000
_DETAIL_IDS_PER_ORDER = 10


def invent_order(
    random: random.Random, *, shop_number: str, placed_at: datetime, sequence: int, wishes: Mapping[str, object]
) -> dict[str, object]:
    """Invent an order of a synthetic Japanese buyer: a complete OrderModel of version 10.

    Key order, nulls and types are those of the full sample, all sums of 8.4 hold, and `basketId` is the package's
    smallest `itemDetailId`. The same random state and arguments give the same order; every fifth `sequence` carries
    characters that break careless cp932 code. `placed_at` is aware. `wishes`, all optional: `lines` (objects of
    manageNumber, variantId, merchantDefinedSkuId, units, price, taxRate, itemName, includeTaxFlag; at most 10),
    `progress` (state of 7.1, 100 when absent), `buyer` (members of OrdererModel), `is_plain` (no extras), `kind` (one
    of KINDS).

    Raises:
        ValueError: a wish that no order can fulfil.

    Source: rakuten-ichiba-orders 5.2 to 5.14, 8.4 [2+], sample 15.2.
    """
    occasion = decide_occasion(random, sequence=sequence, wishes=wishes)
    if len(occasion.lines) > _DETAIL_IDS_PER_ORDER:
        raise ValueError(f"an invented order has at most {_DETAIL_IDS_PER_ORDER} lines")
    local_time = placed_at.astimezone(_JST).replace(microsecond=0)
    person = invent_person(random, is_awkward=occasion.is_awkward)
    orderer = _fulfil_buyer(orderer_model(random, person), occasion)
    settlement = settlements.choose_settlement(
        random,
        occasion.method,
        placed_on=local_time.date(),
        card_owner=person.latin_name,
        is_plain=occasion.is_plain,
    )
    parcels = basket.pack(random, occasion)
    first_detail_id = _DETAIL_ID_BEFORE_FIRST + sequence * _DETAIL_IDS_PER_ORDER
    coupons = basket.choose_coupons(
        random, occasion, parcels[0].lines[0], detail_id=first_detail_id, placed_on=local_time.date()
    )
    before_points = Sums(parcels=parcels, payment_charge=settlement.charge, coupons=coupons, used_point=0)
    used_point = basket.choose_points(random, occasion, payable=before_points.request_price)
    return order_model(
        random,
        Invention(
            occasion=occasion,
            shop_number=shop_number,
            order_number=f"{shop_number}-{local_time:%Y%m%d}-{_NUMBER_BEFORE_FIRST + sequence:010d}",
            sequence=sequence,
            placed_at=local_time,
            first_detail_id=first_detail_id,
            orderer=orderer,
            senders=_senders(random, occasion, orderer, count=len(parcels)),
            settlement=settlement,
            sums=Sums(parcels=parcels, payment_charge=settlement.charge, coupons=coupons, used_point=used_point),
        ),
    )


def _fulfil_buyer(orderer: dict[str, object], occasion: Occasion) -> dict[str, object]:
    unknown = set(occasion.buyer) - set(ORDERER_KEYS)
    if unknown:
        raise ValueError(f"OrdererModel has no {sorted(unknown)}")
    return orderer | occasion.buyer


def _senders(
    chance: random.Random, occasion: Occasion, orderer: dict[str, object], *, count: int
) -> tuple[dict[str, object], ...]:
    """Choose who receives each parcel: the buyer, somebody else for gifts, somebody unknown for a social gift."""
    if occasion.kind == "social-gift":
        return (waiting_sender_model(),)
    goes_elsewhere = count > 1 or occasion.is_gift
    if not goes_elsewhere:
        return (sender_model(orderer),)
    return tuple(sender_model(invent_person(chance, is_awkward=occasion.is_awkward).address) for _ in range(count))
