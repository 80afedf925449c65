"""The members of the getOrder tree, version 10: key order of the full sample, types and nullability of the tables.

Transcribed from rakuten-ichiba-orders 5.2 to 5.14 and 15.2. A member is its name, a blank and its kind: N whole number,
R tax rate, S text, DT time, D date; a trailing `?` says that it may be null.
"""

import re

_ADDRESS = (
    "zipCode1 S",
    "zipCode2 S",
    "prefecture S",
    "city S",
    "subAddress S",
    "familyName S",
    "firstName S?",
    "familyNameKana S?",
    "firstNameKana S?",
    "phoneNumber1 S?",
    "phoneNumber2 S?",
    "phoneNumber3 S?",
)
_WRAPPING = (
    "title N",
    "name S",
    "price N?",
    "includeTaxFlag N",
    "deleteWrappingFlag N",
    "taxRate R",
    "taxPrice N",
)

# Model name (its key in the parent) to its members; a model as a member is `Name {}`, a list of models `Name []`.
MODELS: dict[str, tuple[str, ...]] = {
    "OrderModelList": (
        "orderNumber S",
        "orderProgress N",
        "subStatusId N?",
        "subStatusName S?",
        "orderDatetime DT",
        "shopOrderCfmDatetime DT?",
        "orderFixDatetime DT?",
        "shippingInstDatetime DT?",
        "shippingCmplRptDatetime DT?",
        "cancelDueDate D?",
        "deliveryDate D?",
        "shippingTerm N?",
        "remarks S?",
        "giftCheckFlag N",
        "socialGiftFlag N",
        "severalSenderFlag N",
        "equalSenderFlag N",
        "isolatedIslandFlag N",
        "rakutenMemberFlag N",
        "carrierCode N",
        "emailCarrierCode N",
        "orderType N",
        "reserveNumber S?",
        "reserveDeliveryCount N?",
        "cautionDisplayType N",
        "cautionDisplayDetailType N?",
        "rakutenConfirmFlag N",
        "goodsPrice N",
        "postagePrice N",
        "deliveryPrice N",
        "paymentCharge N",
        "paymentChargeTaxRate R",
        "totalPrice N",
        "requestPrice N",
        "couponAllTotalPrice N",
        "couponShopPrice N",
        "couponOtherPrice N",
        "additionalFeeOccurAmountToUser N",
        "additionalFeeOccurAmountToShop N",
        "asurakuFlag N",
        "drugFlag N",
        "dealFlag N",
        "deliveryCertPrgFlag N",
        "oneDayOperationFlag N",
        "membershipType N",
        "memo S?",
        "operator S?",
        "mailPlugSentence S?",
        "modifyFlag N",
        "receiptIssueCount N",
        "receiptIssueHistoryList DT[]",
        "OrdererModel {}",
        "SettlementModel {}?",
        "DeliveryModel {}",
        "PointModel {}?",
        "WrappingModel1 {}?",
        "WrappingModel2 {}?",
        "PackageModelList []",
        "CouponModelList []?",
        "ChangeReasonModelList []?",
        "TaxSummaryModelList []?",
        "DueDateModelList []?",
    ),
    "OrdererModel": (*_ADDRESS, "emailAddress S", "sex S?", "birthYear N?", "birthMonth N?", "birthDay N?"),
    "SettlementModel": (
        "settlementMethodCode N",
        "settlementMethod S",
        "rpaySettlementFlag N",
        "cardName S?",
        "cardNumber S?",
        "cardOwner S?",
        "cardYm S?",
        "cardPayType N?",
        "cardInstallmentDesc S?",
    ),
    "DeliveryModel": ("deliveryName S", "deliveryClass N?"),
    "PointModel": ("usedPoint N",),
    "WrappingModel1": _WRAPPING,
    "WrappingModel2": _WRAPPING,
    "PackageModelList": (
        "basketId N",
        "postagePrice N",
        "postageTaxRate R",
        "deliveryPrice N",
        "deliveryTaxRate R",
        "goodsPrice N",
        "totalPrice N",
        "noshi S?",
        "defaultDeliveryCompanyCode S",
        "dropOffFlag N",
        "dropOffLocation S?",
        "packageDeleteFlag N",
        "SenderModel {}",
        "ItemModelList []",
        "ShippingModelList []?",
        "DeliveryCvsModel {}?",
        "SocialGiftModel {}?",
    ),
    "SenderModel": (*_ADDRESS, "isolatedIslandFlag N"),
    "ItemModelList": (
        "itemDetailId N",
        "itemName S",
        "itemId N",
        "itemNumber S?",
        "manageNumber S",
        "price N",
        "units N",
        "includePostageFlag N",
        "includeTaxFlag N",
        "includeCashOnDeliveryPostageFlag N",
        "selectedChoice S?",
        "pointRate N",
        "pointType N",
        "inventoryType N",
        "delvdateInfo S?",
        "restoreInventoryFlag N",
        "dealFlag N",
        "drugFlag N",
        "deleteItemFlag N",
        "taxRate R",
        "priceTaxIncl N",
        "isSingleItemShipping N",
        "SkuModelList []",
    ),
    "SkuModelList": ("variantId S", "merchantDefinedSkuId S?", "skuInfo S?"),
    "ShippingModelList": (
        "shippingDetailId N",
        "shippingNumber S?",
        "deliveryCompany S?",
        "deliveryCompanyName S?",
        "shippingDate D?",
    ),
    "DeliveryCvsModel": (
        "cvsCode N?",
        "storeGenreCode S?",
        "storeCode S?",
        "storeName S?",
        "storeZip S?",
        "storePrefecture S?",
        "storeAddress S?",
        "areaCode S?",
        "depo S?",
        "openTime S?",
        "closeTime S?",
        "cvsRemarks S?",
    ),
    "SocialGiftModel": (
        "sgMngNumber S",
        "inputDueDate D",
        "inputFlag N",
        "inputCompDatetime DT?",
        "receiverEmailAddress S?",
    ),
    "CouponModelList": (
        "couponCode S",
        "itemId N",
        "couponName S",
        "couponSummary S",
        "couponCapital S",
        "couponCapitalCode N",
        "expiryDate D",
        "couponPrice N?",
        "couponUnit N?",
        "couponTotalPrice N",
        "itemDetailId N",
    ),
    "ChangeReasonModelList": (
        "changeId N",
        "changeType N?",
        "changeTypeDetail N?",
        "changeReason N?",
        "changeReasonDetail N?",
        "changeApplyDatetime DT?",
        "changeFixDatetime DT?",
        "changeCmplDatetime DT?",
    ),
    "TaxSummaryModelList": (
        "taxRate R",
        "reqPrice N",
        "reqPriceTax N",
        "totalPrice N",
        "paymentCharge N",
        "couponPrice N",
        "point N",
    ),
    "DueDateModelList": ("dueDateType N", "dueDate D"),
}

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0900")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def faults_of(value: object, model: str, at: str = "") -> list[str]:
    """List where a tree differs from the tables: key order, missing and foreign keys, types and nulls."""
    at = at or model
    members = dict(member.split(" ") for member in MODELS[model])
    if not isinstance(value, dict):
        return [f"{at} is no object"]
    faults = [] if list(value) == list(members) else [f"{at} has the keys {list(value)}"]
    for name in members.keys() & value.keys():
        faults += _faults_of_member(value[name], name, members[name], f"{at}.{name}")
    return faults


def _faults_of_member(value: object, name: str, kind: str, at: str) -> list[str]:
    if value is None:
        return [] if kind.endswith("?") else [f"{at} is null"]
    kind = kind.removesuffix("?")
    if kind == "{}":
        return faults_of(value, name, at)
    if kind.endswith("[]"):
        if not isinstance(value, list):
            return [f"{at} is no list"]
        element = kind.removesuffix("[]")
        return [
            fault
            for place, each in enumerate(value)
            for fault in (
                _faults_of_member(each, name, element, f"{at}[{place}]")
                if element
                else faults_of(each, name, f"{at}[{place}]")
            )
        ]
    return [] if _is(value, kind) else [f"{at} is {value!r}, not {kind}"]


def _is(value: object, kind: str) -> bool:
    match kind:
        case "N":
            return type(value) is int
        case "R":
            return value in (0, 0.08, 0.1) and type(value) is float
        case "S":
            return isinstance(value, str)
        case "DT":
            return isinstance(value, str) and _TIME.fullmatch(value) is not None
        case "D":
            return isinstance(value, str) and _DATE.fullmatch(value) is not None
    raise ValueError(f"the tables have no kind {kind!r}")
