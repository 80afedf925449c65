"""The samples of rakuten-ichiba-orders 15 and 10, transcribed: what the marketplace's bytes must equal."""

SEARCH_REQUEST = (
    b'{"dateType":1,"startDatetime":"2026-05-01T00:00:00+0900","endDatetime":"2026-05-31T23:59:59+0900",'
    b'"orderProgressList":[100,300],"PaginationRequestModel":{"requestRecordsAmount":1000,"requestPage":1,'
    b'"SortModelList":[{"sortColumn":1,"sortDirection":1}]}}'
)
SEARCH_HITS = (
    '{"orderNumberList":["999001-20260511-0123456789","999001-20260512-0123456790"],"MessageModelList":[{"messageType":'
    '"INFO","messageCode":"ORDER_EXT_API_SEARCH_ORDER_INFO_101","message":"注文検索に成功しました。"}],'
    '"PaginationResponseModel":{"totalRecordsAmount":2,"totalPages":1,"requestPage":1}}'
).encode()
SEARCH_NO_HIT = (
    '{"orderNumberList":[],"MessageModelList":[{"messageType":"INFO","messageCode":"ORDER_EXT_API_SEARCH_ORDER_INFO_102",'
    '"message":"注文検索に成功しました。(検索結果０件)"}],"PaginationResponseModel":{"totalRecordsAmount":null,'
    '"totalPages":null,"requestPage":null}}'
).encode()
SEARCH_BAD_INPUT = (
    '{"orderNumberList":null,"MessageModelList":[{"messageType":"ERROR","messageCode":'
    '"ORDER_EXT_API_SEARCH_ORDER_ERROR_009","message":"dateTypeの項目を指定して下さい。"},{"messageType":"ERROR",'
    '"messageCode":"ORDER_EXT_API_SEARCH_ORDER_ERROR_011","message":"startDatetimeの書式が不正です。"}],'
    '"PaginationResponseModel":null}'
).encode()

FIRST_ORDER_NUMBER = "999001-20260511-0123456789"
SECOND_ORDER_NUMBER = "999001-20260512-0123456790"
READ_REQUEST = b'{"orderNumberList":["999001-20260511-0123456789"],"version":10}'
READ_NONE_FOUND = (
    '{"version":10,"MessageModelList":[{"messageType":"INFO","messageCode":"ORDER_EXT_API_GET_ORDER_INFO_102","message":'
    '"受注情報が取得できませんでした。","orderNumber":"999001-20260101-0000000001"},{"messageType":"INFO","messageCode":'
    '"ORDER_EXT_API_GET_ORDER_INFO_102","message":"受注情報が取得できませんでした。","orderNumber":'
    '"999001-20260101-0000000002"}],"OrderModelList":[]}'
).encode()
READ_VERSION_MISSING = (
    '{"MessageModelList":[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_GET_ORDER_ERROR_009","message":'
    '"versionの項目を指定して下さい。"}],"OrderModelList":[]}'
).encode()

CONFIRM_REQUEST = b'{"orderNumberList":["999001-20260511-0123456789","999001-20260512-0123456790"]}'
CONFIRM_MIXED = (
    '{"MessageModelList":[{"messageType":"INFO","messageCode":"ORDER_EXT_API_CONFIRM_ORDER_INFO_101","message":'
    '"注文確認に成功しました。","orderNumber":"999001-20260511-0123456789"},{"messageType":"ERROR","messageCode":'
    '"ORDER_EXT_API_CONFIRM_ORDER_ERROR_103","message":"(text unknown: already past confirmation)","orderNumber":'
    '"999001-20260512-0123456790"}]}'
).encode()

SUB_STATUS_LIST = (
    '{"StatusModelList":[{"orderProgress":100,"SubStatusModelList":[{"subStatusId":9001,"subStatusName":"要確認",'
    '"orderby":1}]},{"orderProgress":300,"SubStatusModelList":[{"subStatusId":9031,"subStatusName":"出荷準備中",'
    '"orderby":1},{"subStatusId":9032,"subStatusName":"入荷待ち","orderby":2}]}],"MessageModelList":[{"messageType":'
    '"INFO","messageCode":"ORDER_EXT_API_GET_SUBSTATUS_LIST_INFO_101","message":'
    '"(name and text of this code are not known)"}]}'
).encode()

