"""Reads destinations, lines and parcels of an order."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hanro.errors import ContractBroken
from hanro.marketplace.types import Line, OrderStatus, Package, Parcel
from hanro.value import value
from hanro_rakuten_ichiba.declared.carriers import CODES
from hanro_rakuten_ichiba.declared.keys import (
    ITEM_NUMBER,
    LINE_DELETED,
    MANAGE_NUMBER,
    MERCHANT_DEFINED_SKU_ID,
    PACKAGE_DELETED,
    STATUSES,
    VARIANT_ID,
)
from hanro_rakuten_ichiba.mapping.fields import (
    Misread,
    Tree,
    amount,
    child,
    each,
    flag,
    optional_amount,
    optional_child,
    optional_day,
    optional_decimal,
    optional_text,
    stated,
    text,
    whole,
    within,
)
from hanro_rakuten_ichiba.mapping.people import is_unanswered, read_address

_JAPAN = ZoneInfo("Asia/Tokyo")
ITEM_DETAILS = (
    "itemId",
    "includePostageFlag",
    "includeCashOnDeliveryPostageFlag",
    "pointRate",
    "pointType",
    "inventoryType",
    "delvdateInfo",
    "restoreInventoryFlag",
    "dealFlag",
    "drugFlag",
    "isSingleItemShipping",
)
PACKAGE_DETAILS = (
    "goodsPrice",
    "postageTaxRate",
    "deliveryTaxRate",
    "defaultDeliveryCompanyCode",
    "dropOffFlag",
    "packageDeleteFlag",
)


@value
class Destination:
    """Hold one PackageModel: what the port shows of it, and its lines; one that `is_gone` is in no sum any more."""

    package: Package
    lines: tuple[Line, ...]
    is_gone: bool


@value
class Standing:
    """Hold what the order's state means for its lines; `decide_by` while it waits for the shop's confirmation."""

    status: OrderStatus
    status_text: str
    decide_by: datetime | None


def read_standing(order: Tree) -> Standing:
    """Read orderProgress.

    Raises:
        ContractBroken: a state in no cell of the table (unknown-status).

    Source: rakuten-ichiba-orders 7.1 [2+], 8.1 on cancelDueDate [wire].
    """
    progress = text(order, "orderProgress")
    # Only a bare code: the table also holds flags by their names.
    status = STATUSES.get(progress) if progress.isdecimal() else None
    if status is None:
        raise ContractBroken("orderProgress is none of the documented states", code="unknown-status")
    last_day = optional_day(order, "cancelDueDate") if status is OrderStatus.NEW else None
    decide_by = None
    if last_day is not None:
        # They cancel when that day has ended in Japan; the hour is not documented (8.2).
        decide_by = datetime.combine(last_day, datetime.min.time(), _JAPAN) + timedelta(days=1)
    return Standing(status=status, status_text=progress, decide_by=decide_by)


def read_destinations(order: Tree, standing: Standing) -> tuple[Destination, ...]:
    """Read PackageModelList; an order without one line is not as documented."""
    destinations = each(order, "PackageModelList", lambda model: _read_destination(model, standing))
    if not any(destination.lines for destination in destinations):
        raise Misread("/PackageModelList", "holds no item")
    return destinations


def social_gift_of(package: Tree) -> Tree | None:
    """Give SocialGiftModel; None when null or absent."""
    return optional_child(package, "SocialGiftModel")


def _read_destination(model: Tree, standing: Standing) -> Destination:
    package_id = text(model, "basketId")
    social = social_gift_of(model)
    pickup = optional_child(model, "DeliveryCvsModel")
    is_gone = flag(model, "packageDeleteFlag")
    child(model, "SenderModel")
    package = Package(
        external_id=package_id,
        address=within(
            model,
            "SenderModel",
            lambda sender: read_address(sender, pickup=pickup, is_awaited=is_unanswered(social)),
        ),
        parcels=each(model, "ShippingModelList", _read_parcel),
        postage=optional_amount(model, "postagePrice"),
        cash_on_delivery_fee=optional_amount(model, "deliveryPrice"),
        total=optional_amount(model, "totalPrice"),
        noshi=optional_text(model, "noshi") or None,
        carrier_code=CODES.get(optional_text(model, "defaultDeliveryCompanyCode") or ""),
        drop_off=optional_text(model, "dropOffLocation") or None,
        details=stated(model, *PACKAGE_DETAILS),
    )
    if is_gone:
        standing = Standing(status=OrderStatus.CANCELLED, status_text=PACKAGE_DELETED, decide_by=None)
    lines = each(model, "ItemModelList", lambda item: _read_line(item, package_id, standing, is_gone=is_gone))
    return Destination(package=package, lines=lines, is_gone=is_gone)


def _read_line(item: Tree, package_id: str, standing: Standing, *, is_gone: bool) -> Line:
    units = whole(item, "units")
    if units < 0:
        raise Misread("/units", "is negative")
    if not is_gone and flag(item, "deleteItemFlag"):
        standing = Standing(status=OrderStatus.CANCELLED, status_text=LINE_DELETED, decide_by=None)
        is_gone = True
    skus = each(item, "SkuModelList", lambda sku: sku)
    details = stated(item, *ITEM_DETAILS)
    if is_gone:
        details["units"] = str(units)
    # "In practice one entry per item" (5.7): the others are kept visible, stock goes by the first.
    for place, sku in enumerate(skus[1:], start=2):
        details |= {f"{key}_{place}": found for key, found in stated(sku, "variantId").items()}
    sku_info = optional_text(skus[0], "skuInfo") if skus else None
    options = "\n".join(filter(None, (sku_info, optional_text(item, "selectedChoice"))))
    return Line(
        external_id=text(item, "itemDetailId"),
        package_id=package_id,
        keys=_read_keys(item, skus[0] if skus else {}),
        title=text(item, "itemName"),
        options_text=options or None,
        quantity=0 if is_gone else units,
        status=standing.status,
        status_text=standing.status_text,
        unit_price=amount(item, "price"),
        is_tax_included=flag(item, "includeTaxFlag"),
        tax_rate=optional_decimal(item, "taxRate"),
        unit_price_with_tax=optional_amount(item, "priceTaxIncl"),
        decide_by=standing.decide_by,
        details=details,
    )


def _read_keys(item: Tree, sku: Tree) -> Mapping[str, str]:
    """Give the seller's keys that are there, verbatim; orders from before a shop moved to SKUs lack some (5.7)."""
    found = {
        MANAGE_NUMBER: optional_text(item, "manageNumber"),
        VARIANT_ID: optional_text(sku, "variantId"),
        MERCHANT_DEFINED_SKU_ID: optional_text(sku, "merchantDefinedSkuId"),
        ITEM_NUMBER: optional_text(item, "itemNumber"),
    }
    return {name: key for name, key in found.items() if key}


def _read_parcel(row: Tree) -> Parcel:
    """Read one shipping row; a row may hold any subset (4.4 [2+])."""
    value = optional_text(row, "deliveryCompany")
    carrier = (value, optional_text(row, "deliveryCompanyName"))
    return Parcel(
        external_id=text(row, "shippingDetailId"),
        carrier_code=CODES.get(value or ""),
        carrier_text=" ".join(filter(None, carrier)),
        number=optional_text(row, "shippingNumber") or None,
        shipped_on=optional_day(row, "shippingDate"),
    )
