"""States what can be done at Rakuten Ichiba, by which grants, and why the rest is absent."""

from collections.abc import Mapping
from types import MappingProxyType

from hanro.errors import MenuPath, Unsupported
from hanro.marketplace import absent
from hanro.marketplace.types import Absent, Capability, Channel, Support, Supported, Trigger
from hanro_rakuten_ichiba.declared.words import APPLICATION, NOT_IN_THIS_VERSION, ORDERS, both
from hanro_rakuten_ichiba.functions import (
    CANCEL_ORDER,
    CANCEL_SHIPPED,
    CHANGE_ORDER,
    CHANGE_SHIPPED,
    CONFIRM_ORDER,
    GET_ORDER,
    GET_PAYMENT,
    LICENSE_EXPIRY,
    QUEUE_SHIPPING,
    SEARCH_ORDER,
    SHIPPING_RESULT,
    UPDATE_SHIPPING,
)

_VERSION = "hanro: not in this version"


def _later(*grant_ids: str, menu: MenuPath | None = None) -> Absent:
    """Say that a capability is still to come; the grants are those of the functions that it will call."""
    return Absent(reason=NOT_IN_THIS_VERSION, source=_VERSION, menu=menu, grant_ids=frozenset(grant_ids))


_NOT_IN_THE_API = Absent(
    reason=both("楽天の API にはこの操作がありません。RMS で操作してください。", "not in the API; answer it in RMS"),
    source="rakuten-ichiba-orders 3 [2+]",
    menu=ORDERS,
)
_WHOLE_ORDERS = Absent(
    reason=both(
        "注文確認は注文単位です。明細だけの確認はできません。",
        "confirmOrder takes whole orders; single lines cannot be confirmed",
    ),
    source="rakuten-ichiba-orders 4.3",
    instead=Capability.ACCEPT,
)
_CANCEL_INSTEAD = Absent(
    reason=both(
        "注文を断る API はありません。キャンセルしてください。",
        "no call refuses an order; cancel it instead",
    ),
    source="rakuten-ichiba-orders 3 [2+]",
    menu=ORDERS,
    instead=Capability.CANCEL_ORDER,
)
_NO_BY_HAND_KEY = Absent(
    reason=both(
        "ライセンスキーは RMS の画面で発行します。API では更新できません。",
        "a licence key is issued by hand in RMS; no call renews it",
    ),
    source="rakuten-ichiba-orders 1.1",
    menu=APPLICATION,
)
_ROWS_NAME_NO_LINES = Absent(
    reason=both(
        "発送情報は送付先単位で、商品明細を指定できません。",
        "shipping rows belong to a destination and name no lines",
    ),
    source="rakuten-ichiba-orders 4.4 [2+]",
    instead=Capability.SHIP,
)
_NO_MESSAGES = Absent(
    reason=both(
        "購入者へのメッセージを送る API はありません。あんしんメルアドのメールを使います。",
        "no API hands messages over; mail goes through the masked-address relay",
    ),
    source="rakuten-ichiba-orders 3 [2+], 12 [2+]",
)
_NO_INQUIRIES = Absent(
    reason=both(
        "問い合わせを読む API は公開されていません。RMS の R-Messe で対応してください。",
        "no API for inquiries is documented; use R-Messe in RMS",
    ),
    source="rakuten-ichiba-orders 3 [2+]",
    menu=MenuPath(steps=("RMS", "R-Messe")),
)

_READ_ORDERS = frozenset({SEARCH_ORDER.grant_id, GET_ORDER.grant_id})
# An order is read before a write is repeated, and before a part of it is restated (rakuten-ichiba-orders 4.4, 4.11).
_SHIPPING = (
    GET_ORDER.grant_id,
    UPDATE_SHIPPING.grant_id,
    QUEUE_SHIPPING.grant_id,
    SHIPPING_RESULT.grant_id,
)
_MARKET = (
    "shop.shopMaster",
    "shop.shopStatus",
    "shop.deliverySetInfo",
    "shop.soryoKbn",
    "shop.shopAreaSoryo",
    "shop.delvAreaMaster",
    "shop.delvdateMaster",
    "shop.operationLeadTime",
    "shop.shipFrom",
    "shop.shopCalendar",
    "rpay.order.getSubStatusList",
    "categories.category-set-lists.get",
    "categories.category-trees.get",
)
_PARTS = (GET_ORDER.grant_id, CHANGE_ORDER.grant_id)
_AFTER_SHIPPING = (
    GET_ORDER.grant_id,
    CANCEL_SHIPPED.grant_id,
    CHANGE_SHIPPED.grant_id,
)