SHIPPING_REQUEST = (
    b'{"orderNumber":"999001-20260511-0123456789","BasketidModelList":[{"basketId":90010001,"ShippingModelList":'
    b'[{"shippingDetailId":700000001,"deliveryCompany":"1001","shippingNumber":"000000000011","shippingDate":'
    b'"2026-05-12"},{"deliveryCompany":"1001","shippingNumber":"000000000022","shippingDate":"2026-05-12"},'
    b'{"shippingDetailId":700000009,"shippingDeleteFlag":1}]}]}'
)
SHIPPING_ANSWER = (
    '{"MessageModelList":[{"messageType":"INFO","messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_INFO_102","message":'
    '"発送情報の更新設定が完了しました。","dataNumber":1,"shippingDetailId":700000001},{"messageType":"INFO",'
    '"messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_INFO_101","message":"発送情報の追加設定が完了しました。",'
    '"dataNumber":2,"shippingDetailId":700000002},{"messageType":"INFO","messageCode":'
    '"ORDER_EXT_API_UPDATE_ORDERSHIPPING_INFO_103","message":"発送情報の削除設定が完了しました。","dataNumber":3,'
    '"shippingDetailId":700000009}]}'
).encode()
# What 15.4 finds: the destination with a row to change and a row to delete.
SHIPPED_PACKAGE = {
    "/PackageModelList/0/basketId": 90010001,
    "/PackageModelList/0/ShippingModelList": [
        {
            "shippingDetailId": number,
            "shippingNumber": "000000000099",
            "deliveryCompany": "1002",
            "deliveryCompanyName": "佐川急便",
            "shippingDate": None,
        }
        for number in (700000001, 700000009)
    ],
}
SHIPPING_MALFORMED_REQUEST = (
    '{"orderNumber":"999001-20260511-0123456789","BasketidModelList":[{"basketId":90010001,"ShippingModelList":'
    '[{"shippingDetailId":700000001,"shippingDate":"2026/05/12"},{"deliveryCompany":"ヤマト運輸"}]}]}'
).encode()
SHIPPING_MALFORMED = (
    '{"MessageModelList":[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_ERROR_011","message":'
    '"shippingDateの書式が不正です。","dataNumber":1,"shippingDetailId":700000001},{"messageType":"ERROR","messageCode":'
    '"ORDER_EXT_API_UPDATE_ORDERSHIPPING_ERROR_011","message":"deliveryCompanyの書式が不正です。","dataNumber":2,'
    '"shippingDetailId":null}]}'
).encode()
ASYNC_ACCEPTED = (
    '{"MessageModelList":[{"messageType":"INFO","messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_ASYNC_INFO_101",'
    '"message":"発送情報の更新を受付けました。","requestId":"00000000-0000-4000-8000-000000000001_20260512180000",'
    '"dataNumber":null,"shippingDetailId":null}]}'
).encode()
ASYNC_NO_RESULT = (
    '{"ResultShippingModelList":[{"MessageModelList":[{"messageType":"INFO","messageCode":'
    '"ORDER_EXT_API_GET_RESULT_UPDATEORDERSHIPPING_ASYNC_INFO_101","message":'
    '"指定されたリクエストIDの処理結果は存在しませんでした。"}]}]}'
).encode()
ASYNC_RESULT = (
    '{"ResultShippingModelList":[{"orderNumber":"999001-20260511-0123456789","MessageModelList":[{"messageType":"INFO",'
    '"messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_INFO_101","message":"発送情報の追加設定が完了しました。",'
    '"dataNumber":1,"shippingDetailId":700000001}]},{"orderNumber":"999001-20260512-0123456790","MessageModelList":'
    '[{"messageType":"ERROR","messageCode":"ORDER_EXT_API_UPDATE_ORDERSHIPPING_ERROR_102","message":'
    '"指定された注文番号は既にキャンセルされているため、発送完了報告が出来る状態ではありませんでした。",'
    '"dataNumber":null,"shippingDetailId":null}]}]}'
).encode()
ASYNC_SHIPPING_REQUEST = (
    b'{"OrderShippingModelList":[{"orderNumber":"999001-20260511-0123456789","BasketidModelList":[{"basketId":90010001,'
    b'"ShippingModelList":[{"deliveryCompany":"1001","shippingNumber":"000000000011","shippingDate":"2026-05-12"}]}]},'
    b'{"orderNumber":"999001-20260512-0123456790","BasketidModelList":[{"basketId":90010077,"ShippingModelList":'
    b'[{"deliveryCompany":"1003","shippingNumber":"000000000033","shippingDate":"2026-05-12"}]}]}]}'
)
ASYNC_RESULT_REQUEST = b'{"requestId":"00000000-0000-4000-8000-000000000001_20260512180000"}'
MEMO_REQUEST = (
    '{"orderNumber":"999001-20260511-0123456789","subStatusId":9031,"deliveryClass":2,"deliveryDate":"2026-05-14",'
    '"shippingTerm":1820,"memo":"要冷蔵","operator":"出荷係","mailPlugSentence":"ご注文ありがとうございます。"}'
).encode()
MEMO_ANSWER = (
    '{"MessageModelList":[{"messageType":"INFO","messageCode":"ORDER_EXT_API_UPDATE_ORDERMEMO_INFO_101","message":'
    '"ひとことメモ、担当者情報等の更新設定が完了しました。","orderNumber":"999001-20260511-0123456789"}]}'
).encode()
CANCEL_ANSWER = (
    '{"MessageModelList":[{"messageType":"INFO","messageCode":"ORDER_EXT_API_CANCEL_ORDER_INFO_101","message":'
    '"キャンセル申請に成功しました。","orderNumber":"999001-20260511-0123456789"}]}'
).encode()
CANCEL_REQUEST = b'{"orderNumber":"999001-20260511-0123456789","inventoryRestoreType":1,"changeReasonDetailApply":8}'

