"""Does the sums of an order: goods, totals and the tax row of each rate. JPY, whole numbers, tax rates in per cent.

Source: rakuten-ichiba-orders 8.4; checked there against 665 real orders [wire].
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hanro_rakuten_ichiba.simulator.buyers.catalogue import Line

UNDECIDED = -9999
STANDARD_PERCENT = 10


@dataclass(frozen=True)
class Parcel:
    """What goes to one destination. `postage` and `delivery_fee` (cash on delivery) may be UNDECIDED."""

    lines: tuple[Line, ...]
    postage: int
    delivery_fee: int
    wrapping: int = 0

    @property
    def goods_price(self) -> int:
        """Goods as priced, which leaves out the tax of tax-exclusive items, plus wrapping."""
        return sum(line.price * line.units for line in self.lines) + self.wrapping

    @property
    def goods_price_with_tax(self) -> int:
        """Goods with tax, plus wrapping."""
        return sum(line.unit_price_with_tax * line.units for line in self.lines) + self.wrapping

    @property
    def total_price(self) -> int:
        """Goods with tax plus postage, without the fee of cash on delivery; UNDECIDED with the postage."""
        return add(self.goods_price_with_tax, self.postage)


@dataclass(frozen=True)
class Coupon:
    """A coupon as it was used; `item_detail_id` is 0 when it is not bound to a line, `tax_percent` then None."""

    model: dict[str, object]
    amount: int
    tax_percent: int | None
    is_of_shop: bool


@dataclass(frozen=True)
class Sums:
    """The amounts of an order and its tax rows."""

    parcels: Sequence[Parcel]
    payment_charge: int
    coupons: Sequence[Coupon]
    used_point: int

    @property
    def postage(self) -> int:
        """Postage of all destinations."""
        return add(*(parcel.postage for parcel in self.parcels))

    @property
    def delivery_fee(self) -> int:
        """Cash-on-delivery fee of all destinations."""
        return add(*(parcel.delivery_fee for parcel in self.parcels))

    @property
    def total_price(self) -> int:
        """Goods with tax, wrapping and postage."""
        return add(*(parcel.total_price for parcel in self.parcels))

    @property
    def coupon_total(self) -> int:
        """What all coupons take off."""
        return sum(coupon.amount for coupon in self.coupons)

    @property
    def request_price(self) -> int:
        """What is left to pay; never under 0 because coupons and points were chosen within the total."""
        return add(self.total_price, self.delivery_fee, self.payment_charge, -self.coupon_total, -self.used_point)

    def tax_rows(self) -> list[dict[str, object]]:
        """Return one TaxSummaryModel per rate, highest rate first.

        Points are not deducted (since 2022-04-01); tax is rounded down. Rows lose their sums to UNDECIDED with the
        postage or the fee.
        """
        totals = self._totals_by_percent()
        shares = share_coupons(totals, self.coupons)
        is_undecided = UNDECIDED in (self.postage, self.delivery_fee)
        rows: list[dict[str, object]] = []
        for percent, total in totals.items():
            is_standard = percent == STANDARD_PERCENT
            charge = self.payment_charge if is_standard else 0
            fee = self.delivery_fee if is_standard else 0
            request = total + charge + fee - shares[percent]
            rows.append(
                {
                    "taxRate": percent / 100,
                    "reqPrice": UNDECIDED if is_undecided else request,
                    "reqPriceTax": UNDECIDED if is_undecided else tax_within(request, percent),
                    "totalPrice": UNDECIDED if is_undecided else total,
                    "paymentCharge": charge,
                    "couponPrice": shares[percent],
                    "point": 0,
                }
            )
        return rows

    def _totals_by_percent(self) -> dict[int, int]:
        totals: dict[int, int] = {}
        for parcel in self.parcels:
            for line in parcel.lines:
                amount = line.unit_price_with_tax * line.units
                totals[line.tax_percent] = totals.get(line.tax_percent, 0) + amount
        decided_postage = sum(parcel.postage for parcel in self.parcels if parcel.postage != UNDECIDED)
        standard = sum(parcel.wrapping for parcel in self.parcels) + decided_postage
        if standard or self.payment_charge or self.delivery_fee:
            totals[STANDARD_PERCENT] = totals.get(STANDARD_PERCENT, 0) + standard
        return dict(sorted(totals.items(), reverse=True))


def add(*amounts: int) -> int:
    """Add amounts; one UNDECIDED makes the sum UNDECIDED."""
    return UNDECIDED if UNDECIDED in amounts else sum(amounts)


def tax_within(amount: int, percent: int) -> int:
    """Return the tax inside an amount, rounded down: 2150 at 10 gives 195 [wire]."""
    return amount * percent // (100 + percent)


def share_coupons(totals: dict[int, int], coupons: Iterable[Coupon]) -> dict[int, int]:
    """Lay bound coupons on the rate of their line and spread the others by total; the last rate takes the rest.

    The split of 15.2 comes out so: 500 bound to 10% and 100 spread over 8970 and 1080 give 589 and 11.
    """
    shares = dict.fromkeys(totals, 0)
    total = sum(totals.values())
    for coupon in coupons:
        if not totals or coupon.amount == UNDECIDED:
            continue
        if coupon.tax_percent in shares:
            shares[coupon.tax_percent] += coupon.amount
            continue
        left = coupon.amount
        *heads, last = totals
        for percent in heads:
            part = coupon.amount * totals[percent] // (total or 1)
            shares[percent] += part
            left -= part
        shares[last] += left
    return shares
