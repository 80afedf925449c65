"""Restates an order as updateOrderSender wants it: the editable part of its tree, as it is."""

from collections.abc import Mapping
from typing import Any

_PACKAGE = (
    "basketId",
    "postagePrice",
    "postageTaxRate",
    "deliveryPrice",
    "deliveryTaxRate",
    "noshi",
    "packageDeleteFlag",
)
_ITEM = (
    "itemDetailId",
    "itemName",
    "itemNumber",
    "price",
    "taxRate",
    "units",
    "includePostageFlag",
    "includeTaxFlag",
    "includeCashOnDeliveryPostageFlag",
    "selectedChoice",
    "restoreInventoryFlag",
    "deleteItemFlag",
    "SkuModelList",
)
_WRAPPING = ("title", "name", "price", "taxRate", "includeTaxFlag", "deleteWrappingFlag")


def restated(tree: Mapping[str, Any], **more: object) -> dict[str, Any]:
    """Give the request that changes nothing, and `more` members of its base."""
    body: dict[str, Any] = {
        "orderNumber": tree["orderNumber"],
        "PackageModelList": [
            {key: package[key] for key in _PACKAGE}
            | {
                "SenderModel": {
                    key: value for key, value in package["SenderModel"].items() if key != "isolatedIslandFlag"
                }
            }
            | {"ItemModelList": [{key: item[key] for key in _ITEM} for item in package["ItemModelList"]]}
            for package in tree["PackageModelList"]
        ],
    }
    for key in ("WrappingModel1", "WrappingModel2"):
        if tree[key] is not None:
            body[key] = {name: tree[key][name] for name in _WRAPPING}
    if tree["CouponModelList"]:
        body["CouponModelList"] = [
            {key: coupon[key] for key in ("couponCode", "couponPrice", "couponUnit", "itemId")}
            for coupon in tree["CouponModelList"]
        ]
    return body | more