DELIVERY_TIMES_XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<shopbiz:shopBizApiResponse xmlns:shopbiz="http://rakuten.co.jp/rms/mall/shop/biz/api/model/resource">
  <resultCode>N000</resultCode>
  <resultMessageList><resultMessage><code>N000</code><message>Succeeded.</message></resultMessage></resultMessageList>
  <result xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="shopbiz:delvdateMasterBizModel">
    <delvdateMasterList>
      <delvdateMaster><delvdateNumber>1</delvdateNumber><delvdateCaption>1〜2日以内に発送予定</delvdateCaption></delvdateMaster>
    </delvdateMasterList>
  </result>
</shopbiz:shopBizApiResponse>
"""

UNAUTHORISED = b'{"errors":[{"code":"GA0001","message":"Un-Authorised"}]}'
OLDER_UNAUTHORISED = b'{"Results":{"errorCode":"ES01-01","message":"Un-Authorised"}}'
NOT_ENABLED = b'{"Results":{"errorCode":"ES04-01","message":"Bad Request"}}'
TOO_MANY = b'{"errors":[{"code":"SIM-429","message":"Too Many Requests"}]}'

DELIVERY_STORE = (
    '{"cvsCode":50,"storeGenreCode":"0001","storeCode":"00001","storeName":"見本店","storeZip":"100-0000",'
    '"storePrefecture":"東京都","storeAddress":"架空区見本町1-1","areaCode":"01","depo":"07","openTime":"06:00",'
    '"closeTime":"24:00","cvsRemarks":null}'
)
SOCIAL_GIFT = (
    '{"sgMngNumber":"999001-20260511-000000001-sg","inputDueDate":"2026-05-21","inputFlag":0,"inputCompDatetime":null,'
    '"receiverEmailAddress":null}'
)
DUE_DATES = '[{"dueDateType":0,"dueDate":"2026-05-21"}]'
BANK_TRANSFER = (
    '{"settlementMethodCode":9,"settlementMethod":"銀行振込","rpaySettlementFlag":1,"cardName":null,"cardNumber":null,'
    '"cardOwner":null,"cardYm":null,"cardPayType":null,"cardInstallmentDesc":null}'
)
