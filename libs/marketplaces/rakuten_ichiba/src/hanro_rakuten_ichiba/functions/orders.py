"""Lists the functions of orders and of the licence. Source: rakuten-ichiba-orders 3 [2+], 4, 9 [1]."""

from collections.abc import Mapping

from hanro.errors import LocalizedText
from hanro_rakuten_ichiba.functions.function import Family, Function, Question

PREFIX = "ORDER_EXT_API_"
CONFIRM_PREFIX = f"{PREFIX}CONFIRM_ORDER_"
OLDEST_DAYS = 730
"""How far back searchOrder and getOrder look. Source: rakuten-ichiba-orders 4.1, 4.2 [2+]."""
# No order and no request has these; the answers say so and thereby that the function was reached (4.2, 4.6).
_NO_ORDER = "000000-20000101-0000000000"
_NO_REQUEST = "00000000-0000-4000-8000-000000000000_20000101000000"
_NOTHING: Mapping[str, object] = {}


def _order(
    name: str,
    ja: str,
    en: str,
    body: Mapping[str, object] = _NOTHING,
    *,
    is_write: bool = False,
    service: str = "order",
) -> Function:
    # With the slash, as the manual writes it; both forms work (rakuten-ichiba-orders 1 [wire]).
    path = f"/es/2.0/{service}/{name}/"
    return Function(
        name=name,
        method="POST",
        path=path,
        grant_id=f"rpay.{service}.{name}",
        group="order",
        family=Family.ORDER,
        label=LocalizedText(ja=f"{ja} ({name})", en=f"{en} ({name})"),
        question=Question(path=path, body=body),
        is_write=is_write,
    )


def _write(name: str, ja: str, en: str) -> Function:
    """Describe a write: asked without any of its keys it must refuse, ERROR_009 (6 [2+])."""
    return _order(name, ja, en, is_write=True)


# The period of its question is the last minute: it is filled in when it is asked.
SEARCH_ORDER = _order("searchOrder", "受注検索", "find orders")
# The newest version (5.1 [2+]).
GET_ORDER = _order("getOrder", "受注情報取得", "read orders", {"orderNumberList": [_NO_ORDER], "version": 10})
CONFIRM_ORDER = _write("confirmOrder", "注文確認", "confirm orders")
GET_SUB_STATUS_LIST = _order("getSubStatusList", "サブステータス取得", "read sub-statuses")
_LICENSE_PATH = "/es/1.0/license-management/license-key/expiry-date"
LICENSE_EXPIRY = Function(
    name="expiry-date",
    method="GET",
    path=_LICENSE_PATH,
    grant_id="license.expiryDate",
    group="license",
    family=Family.LICENSE,
    label=LocalizedText(ja="ライセンスキー期限照会", en="read the licence key's end"),
    question=Question(path=_LICENSE_PATH, shows=("expiryDate",)),
)

UPDATE_SHIPPING = _write("updateOrderShipping", "発送情報更新", "register parcels")
QUEUE_SHIPPING = _write("updateOrderShippingAsync", "発送情報一括更新", "register parcels of many orders")
SHIPPING_RESULT = _order(
    "getResultUpdateOrderShippingAsync",
    "発送情報一括更新結果取得",
    "read what became of many parcels",
    {"requestId": _NO_REQUEST},
)
CANCEL_ORDER = _write("cancelOrder", "注文キャンセル", "cancel orders")
CANCEL_SHIPPED = _write("cancelOrderAfterShipping", "発送後キャンセル", "cancel orders after shipping")
CHANGE_ORDER = _write("updateOrderSender", "送付先・商品情報更新", "change lines and destinations")
CHANGE_SHIPPED = _write("updateOrderSenderAfterShipping", "発送後の送付先・商品情報更新", "change lines after shipping")
PAYMENT_VERSION = 4
"""The newest. Source: rakuten-ichiba-orders 4.18 [1]."""
GET_PAYMENT = _order(
    "getPayment", "決済情報取得", "read payments", {"orderNumber": _NO_ORDER, "version": PAYMENT_VERSION}
)

ORDER_FUNCTIONS = (
    SEARCH_ORDER,
    GET_ORDER,
    CONFIRM_ORDER,
    GET_SUB_STATUS_LIST,
    LICENSE_EXPIRY,
    UPDATE_SHIPPING,
    QUEUE_SHIPPING,
    SHIPPING_RESULT,
    CANCEL_ORDER,
    CANCEL_SHIPPED,
    CHANGE_ORDER,
    CHANGE_SHIPPED,
    GET_PAYMENT,
    _write("updateOrderSubStatus", "サブステータス更新", "set sub-statuses"),
    _write("updateOrderMemo", "ひとことメモ等更新", "write memos"),
    _write("updateOrderRemarks", "備考更新", "write remarks"),
    _write("updateOrderOrderer", "注文者情報更新", "change the buyer"),
    _write("updateOrderDelivery", "配送方法更新", "change the delivery method"),
    # It changes nothing, but its fields are not public: asked without any of them it must refuse (4.17).
    _order("simulateCouponAmount", "クーポン金額試算", "work out coupon amounts"),
    _order("searchOrderItem", "購入商品検索", "find orders without personal data", service="purchaseItem"),
    _order(
        "getOrderItem",
        "購入商品情報取得",
        "read orders without personal data",
        {"orderNumberList": [_NO_ORDER]},
        service="purchaseItem",
    ),
)
