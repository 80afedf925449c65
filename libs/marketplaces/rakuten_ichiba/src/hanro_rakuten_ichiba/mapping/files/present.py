"""Reads the order file of today: one row for each line, on each the columns of its order and destination."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from hanro.marketplace.types import CsvRow, SeenOrder
from hanro_rakuten_ichiba.mapping.files.cells import day, flag, key, moment, number, split_numbers, text
from hanro_rakuten_ichiba.mapping.files.trees import Builder, Columns

KEY = "注文番号"
ORDER: Columns = {
    "orderNumber": (KEY, text),
    "orderProgress": ("ステータス", key),
    "subStatusId": ("サブステータスID", number),
    "subStatusName": ("サブステータス", text),
    "orderDatetime": ("注文日時", moment),
    "cancelDueDate": ("キャンセル期限日", day),
    "shopOrderCfmDatetime": ("注文確認日時", moment),
    "orderFixDatetime": ("注文確定日時", moment),
    "shippingInstDatetime": ("発送指示日時", moment),
    "shippingCmplRptDatetime": ("発送完了報告日時", moment),
    "orderType": ("注文種別", key),
    "severalSenderFlag": ("複数送付先フラグ", flag),
    "equalSenderFlag": ("送付先一致フラグ", flag),
    "isolatedIslandFlag": ("離島フラグ", flag),
    "rakutenConfirmFlag": ("楽天確認中フラグ", flag),
    "cautionDisplayType": ("警告表示タイプ", number),
    "rakutenMemberFlag": ("楽天会員フラグ", flag),
    "modifyFlag": ("購入履歴修正有無フラグ", flag),
    "goodsPrice": ("商品合計金額", number),
    "postagePrice": ("送料合計", number),
    "deliveryPrice": ("代引料合計", number),
    "requestPrice": ("請求金額", number),
    "totalPrice": ("合計金額", number),
    "couponAllTotalPrice": ("クーポン利用総額", number),
    "couponShopPrice": ("店舗発行クーポン利用額", number),
    "couponOtherPrice": ("楽天発行クーポン利用額", number),
    "reserveNumber": ("申込番号", text),
    "reserveDeliveryCount": ("申込お届け回数", number),
    "shippingTerm": ("お届け時間帯", number),
    "deliveryDate": ("お届け日指定", day),
    "operator": ("担当者", text),
    "memo": ("ひとことメモ", text),
    "mailPlugSentence": ("メール差込文 (お客様へのメッセージ)", text),
    "giftCheckFlag": ("ギフト配送希望", flag),
    "remarks": ("コメント", text),
    "carrierCode": ("利用端末", number),
    "emailCarrierCode": ("メールキャリアコード", number),
    "asurakuFlag": ("あす楽希望フラグ", flag),
    "drugFlag": ("医薬品受注フラグ", flag),
    "dealFlag": ("楽天スーパーDEAL商品受注フラグ", flag),
    "membershipType": ("メンバーシッププログラム受注タイプ", number),
    "paymentCharge": ("決済手数料", number),
    "additionalFeeOccurAmountToUser": ("注文者負担金合計", number),
    "additionalFeeOccurAmountToShop": ("店舗負担金合計", number),
    "paymentChargeTaxRate": ("決済手数料税率", number),
    "receiptIssueCount": ("領収書発行回数", number),
    "cautionDisplayDetailType": ("警告表示タイプ詳細", number),
}
PACKAGE: Columns = {
    "basketId": ("送付先ID", key),
    "postagePrice": ("送付先送料", number),
    "deliveryPrice": ("送付先代引料", number),
    "goodsPrice": ("送付先商品合計金額", number),
    "totalPrice": ("送付先合計金額", number),
    "noshi": ("のし", text),
    "postageTaxRate": ("送付先送料税率", number),
    "deliveryTaxRate": ("送付先代引料税率", number),
    "defaultDeliveryCompanyCode": ("購入時配送会社", key),
}
ITEM: Columns = {
    "itemDetailId": ("商品明細ID", key),
    "itemId": ("商品ID", key),
    "itemName": ("商品名", text),
    "itemNumber": ("商品番号", text),
    "manageNumber": ("商品管理番号", text),
    "price": ("単価", number),
    "units": ("個数", key),
    "includePostageFlag": ("送料込別", flag),
    "includeTaxFlag": ("税込別", flag),
    "includeCashOnDeliveryPostageFlag": ("代引手数料込別", flag),
    "selectedChoice": ("項目・選択肢", text),
    "pointRate": ("ポイント倍率", number),
    "delvdateInfo": ("納期情報", text),
    "inventoryType": ("在庫タイプ", number),
    "taxRate": ("商品税率", number),
    "priceTaxIncl": ("商品毎税込価格", number),
    "isSingleItemShipping": ("単品配送フラグ", flag),
}
SKU: Columns = {
    "variantId": ("SKU管理番号", text),
    "merchantDefinedSkuId": ("システム連携用SKU番号", text),
    "skuInfo": ("SKU情報", text),
}
DUE_DATES = {"0": "支払い期限日", "1": "支払い方法変更期限日", "2": "返金手続き期限日"}
_WRAPPINGS: Mapping[str, Columns] = {
    place: {
        "title": (f"ラッピングタイトル{place}", number),
        "name": (f"ラッピング名{place}", text),
        "price": (f"ラッピング料金{place}", number),
        "includeTaxFlag": (f"ラッピング税込別{place}", flag),
        "taxRate": (f"ラッピング税率{place}", number),
        "taxPrice": (f"ラッピング税額{place}", number),
    }
    for place in ("1", "2")
}
_TAXES: Mapping[str, Columns] = {
    rate: {
        "taxRate": (f"{rate}税率", number),
        "reqPrice": (f"{rate}請求金額", number),
        "reqPriceTax": (f"{rate}請求額に対する税額", number),
        "totalPrice": (f"{rate}合計金額", number),
        "paymentCharge": (f"{rate}決済手数料", number),
        "couponPrice": (f"{rate}クーポン割引額", number),
        "point": (f"{rate}利用ポイント数", number),
    }
    for rate in ("10%", "8%", "0%")
}
# rakuten-ichiba-orders 7.4 [2+]; both names of 14, and 27 and 16 by theirs.
_SETTLEMENTS = {
    "クレジットカード": "1",
    "代金引換": "2",
    "ショッピングクレジット／ローン": "4",
    "オートローン": "5",
    "リース": "6",
    "請求書払い": "7",
    "ポイント": "8",
    "銀行振込": "9",
    "Apple Pay": "12",
    "セブンイレブン（前払）": "13",
    "ローソン、郵便局ATM等（前払）": "14",
    "ファミリーマート、ローソン等（前払）": "14",
    "Alipay": "16",
    "PayPal": "17",
    "後払い決済": "21",
    "Alipay（支付宝）": "27",
}
# A shop settles these by itself (7.4, 8.2 [?]): the file does not tell (rpaySettlementFlag).
_SETTLED_BY_THE_SHOP = frozenset({"2", "4", "5", "6", "7"})
_INSTALMENTS = 100
_TIMES = (
    "orderDatetime",
    "shopOrderCfmDatetime",
    "orderFixDatetime",
    "shippingInstDatetime",
    "shippingCmplRptDatetime",
)


def read_present(rows: tuple[CsvRow, ...]) -> SeenOrder:
    """Read the rows of one order; parcels and payment records are not in the file.

    Coupons of one issuer come as one, with codes and names joined as they stand; whose the "rakuten" ones are among
    makers and the marketplace is not told.

    Raises:
        Rejected: cell-malformed, unknown-status.

    Source: rakuten-ichiba-orders 13.
    """
    builder, first = Builder(rows), rows[0]
    tree = builder.model("", first, ORDER)
    tree |= {
        "OrdererModel": person(builder, "/OrdererModel", first, "注文者", "注文者住所")
        | {"emailAddress": builder.cell(first, "注文者メールアドレス", text)},
        "SettlementModel": _settlement(builder, first),
        "DeliveryModel": builder.model(
            "/DeliveryModel", first, {"deliveryName": ("配送方法", text), "deliveryClass": ("配送区分", number)}
        ),
        "PointModel": builder.model("/PointModel", first, {"usedPoint": ("ポイント利用額", _or_zero)}),
        "WrappingModel1": _wrapping(builder, first, "1"),
        "WrappingModel2": _wrapping(builder, first, "2"),
        "PackageModelList": _packages(builder, rows, tree),
        "CouponModelList": [*_coupons(builder, first, "店舗発行", "1"), *_coupons(builder, first, "楽天発行", "3")],
        "TaxSummaryModelList": [row for rate in _TAXES if (row := _tax(builder, first, rate))],
        "DueDateModelList": [
            {"dueDateType": kind, "dueDate": due}
            for kind, column in DUE_DATES.items()
            if (due := builder.cell(first, column, day))
        ],
    }
    return builder.see(tree, KEY, _TIMES)


def person(builder: Builder, pointer: str, row: CsvRow, who: str, where: str) -> dict[str, Any]:
    """Read a name and an address of the columns that begin with `who`, its places with `where`."""
    found = builder.model(pointer, row, _person_columns(who, where))
    return found | split_numbers(row.cells, who, places="123")


@cache
def _person_columns(who: str, where: str) -> Columns:
    return {
        "prefecture": (f"{where}都道府県", text),
        "city": (f"{where}郡市区", text),
        "subAddress": (f"{where}それ以降の住所", text),
        "familyName": (f"{who}姓", text),
        "firstName": (f"{who}名", text),
        "familyNameKana": (f"{who}姓カナ", text),
        "firstNameKana": (f"{who}名カナ", text),
    }


def _packages(builder: Builder, rows: tuple[CsvRow, ...], order: Mapping[str, Any]) -> list[dict[str, Any]]:
    packages: dict[object, dict[str, Any]] = {}
    for row in rows:
        basket = builder.cell(row, "送付先ID", key)
        pointer = f"/PackageModelList/{len(packages)}"
        if basket not in packages:
            sender = person(builder, f"{pointer}/SenderModel", row, "送付先", "送付先住所")
            packages[basket] = {
                **builder.model(pointer, row, PACKAGE),
                "SenderModel": sender,
                "ItemModelList": [],
            }
        items = packages[basket]["ItemModelList"]
        pointer = f"/PackageModelList/{list(packages).index(basket)}/ItemModelList/{len(items)}"
        items.append({**builder.model(pointer, row, ITEM), "SkuModelList": [builder.model(pointer, row, SKU)]})
    if len(packages) == 1:
        # The file tells of islands for the whole order: certain where there is one destination.
        (package,) = packages.values()
        package["SenderModel"]["isolatedIslandFlag"] = order["isolatedIslandFlag"]
    return list(packages.values())


def _settlement(builder: Builder, row: CsvRow) -> dict[str, Any]:
    method = builder.cell(row, "支払方法名", text)
    code = _SETTLEMENTS.get(method or "")
    count = builder.cell(row, "クレジットカード支払い回数", key)
    return {
        "settlementMethod": method,
        "settlementMethodCode": code,
        "rpaySettlementFlag": "0" if code in _SETTLED_BY_THE_SHOP else "1",
        "cardPayType": builder.cell(row, "クレジットカード支払い方法", number),
        # 3 where the API says 103 [wire].
        "cardInstallmentDesc": str(int(count) + _INSTALMENTS) if count and int(count) else None,
    }


def _wrapping(builder: Builder, row: CsvRow, place: str) -> dict[str, Any] | None:
    found = builder.model(f"/WrappingModel{place}", row, _WRAPPINGS[place])
    return found if found["title"] or found["name"] else None


def _tax(builder: Builder, row: CsvRow, rate: str) -> dict[str, Any] | None:
    found = builder.model(f"/TaxSummaryModelList/{rate}", row, _TAXES[rate])
    # Empty when the order has no item of that rate [wire].
    return found if found["taxRate"] and found["reqPrice"] else None


def _coupons(builder: Builder, row: CsvRow, issuer: str, capital: str) -> list[dict[str, Any]]:
    amount = builder.cell(row, f"{issuer}クーポン利用額", number)
    if amount is None or not int(float(amount)):
        return []
    return [
        {
            "couponCapitalCode": capital,
            "couponTotalPrice": amount,
            "couponCode": builder.cell(row, f"{issuer}クーポンコード", text),
            "couponName": builder.cell(row, f"{issuer}クーポン名", text),
        }
    ]


def _or_zero(cell: str) -> str:
    return number(cell) or "0"
