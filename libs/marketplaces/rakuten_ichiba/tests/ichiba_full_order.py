"""The full order of rakuten-ichiba-orders 15.2, transcribed with the lines that make it readable."""

import json
from typing import Any


def compact(text: str) -> bytes:
    """Give a JSON text without white space between its tokens; key order, number forms and nulls stay."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")).encode()


FULL_ANSWER = r"""
{
 "version": 10,
 "MessageModelList": [
  {
   "messageType": "INFO",
   "messageCode": "ORDER_EXT_API_GET_ORDER_INFO_101",
   "message": "受注情報取得に成功しました。(取得件数1件)"
  }
 ],
 "OrderModelList": [
  {
   "orderNumber": "999001-20260511-0123456789",
   "orderProgress": 500,
   "subStatusId": 9101,
   "subStatusName": "出荷済み確認待ち",
   "orderDatetime": "2026-05-11T10:15:30+0900",
   "shopOrderCfmDatetime": "2026-05-11T10:45:02+0900",
   "orderFixDatetime": "2026-05-11T11:02:08+0900",
   "shippingInstDatetime": "2026-05-11T11:02:08+0900",
   "shippingCmplRptDatetime": "2026-05-13T00:07:43+0900",
   "cancelDueDate": null,
   "deliveryDate": "2026-05-14",
   "shippingTerm": 1820,
   "remarks": "[配送日時指定:]\n2026-05-14(木)\n18:00-20:00\n\n不在時は宅配ボックスへお願いします。\n",
   "giftCheckFlag": 1,
   "socialGiftFlag": 0,
   "severalSenderFlag": 0,
   "equalSenderFlag": 0,
   "isolatedIslandFlag": 0,
   "rakutenMemberFlag": 1,
   "carrierCode": 11,
   "emailCarrierCode": 0,
   "orderType": 1,
   "reserveNumber": null,
   "reserveDeliveryCount": null,
   "cautionDisplayType": 1,
   "cautionDisplayDetailType": 103,
   "rakutenConfirmFlag": 0,
   "goodsPrice": 9390,
   "postagePrice": 660,
   "deliveryPrice": 0,
   "paymentCharge": 0,
   "paymentChargeTaxRate": 0.1,
   "totalPrice": 10050,
   "requestPrice": 9150,
   "couponAllTotalPrice": 600,
   "couponShopPrice": 500,
   "couponOtherPrice": 100,
   "additionalFeeOccurAmountToUser": 0,
   "additionalFeeOccurAmountToShop": 0,
   "asurakuFlag": 0,
   "drugFlag": 0,
   "dealFlag": 0,
   "deliveryCertPrgFlag": 1,
   "oneDayOperationFlag": 0,
   "membershipType": 0,
   "memo": "二個口で出荷",
   "operator": "出荷係",
   "mailPlugSentence": "ご注文ありがとうございます。",
   "modifyFlag": 0,
   "receiptIssueCount": 1,
   "receiptIssueHistoryList": [
    "2026-05-15T09:00:00+0900"
   ],
   "OrdererModel": {
    "zipCode1": "100",
    "zipCode2": "0000",
    "prefecture": "東京都",
    "city": "架空区",
    "subAddress": "見本町1-2-3 サンプル荘101",
    "familyName": "見本",
    "firstName": "花子",
    "familyNameKana": "ミホン",
    "firstNameKana": "ハナコ",
    "phoneNumber1": "03",
    "phoneNumber2": "0000",
    "phoneNumber3": "0001",
    "emailAddress": "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp",
    "sex": "女",
    "birthYear": 1990,
    "birthMonth": 4,
    "birthDay": 1
   },
   "SettlementModel": {
    "settlementMethodCode": 1,
    "settlementMethod": "クレジットカード",
    "rpaySettlementFlag": 1,
    "cardName": "VISA",
    "cardNumber": "XXXX-XXXX-XXXX-0000",
    "cardOwner": "HANAKO MIHON",
    "cardYm": "2030-11",
    "cardPayType": 2,
    "cardInstallmentDesc": "103"
   },
   "DeliveryModel": {
    "deliveryName": "宅配便",
    "deliveryClass": 1
   },
   "PointModel": {
    "usedPoint": 300
   },
   "WrappingModel1": {
    "title": 1,
    "name": "花柄包装紙",
    "price": 150,
    "includeTaxFlag": 1,
    "deleteWrappingFlag": 0,
    "taxRate": 0.1,
    "taxPrice": 13
   },
   "WrappingModel2": {
    "title": 2,
    "name": "赤いリボン",
    "price": 200,
    "includeTaxFlag": 1,
    "deleteWrappingFlag": 0,
    "taxRate": 0.1,
    "taxPrice": 18
   },
   "PackageModelList": [
    {
     "basketId": 90010001,
     "postagePrice": 660,
     "postageTaxRate": 0.1,
     "deliveryPrice": 0,
     "deliveryTaxRate": 0.1,
     "goodsPrice": 9390,
     "totalPrice": 10050,
     "noshi": "御祝",
     "defaultDeliveryCompanyCode": "1001",
     "dropOffFlag": 1,
     "dropOffLocation": "宅配ボックス",
     "packageDeleteFlag": 0,
     "SenderModel": {
      "zipCode1": "530",
      "zipCode2": "0000",
      "prefecture": "大阪府",
      "city": "架空市北区",
      "subAddress": "試験町4-5-6",
      "familyName": "試験",
      "firstName": "太郎",
      "familyNameKana": "シケン",
      "firstNameKana": "タロウ",
      "phoneNumber1": "06",
      "phoneNumber2": "0000",
      "phoneNumber3": "0002",
      "isolatedIslandFlag": 0
     },
     "ItemModelList": [
      {
       "itemDetailId": 90010001,
       "itemName": "見本タオル 選べるサイズ",
       "itemId": 10000119,
       "itemNumber": "towel",
       "manageNumber": "towel-01",
       "price": 3980,
       "units": 2,
       "includePostageFlag": 0,
       "includeTaxFlag": 1,
       "includeCashOnDeliveryPostageFlag": 0,
       "selectedChoice": "名入れ:しません\n確認事項:了承しました",
       "pointRate": 1,
       "pointType": 0,
       "inventoryType": 2,
       "delvdateInfo": "1〜2日以内に発送予定（店舗休業日を除く）",
       "restoreInventoryFlag": 0,
       "dealFlag": 0,
       "drugFlag": 0,
       "deleteItemFlag": 0,
       "taxRate": 0.1,
       "priceTaxIncl": 3980,
       "isSingleItemShipping": 0,
       "SkuModelList": [
        {
         "variantId": "m-white",
         "merchantDefinedSkuId": "TOWEL-M-WH",
         "skuInfo": "サイズ:M\nカラー:ホワイト"
        }
       ]
      },
      {
       "itemDetailId": 90010002,
       "itemName": "見本クッキー 12枚入",
       "itemId": 10000120,
       "itemNumber": "cookie12",
       "manageNumber": "cookie-12",
       "price": 1080,
       "units": 1,
       "includePostageFlag": 0,
       "includeTaxFlag": 1,
       "includeCashOnDeliveryPostageFlag": 0,
       "selectedChoice": null,
       "pointRate": 10,
       "pointType": 2,
       "inventoryType": 1,
       "delvdateInfo": null,
       "restoreInventoryFlag": 0,
       "dealFlag": 0,
       "drugFlag": 0,
       "deleteItemFlag": 0,
       "taxRate": 0.08,
       "priceTaxIncl": 1080,
       "isSingleItemShipping": 0,
       "SkuModelList": [
        {
         "variantId": "cookie-12",
         "merchantDefinedSkuId": null,
         "skuInfo": null
        }
       ]
      }
     ],
     "ShippingModelList": [
      {
       "shippingDetailId": 700000001,
       "shippingNumber": "000000000011",
       "deliveryCompany": "1001",
       "deliveryCompanyName": "ヤマト運輸",
       "shippingDate": "2026-05-12"
      },
      {
       "shippingDetailId": 700000002,
       "shippingNumber": "000000000022",
       "deliveryCompany": "1001",
       "deliveryCompanyName": "ヤマト運輸",
       "shippingDate": "2026-05-12"
      }
     ],
     "DeliveryCvsModel": null,
     "SocialGiftModel": null
    }
   ],
   "CouponModelList": [
    {
     "couponCode": "AAAA-BBBB-CCCC-0001",
     "itemId": 10000119,
     "couponName": "タオル250円引き",
     "couponSummary": "定額割引 250円",
     "couponCapital": "ショップ",
     "couponCapitalCode": 1,
     "expiryDate": "2026-05-31",
     "couponPrice": 250,
     "couponUnit": 2,
     "couponTotalPrice": 500,
     "itemDetailId": 90010001
    },
    {
     "couponCode": "AAAA-BBBB-CCCC-0002",
     "itemId": 0,
     "couponName": "お買い物100円クーポン",
     "couponSummary": "定額割引 100円",
     "couponCapital": "サービス",
     "couponCapitalCode": 3,
     "expiryDate": "2026-05-31",
     "couponPrice": 100,
     "couponUnit": 1,
     "couponTotalPrice": 100,
     "itemDetailId": 0
    }
   ],
   "ChangeReasonModelList": [
    {
     "changeId": 800000001,
     "changeType": 8,
     "changeTypeDetail": null,
     "changeReason": null,
     "changeReasonDetail": null,
     "changeApplyDatetime": "2026-05-11T10:45:02+0900",
     "changeFixDatetime": "2026-05-11T10:45:02+0900",
     "changeCmplDatetime": "2026-05-11T10:45:02+0900"
    }
   ],
   "TaxSummaryModelList": [
    {
     "taxRate": 0.1,
     "reqPrice": 8381,
     "reqPriceTax": 761,
     "totalPrice": 8970,
     "paymentCharge": 0,
     "couponPrice": 589,
     "point": 0
    },
    {
     "taxRate": 0.08,
     "reqPrice": 1069,
     "reqPriceTax": 79,
     "totalPrice": 1080,
     "paymentCharge": 0,
     "couponPrice": 11,
     "point": 0
    }
   ],
   "DueDateModelList": []
  }
 ]
}
"""
FULL_ORDER: dict[str, Any] = json.loads(FULL_ANSWER)["OrderModelList"][0]
