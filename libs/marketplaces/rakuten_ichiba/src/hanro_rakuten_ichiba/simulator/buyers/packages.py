"""Writes the PackageModelList: destinations, item lines and what hangs on them, in the wire's key order."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from hanro_rakuten_ichiba.simulator.buyers.catalogue import Line
from hanro_rakuten_ichiba.simulator.buyers.money import Parcel
from hanro_rakuten_ichiba.simulator.buyers.progress import shipping_rows

TAX_RATE_STANDARD = 0.1
_SOCIAL_GIFT_DAYS = 10
# The fragment of 15.2.
_PICK_UP_STORE: dict[str, object] = {
    "cvsCode": 50,
    "storeGenreCode": "0001",
    "storeCode": "00001",
    "storeName": "見本店",
    "storeZip": "100-0000",
    "storePrefecture": "東京都",
    "storeAddress": "架空区見本町1-1",
    "areaCode": "01",
    "depo": "07",
    "openTime": "06:00",
    "closeTime": "24:00",
    "cvsRemarks": None,
}


def package_model(
    parcel: Parcel,
    sender: dict[str, object],
    *,
    first_detail_id: int,
    placed_at: datetime,
    progress: int,
    noshi: str | None,
    drop_off: str | None,
    is_pick_up: bool,
    social_gift: dict[str, object] | None,
) -> dict[str, object]:
    """Return a PackageModel of version 10; its `basketId` is the smallest `itemDetailId`. Source: 5.6 [2+], [wire]."""
    return {
        "basketId": first_detail_id,
        "postagePrice": parcel.postage,
        "postageTaxRate": TAX_RATE_STANDARD,
        "deliveryPrice": parcel.delivery_fee,
        "deliveryTaxRate": TAX_RATE_STANDARD,
        "goodsPrice": parcel.goods_price,
        "totalPrice": parcel.total_price,
        "noshi": noshi,
        "defaultDeliveryCompanyCode": "1001",
        "dropOffFlag": int(drop_off is not None),
        "dropOffLocation": drop_off,
        "packageDeleteFlag": 0,
        "SenderModel": sender,
        "ItemModelList": _item_models(parcel.lines, first_detail_id),
        "ShippingModelList": shipping_rows(placed_at, progress, detail_id=first_detail_id),
        "DeliveryCvsModel": dict(_PICK_UP_STORE) if is_pick_up else None,
        "SocialGiftModel": social_gift,
    }


def social_gift_model(shop_number: str, placed_on: date, sequence: int) -> dict[str, object]:
    """Return the SocialGiftModel of a gift whose receiver has not answered yet. Source: 5.10 [2+]."""
    return {
        "sgMngNumber": f"{shop_number}-{placed_on:%Y%m%d}-{sequence:09d}-sg",
        "inputDueDate": (placed_on + timedelta(days=_SOCIAL_GIFT_DAYS)).isoformat(),
        "inputFlag": 0,
        "inputCompDatetime": None,
        "receiverEmailAddress": None,
    }


def _item_models(lines: Sequence[Line], first_detail_id: int) -> list[dict[str, object]]:
    return [_item_model(line, first_detail_id + place) for place, line in enumerate(lines)]


def _item_model(line: Line, detail_id: int) -> dict[str, object]:
    has_variants = line.sku_info is not None
    return {
        "itemDetailId": detail_id,
        "itemName": line.item_name,
        "itemId": line.item_id,
        "itemNumber": line.item_number,
        "manageNumber": line.manage_number,
        "price": line.price,
        "units": line.units,
        "includePostageFlag": int(line.is_postage_free),
        "includeTaxFlag": int(line.is_tax_included),
        "includeCashOnDeliveryPostageFlag": 0,
        "selectedChoice": line.selected_choice,
        "pointRate": 1,
        "pointType": 0,
        "inventoryType": 2 if has_variants else 1,
        "delvdateInfo": line.lead_time,
        "restoreInventoryFlag": 0,
        "dealFlag": 0,
        "drugFlag": 0,
        "deleteItemFlag": 0,
        "taxRate": line.tax_percent / 100,
        "priceTaxIncl": line.unit_price_with_tax,
        "isSingleItemShipping": 0,
        "SkuModelList": [
            {
                "variantId": line.variant_id,
                "merchantDefinedSkuId": line.merchant_sku_id,
                "skuInfo": line.sku_info,
            }
        ],
    }
