"""Reads what updateOrderSender restates and writes it into a copy of the order's tree.

Members that are absent stay as they are, unless the manual requires them; every destination, line, wrapping and coupon
that the order has is named, for what leaving one out does is unknown [?].

Source: rakuten-ichiba-orders 4.11, 5.5 to 5.11.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from hanro_rakuten_ichiba.simulator.buyers.money import UNDECIDED
from hanro_rakuten_ichiba.simulator.changing.people import change_address
from hanro_rakuten_ichiba.simulator.changing.totals import WRAPPINGS, amount, items_left, packages_left
from hanro_rakuten_ichiba.simulator.code_lists import DROP_OFF_PLACES, NO_DROP_OFF, TAX_RATES
from hanro_rakuten_ichiba.simulator.fields import Fields
from hanro_rakuten_ichiba.simulator.orders import Tree, member, members

_AMOUNTS = range(10**9)
_FLAG, _RESTORE = (0, 1), (0, 1, 2)
_LONGEST_NAME, _LONGEST_NUMBER, _LONGEST_WRAPPING, _LONGEST_CHOICE, _LONGEST_NOSHI = 1000, 125, 125, 4000, 125
_ITEM_NUMBERS: Mapping[str, Collection[int]] = {
    "price": _AMOUNTS,
    "units": _AMOUNTS,
    "includePostageFlag": _FLAG,
    "includeTaxFlag": _FLAG,
    "includeCashOnDeliveryPostageFlag": _FLAG,
    "restoreInventoryFlag": _RESTORE,
    "deleteItemFlag": _FLAG,
}
_SKU_INFO_NEEDED = ("ERROR_139", "(text unknown: skuInfo is needed)")
_FEE_NEEDED = ("ERROR_136", "(text unknown: the fee of cash on delivery is needed)")


@dataclass
class Restatement:
    """Collect a restatement: `tree` is the changed copy, `refusals` have codes of their own, others are in `fields`."""

    fields: Fields
    tree: Tree
    is_cash_on_delivery: bool
    needs_fee: bool
    refusals: list[tuple[str, str]] = field(default_factory=list)

    def restate(self) -> None:
        """Read the whole request."""
        self._restate_wrappings()
        self._restate_packages()
        self._restate_coupons()
        self._set_flags()

    def _restate_wrappings(self) -> None:
        for title, key in enumerate(WRAPPINGS, start=1):
            known = member(self.tree, key)
            if known and known.get("deleteWrappingFlag") != 1:
                self.fields.require(key)
            part = self.fields.part(key)
            if part is None:
                continue
            wrapping = known or {"title": title, "name": None, "price": 0, "includeTaxFlag": 1}
            for missing in ("deleteWrappingFlag", "taxRate", "taxPrice"):
                wrapping.setdefault(missing, 0)
            wrapping["title"] = part.number("title", (title,)) or title
            if part.holds("name"):
                wrapping["name"] = part.words("name", _LONGEST_WRAPPING)
            _put_numbers(part, wrapping, {"price": _AMOUNTS, "includeTaxFlag": _FLAG, "deleteWrappingFlag": _FLAG})
            _put_rate(part, wrapping, "taxRate")
            self.tree[key] = wrapping

    def _restate_packages(self) -> None:
        known = members(self.tree, "PackageModelList")
        left = packages_left(self.tree)
        for part in self.fields.parts("PackageModelList"):
            part.require("basketId")
            basket_id = part.number("basketId")
            package = _find(known, "basketId", basket_id)
            if package is None:
                if basket_id is not None:
                    self.fields.beyond.append("no such basketId")
                continue
            left = [one for one in left if one is not package]
            self._restate_package(part, package)
        if left:
            self.fields.beyond.append("a destination is left out")
        if not any(items_left(package) for package in packages_left(self.tree)):
            self.fields.beyond.append("nothing is left of the order: cancel it")

    def _restate_package(self, part: Fields, package: Tree) -> None:
        for key in ("postageTaxRate", "SenderModel", "ItemModelList"):
            part.require(key)
        if self.is_cash_on_delivery:
            if self.needs_fee and not part.has("deliveryPrice"):
                self.refusals.append(_FEE_NEEDED)
            else:
                part.require("deliveryPrice")
            part.require("deliveryTaxRate")
        _put_amounts(part, package, "postagePrice", "deliveryPrice")
        _put_numbers(part, package, {"packageDeleteFlag": _FLAG})
        _put_rate(part, package, "postageTaxRate")
        _put_rate(part, package, "deliveryTaxRate")
        if part.holds("noshi"):
            package["noshi"] = part.words("noshi", _LONGEST_NOSHI)
        if part.holds("dropOffLocation"):
            _put_drop_off(part, package)
        sender = part.part("SenderModel")
        if sender is not None:
            change_address(sender, member(package, "SenderModel"))
        self._restate_items(part, package)

    def _restate_items(self, part: Fields, package: Tree) -> None:
        known = members(package, "ItemModelList")
        left = items_left(package)
        for named in part.parts("ItemModelList"):
            named.require("itemDetailId")
            detail_id = named.number("itemDetailId")
            item = _find(known, "itemDetailId", detail_id)
            if item is None:
                if detail_id is not None:
                    self.fields.beyond.append("no such itemDetailId")
                continue
            left = [one for one in left if one is not item]
            if named.has("itemName"):
                item["itemName"] = named.words("itemName", _LONGEST_NAME)
            for key, most in (("itemNumber", _LONGEST_NUMBER), ("selectedChoice", _LONGEST_CHOICE)):
                if named.holds(key):
                    item[key] = named.words(key, most)
            _put_numbers(named, item, _ITEM_NUMBERS)
            _put_rate(named, item, "taxRate")
            self._restate_skus(named, item)
        if left:
            self.fields.beyond.append("a line is left out")

    def _restate_skus(self, named: Fields, item: Tree) -> None:
        """Read the SKU of a line; that of several SKUs needs its skuInfo (ERROR_139)."""
        known = members(item, "SkuModelList")
        parts = named.parts("SkuModelList")
        if any(sku.get("skuInfo") for sku in known) and not all(part.has("skuInfo") for part in parts or [named]):
            self.refusals.append(_SKU_INFO_NEEDED)
        for part, sku in zip(parts, known, strict=False):
            variant_id = part.words("variantId", _LONGEST_NUMBER)
            if variant_id is not None and variant_id != sku.get("variantId"):
                self.fields.beyond.append("variantId cannot change")
            for key in ("merchantDefinedSkuId", "skuInfo"):
                if part.holds(key):
                    sku[key] = part.words(key, _LONGEST_CHOICE)

    def _restate_coupons(self) -> None:
        known = members(self.tree, "CouponModelList")
        if known:
            self.fields.require("CouponModelList")
        left = list(known)
        for part in self.fields.parts("CouponModelList"):
            part.require("couponCode")
            code, item_id = part.words("couponCode", _LONGEST_NUMBER), part.number("itemId") or 0
            coupon = next((one for one in left if one.get("couponCode") == code and one.get("itemId") == item_id), None)
            if coupon is None:
                self.fields.beyond.append("no such coupon")
                continue
            left.remove(coupon)
            units = part.number("couponUnit", _AMOUNTS)
            if units is not None and units > amount(coupon, "couponUnit"):
                self.fields.beyond.append("couponUnit cannot grow")
            _put_numbers(part, coupon, {"couponPrice": _AMOUNTS, "couponUnit": _AMOUNTS})
        if left and self.fields.has("CouponModelList"):
            self.fields.beyond.append("a coupon is left out")

    def _set_flags(self) -> None:
        """Tell anew whether there are several destinations, and whether the only one is the buyer's."""
        left = packages_left(self.tree)
        self.tree["severalSenderFlag"] = int(len(left) > 1)
        orderer = member(self.tree, "OrdererModel")
        senders = [member(package, "SenderModel") for package in left]
        self.tree["equalSenderFlag"] = int(
            len(senders) == 1
            and all(orderer.get(key) == value for key, value in senders[0].items() if key != "isolatedIslandFlag")
        )