CAPABILITIES: Mapping[Capability, Support] = MappingProxyType(
    {
        Capability.KEY_EXPIRY: Supported(grant_ids=frozenset({LICENSE_EXPIRY.grant_id})),
        Capability.RENEW_KEY: _NO_BY_HAND_KEY,
        Capability.MARKET_INFORMATION: Supported(
            grant_ids=frozenset(_MARKET),
            note=both(
                "RMS で店舗情報・配送方法・カテゴリなどを変えたら再取得してください。1 日 1 回は自動で取得します。"
                "返品・交換先は読み取れないため、RMS で変えたらここでも入力し直してください。",
                "After changing the shop, its shipping groups or its categories in RMS refresh it here; once a day it"
                " is read by itself. The return address cannot be read: type it again here whenever it changes in RMS.",
            ),
        ),
        Capability.FIND_ORDERS: Supported(grant_ids=_READ_ORDERS),
        Capability.FETCH_ORDER: Supported(grant_ids=frozenset({GET_ORDER.grant_id})),
        Capability.READ_PAYMENTS: Supported(
            grant_ids=frozenset({GET_ORDER.grant_id, GET_PAYMENT.grant_id}),
            note=both(
                "決済と返金の記録は、求められたときに getPayment で 1 件ずつ読みます。",
                "payments and refunds are read by getPayment, an order at a time, where they are asked for",
            ),
        ),
        Capability.NOTICES: Supported(
            note=both(
                "システムイベント通知サービスの利用承認と、認証キーの入力が必要です。通知は取得のきっかけにだけ使います。",
                "the notification service must be approved and its key entered; a notice is only a hint to fetch",
            ),
        ),
        Capability.IMPORT_ORDERS: Supported(
            note=both(
                "受注データのダウンロードには申し込みが必要です（無料）。発送情報はファイルにありません。",
                "the download of orders must be applied for in RMS (free of charge); the file tells nothing of parcels",
            ),
        ),
        Capability.ACCEPT: Supported(
            grant_ids=frozenset({GET_ORDER.grant_id, CONFIRM_ORDER.grant_id}),
            note=both("注文確認は取り消せません。", "a confirmation cannot be undone"),
        ),
        Capability.ACCEPT_LINE: _WHOLE_ORDERS,
        Capability.REFUSE_LINE: _CANCEL_INSTEAD,
        Capability.ANNOUNCE_DELAY: _NOT_IN_THE_API,
        Capability.SHIP: Supported(
            grant_ids=frozenset(_SHIPPING),
            note=both(
                "最後の出荷まで発送日を空けて登録するため、楽天の状態は最後の出荷の翌未明まで「発送待ち」です。",
                "rows have no date until the last parcel, so that the order stays 発送待ち until the night after it",
            ),
        ),
        Capability.SHIP_LINE: _ROWS_NAME_NO_LINES,
        Capability.CORRECT_SHIPMENT: Supported(grant_ids=frozenset(_SHIPPING)),
        Capability.CANCEL_ORDER: Supported(grant_ids=frozenset({GET_ORDER.grant_id, CANCEL_ORDER.grant_id})),
        Capability.CANCEL_LINE: Supported(grant_ids=frozenset(_PARTS)),
        Capability.CANCEL_QUANTITY: Supported(grant_ids=frozenset(_PARTS)),
        Capability.CANCEL_SHIPPED: Supported(grant_ids=frozenset(_AFTER_SHIPPING)),
        Capability.REFUND_AMOUNT: Supported(
            grant_ids=frozenset(_PARTS),
            note=both(
                "税込価格の商品の単価を、1 個あたり 1 円単位で下げます。",
                "the price of a unit is cut by whole yen, where it holds its tax",
            ),
        ),
        Capability.ANSWER_CANCELLATION: _NOT_IN_THE_API,
        Capability.ANSWER_RETURN: _NOT_IN_THE_API,
        Capability.ANSWER_EXCHANGE: _NOT_IN_THE_API,
        Capability.PUBLISH: _later("items.get", "items.upsert", "items.patch", "categories.item-mappings.upsert"),
        Capability.PAUSE: _later("items.get", "items.patch"),
        Capability.DELETE: _later("items.delete"),
        Capability.UPLOAD_IMAGES: _later("cabinet.folders.get", "cabinet.folder.insert", "cabinet.file.insert"),
        Capability.READ_LISTINGS: _later("items.get", "items.search"),
        Capability.READ_ATTRIBUTES: _later(
            "navigation.genres.get",
            "navigation.genres.attributes.get",
            "navigation.genres.attributes.dictionaryValues.get",
        ),
        Capability.EXPORT_LISTINGS: _later(),
        Capability.SET_STOCK: _later("inventories.bulk.upsert"),
        Capability.READ_STOCK: _later("inventories.bulk.get"),
        Capability.MESSAGE_BUYER: _NO_MESSAGES,
        Capability.READ_INQUIRIES: _NO_INQUIRIES,
        Capability.ANSWER_INQUIRY: _NO_INQUIRIES,
    }
)

CHANNELS: Mapping[Trigger, Channel | Absent] = MappingProxyType(
    {trigger: Channel.RELAY for trigger in Trigger if trigger is not Trigger.REPLY} | {Trigger.REPLY: _NO_INQUIRIES}
)


def unsupported(capability: Capability) -> Unsupported:
    """Make the error of a capability that is absent here; see `absent.unsupported`."""
    return absent.unsupported(CAPABILITIES, capability)
