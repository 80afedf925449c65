"""Does the sums of an order anew from its tree. JPY, whole numbers; UNDECIDED where an amount is not decided.

Source: rakuten-ichiba-orders 8.4 [2+] [wire]; what changed coupons and points become, [?].
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hanro_rakuten_ichiba.simulator.buyers.money import UNDECIDED, Coupon, add, share_coupons, tax_within
from hanro_rakuten_ichiba.simulator.fields import read_number
from hanro_rakuten_ichiba.simulator.orders import Tree, member, members

WRAPPINGS = ("WrappingModel1", "WrappingModel2")
_OF_SHOP = 1


def amount(holder: Tree, key: str) -> int:
    """Read an amount; 0 when it is none."""
    return read_number(holder.get(key)) or 0


def percent(holder: Tree, key: str = "taxRate") -> int:
    """Read a rate in per cent."""
    rate = holder.get(key)
    return round(float(rate) * 100) if isinstance(rate, int | float) else 0


def packages_left(tree: Tree) -> list[Tree]:
    """Give the destinations that were not deleted."""
    return [package for package in members(tree, "PackageModelList") if package.get("packageDeleteFlag") != 1]


def items_left(package: Tree) -> list[Tree]:
    """Give a destination's lines that were not deleted."""
    return [item for item in members(package, "ItemModelList") if item.get("deleteItemFlag") != 1]


def billed(tree: Tree) -> int:
    """Give 総合計: what is billed before points are taken off."""
    coupons = amount(tree, "couponAllTotalPrice")
    return add(
        amount(tree, "totalPrice"),
        amount(tree, "deliveryPrice"),
        amount(tree, "paymentCharge"),
        amount(tree, "additionalFeeOccurAmountToUser"),
        UNDECIDED if coupons == UNDECIDED else -coupons,
    )


@dataclass
class _Rates:
    """Collect by rate: what is in totalPrice, the charges beside it, and of these the settlement's."""

    totals: dict[int, int] = field(default_factory=dict)
    fees: dict[int, int] = field(default_factory=dict)
    charges: dict[int, int] = field(default_factory=dict)

    def add(self, rate: int, total: int, *, fee: int = 0, charge: int = 0) -> None:
        """Add amounts of one rate; undecided ones and nothing at all add no rate's row of their own."""
        if total or fee or charge:
            self.totals[rate] = self.totals.get(rate, 0) + (0 if total == UNDECIDED else total)
            self.fees[rate] = self.fees.get(rate, 0) + (0 if fee == UNDECIDED else fee)
            self.charges[rate] = self.charges.get(rate, 0) + charge


def recalculate(tree: Tree, *, shrinks_coupons: bool) -> None:
    """Write all sums that follow from lines, postage, wrapping, coupons and points.

    Wrapping is counted with the first destination [?]; points are at most what there is to pay [?].
    """
    rates = _Rates()
    left = packages_left(tree)
    for package in members(tree, "PackageModelList"):
        for item in members(package, "ItemModelList"):
            item["priceTaxIncl"] = _with_tax(item)
    for place, package in enumerate(left):
        wrappings = _wrappings(tree) if place == 0 else []
        _sum_package(package, wrappings, rates)
    if shrinks_coupons:
        _shrink(tree, left)
    coupons = list(_coupons(tree))
    _sum_order(tree, left, coupons, rates)
    if tree.get("TaxSummaryModelList") != []:
        is_undecided = UNDECIDED in (tree["postagePrice"], tree["deliveryPrice"])
        tree["TaxSummaryModelList"] = list(_tax_rows(rates, coupons, is_undecided=is_undecided))


def _with_tax(item: Tree) -> int:
    """Give a unit's price with tax, rounded down: 1500 at 10% without tax gives 1650."""
    price = amount(item, "price")
    return price if item.get("includeTaxFlag") == 1 else price * (100 + percent(item)) // 100


def _wrappings(tree: Tree) -> list[Tree]:
    kept = [member(tree, key) for key in WRAPPINGS]
    return [wrapping for wrapping in kept if wrapping and wrapping.get("deleteWrappingFlag") != 1]


def _wrapping_tax(wrapping: Tree) -> int:
    price, rate = amount(wrapping, "price"), percent(wrapping)
    return tax_within(price, rate) if wrapping.get("includeTaxFlag") == 1 else price * rate // 100


