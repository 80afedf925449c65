"""Restates an order without what is cancelled: everything that it has stands in the request, for it replaces all."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hanro.marketplace.types import Cancellation, CancelReason, LinePart, OrderStatus, Party, SeenOrder
from hanro_rakuten_ichiba.effects import Verdict, rejected

Tree = dict[str, Any]

_WRAPPING = ("title", "name", "price", "taxRate", "includeTaxFlag", "deleteWrappingFlag")
_PACKAGE = ("basketId", "postagePrice", "postageTaxRate", "deliveryPrice", "deliveryTaxRate", "noshi")
_SENDER = (
    "zipCode1", "zipCode2", "prefecture", "city", "subAddress", "familyName", "firstName", "familyNameKana",
    "firstNameKana", "phoneNumber1", "phoneNumber2", "phoneNumber3",
)  # fmt: skip
_ITEM = (
    "itemDetailId", "itemName", "itemNumber", "price", "taxRate", "units", "includePostageFlag", "includeTaxFlag",
    "includeCashOnDeliveryPostageFlag", "selectedChoice", "restoreInventoryFlag", "deleteItemFlag",
)  # fmt: skip
_SKU = ("variantId", "merchantDefinedSkuId", "skuInfo")
_COUPON = ("couponCode", "itemId", "couponPrice", "couponUnit")
_REASONS = {
    CancelReason.OUT_OF_STOCK: 8,
    CancelReason.BUYER_WISH: 1,
    CancelReason.AREA: 10,
    CancelReason.DELAY: 13,
    CancelReason.UNPAID: 4,
    CancelReason.UNDELIVERED: 3,
    CancelReason.RETURNED: 2,
    CancelReason.DAMAGED: 15,
}
_OTHER_OF_BUYER, _OTHER_OF_SHOP = 6, 10
_RESTORE = {None: 0, True: 1, False: 2}


def reason_of(cancellation: Cancellation) -> int:
    """Give the reason's code. Source: rakuten-ichiba-orders 7.9 [2+]; that an area is その他 of the shop [?]."""
    other = _OTHER_OF_BUYER if cancellation.by is Party.BUYER else _OTHER_OF_SHOP
    return _REASONS.get(cancellation.reason, other)


def restore_of(cancellation: Cancellation) -> int:
    """Say whether stock is given back: 0 as the item is set, 1 yes, 2 no. Source: rakuten-ichiba-orders 4.13 [1]."""
    return _RESTORE[cancellation.is_restocked]


def cancel_body(cancellation: Cancellation) -> dict[str, object]:
    """Write the request of a whole cancellation, before or after shipping."""
    return {
        "orderNumber": cancellation.order.external_id,
        "inventoryRestoreType": restore_of(cancellation),
        "changeReasonDetailApply": reason_of(cancellation),
    }


def leaves_nothing(cancellation: Cancellation, order: SeenOrder) -> bool:
    """Tell whether no unit of the order stays: such an order is cancelled whole, for none can be restated."""
    taken = {part.line_id: part.quantity for part in cancellation.lines}
    live = [line for line in order.lines if line.status is not OrderStatus.CANCELLED]
    return bool(live) and all(taken.get(line.external_id, 0) >= line.quantity for line in live)


def judge_parts(cancellation: Cancellation, order: SeenOrder) -> Verdict | None:
    """Refuse parts that the order does not have; None: they can be restated."""
    lines = {line.external_id: line for line in order.lines}
    for part in cancellation.lines:
        line = lines.get(part.line_id)
        if line is None:
            return rejected("the order has no such line", "not-found")
        if line.status is OrderStatus.CANCELLED:
            return rejected("the line was cancelled before", "order-cancelled")
        if part.quantity > line.quantity:
            return rejected("fewer units are left than that", "refused")
        if _is_price_alone(part) and _cut_price(order, part) is None:
            why = "a price is cut by whole yen a unit, below what the line costs, and of a price that holds its tax"
            return rejected(why, "refused")
    return None