def _find(holders: Iterable[Tree], key: str, number: int | None) -> Tree | None:
    """Give what has that number; trees that a test broke may hold anything there, lists too."""
    return next((one for one in holders if number is not None and one.get(key) == number), None)


def _put_numbers(fields: Fields, target: Tree, allowed: Mapping[str, Collection[int]]) -> None:
    for key, values in allowed.items():
        number = fields.number(key, values)
        if number is not None:
            target[key] = number


def _put_amounts(fields: Fields, target: Tree, *keys: str) -> None:
    """Put amounts that may be undecided."""
    for key in keys:
        number = fields.number(key)
        if number is not None and number != UNDECIDED and number not in _AMOUNTS:
            fields.malformed.append(key)
        elif number is not None:
            target[key] = number


def _put_rate(fields: Fields, target: Tree, key: str) -> None:
    rate = fields.rate(key, TAX_RATES)
    if rate is not None:
        target[key] = rate


def _put_drop_off(fields: Fields, package: Tree) -> None:
    place = fields.words("dropOffLocation", _LONGEST_NUMBER)
    if place in (None, NO_DROP_OFF):
        package["dropOffFlag"], package["dropOffLocation"] = 0, None
    elif place in DROP_OFF_PLACES:
        package["dropOffFlag"], package["dropOffLocation"] = 1, place
    else:
        fields.malformed.append("dropOffLocation")