def _sum_package(package: Tree, wrappings: list[Tree], rates: _Rates) -> None:
    goods = with_tax = 0
    for item in items_left(package):
        units = amount(item, "units")
        goods += amount(item, "price") * units
        line = amount(item, "priceTaxIncl") * units
        with_tax += line
        # A line of 0 yen still has its rate's row.
        rates.totals.setdefault(percent(item), 0)
        rates.add(percent(item), line)
    for wrapping in wrappings:
        wrapping["taxPrice"] = _wrapping_tax(wrapping)
        price = amount(wrapping, "price")
        whole = price if wrapping.get("includeTaxFlag") == 1 else price + _wrapping_tax(wrapping)
        goods += price
        with_tax += whole
        rates.add(percent(wrapping), whole)
    postage, fee = amount(package, "postagePrice"), amount(package, "deliveryPrice")
    package["goodsPrice"] = goods
    package["totalPrice"] = add(with_tax, postage)
    rates.add(percent(package, "postageTaxRate"), 0 if postage == UNDECIDED else postage)
    rates.add(percent(package, "deliveryTaxRate"), 0, fee=fee)


def _sum_order(tree: Tree, left: list[Tree], coupons: list[Coupon], rates: _Rates) -> None:
    tree["goodsPrice"] = sum(amount(package, "goodsPrice") for package in left)
    for key in ("postagePrice", "deliveryPrice", "totalPrice"):
        tree[key] = add(*(amount(package, key) for package in left))
    charge = amount(tree, "paymentCharge")
    rates.add(percent(tree, "paymentChargeTaxRate"), 0, charge=charge)
    tree["couponAllTotalPrice"] = add(*(coupon.amount for coupon in coupons))
    tree["couponShopPrice"] = add(*(coupon.amount for coupon in coupons if coupon.is_of_shop))
    tree["couponOtherPrice"] = add(*(coupon.amount for coupon in coupons if not coupon.is_of_shop))
    payable = billed(tree)
    points = member(tree, "PointModel")
    used = amount(points, "usedPoint")
    if payable != UNDECIDED and used > max(payable, 0):
        points["usedPoint"] = used = max(payable, 0)
    tree["requestPrice"] = add(payable, -used)


def _find_line(tree: Tree, coupon: Tree) -> tuple[Tree | None, bool]:
    """Give the line that a coupon is bound to, None when it is gone, and whether the coupon is bound at all."""
    detail_id = coupon.get("itemDetailId")
    if not detail_id:
        return None, False
    lines = (item for package in packages_left(tree) for item in items_left(package))
    return next((item for item in lines if item.get("itemDetailId") == detail_id), None), True


def _coupons(tree: Tree) -> Iterator[Coupon]:
    for coupon in members(tree, "CouponModelList"):
        price, units = read_number(coupon.get("couponPrice")), read_number(coupon.get("couponUnit"))
        total = UNDECIDED if price is None or units is None else price * units
        coupon["couponTotalPrice"] = total
        line, _ = _find_line(tree, coupon)
        rate = None if line is None else percent(line)
        yield Coupon(coupon, total, rate, coupon.get("couponCapitalCode") == _OF_SHOP)


def _shrink(tree: Tree, left: list[Tree]) -> None:
    """Let coupons fit what is left: no more units than their line has, no more yen than the goods cost [?]."""
    goods = sum(amount(item, "priceTaxIncl") * amount(item, "units") for one in left for item in items_left(one))
    for coupon in sorted(members(tree, "CouponModelList"), key=lambda one: not one.get("itemDetailId")):
        line, is_bound = _find_line(tree, coupon)
        price, units = read_number(coupon.get("couponPrice")), read_number(coupon.get("couponUnit"))
        if price is None or units is None:
            continue
        if is_bound:
            units = min(units, 0 if line is None else amount(line, "units"))
        if units:
            price = min(price, goods // units)
        coupon["couponPrice"], coupon["couponUnit"] = price, units
        goods -= price * units


def _tax_rows(rates: _Rates, coupons: list[Coupon], *, is_undecided: bool) -> Iterator[Tree]:
    """Give a TaxSummaryModel for each rate, highest first; points are not deducted."""
    totals = dict(sorted(rates.totals.items(), reverse=True))
    shares = share_coupons(totals, coupons)
    for rate, total in totals.items():
        charge = rates.charges.get(rate, 0)
        request = total + rates.fees.get(rate, 0) + charge - shares[rate]
        yield {
            "taxRate": rate / 100,
            "reqPrice": UNDECIDED if is_undecided else request,
            "reqPriceTax": UNDECIDED if is_undecided else tax_within(request, rate),
            "totalPrice": UNDECIDED if is_undecided else total,
            "paymentCharge": charge,
            "couponPrice": shares[rate],
            "point": 0,
        }