def restate(cancellation: Cancellation, order: SeenOrder) -> dict[str, object]:
    """Write the order without what is cancelled; the parts were judged before.

    A line without units left is deleted, a destination without lines too. Coupons of a line keep as many units as it.

    Source: rakuten-ichiba-orders 4.11.
    """
    tree: Tree = json.loads(order.raw)
    parts = {part.line_id: part for part in cancellation.lines}
    units: dict[str, int] = {}
    packages = []
    for package in tree["PackageModelList"]:
        if package.get("packageDeleteFlag") == 1:
            continue
        items = [
            _item(item, parts.get(str(item["itemDetailId"])), order, restore_of(cancellation))
            for item in package["ItemModelList"]
            if item.get("deleteItemFlag") != 1
        ]
        units |= {str(item["itemDetailId"]): 0 if item["deleteItemFlag"] else int(item["units"]) for item in items}
        is_left = any(not item["deleteItemFlag"] for item in items)
        packages.append(
            {
                **_members(package, _PACKAGE),
                "packageDeleteFlag": 0 if is_left else 1,
                "SenderModel": _members(package["SenderModel"], _SENDER),
                "ItemModelList": items,
            }
        )
    body: dict[str, object] = {
        "orderNumber": cancellation.order.external_id,
        "reductionReason": reason_of(cancellation),
        **{key: _members(tree[key], _WRAPPING) for key in ("WrappingModel1", "WrappingModel2") if tree.get(key)},
        "PackageModelList": packages,
    }
    coupons = [_coupon(coupon, units) for coupon in tree.get("CouponModelList") or []]
    return body | ({"CouponModelList": coupons} if coupons else {})


def is_cancelled(cancellation: Cancellation, order: SeenOrder) -> bool | None:
    """Tell whether the order shows the cancelled parts as gone; None: nobody said what had to be left."""
    lines = {line.external_id: line for line in order.lines}
    found: list[bool | None] = []
    for part in cancellation.lines:
        line = lines.get(part.line_id)
        if line is None or line.status in (OrderStatus.CANCELLED, OrderStatus.CANCELLING):
            found.append(True)
        elif _is_price_alone(part):
            price = line.unit_price.money
            found.append(None if part.left_price is None or price is None else price == part.left_price)
        else:
            found.append(None if part.left is None else line.quantity <= part.left)
    if False in found:
        return False
    return None if None in found else True


def _is_price_alone(part: LinePart) -> bool:
    return not part.quantity and part.refund is not None


def _cut_price(order: SeenOrder, part: LinePart) -> int | None:
    """Give the new price of a unit; None where it would not be whole yen, or the price is without its tax."""
    line = next(line for line in order.lines if line.external_id == part.line_id)
    price = line.unit_price.money
    if part.refund is None or price is None or not line.quantity or not line.is_tax_included:
        return None
    left = price.amount - part.refund.amount / Decimal(line.quantity)
    return int(left) if left == left.to_integral_value() and 0 <= left < price.amount else None


def _item(item: Tree, part: LinePart | None, order: SeenOrder, restore: int) -> Tree:
    found = _members(item, _ITEM)
    found["deleteItemFlag"] = 0
    if part is not None:
        left = int(item["units"]) - part.quantity
        if _is_price_alone(part):
            found["price"] = _cut_price(order, part)
        else:
            found["restoreInventoryFlag"] = restore
            found |= {"units": left} if left else {"deleteItemFlag": 1}
    skus = [_members(sku, _SKU) for sku in item.get("SkuModelList") or []]
    return found | ({"SkuModelList": skus} if skus else {})


def _coupon(coupon: Tree, units: Mapping[str, int]) -> Tree:
    found = _members(coupon, _COUPON)
    line_id = str(coupon.get("itemDetailId") or 0)
    if line_id in units and found.get("couponUnit") is not None:
        found["couponUnit"] = min(int(found["couponUnit"]), units[line_id])
    return found


def _members(model: Tree, names: Sequence[str]) -> Tree:
    """Take members that are there; null ones stay unchanged by being left out, as telephone parts may not."""
    return {
        name: "" if model[name] is None else model[name]
        for name in names
        if name in model and (model[name] is not None or name.startswith("phoneNumber"))
    }
