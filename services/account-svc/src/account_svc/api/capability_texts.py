"""Names capabilities for people, in both languages."""

from collections.abc import Mapping
from types import MappingProxyType

from hanro.errors import LocalizedText
from hanro.marketplace.types import Capability


def _both(ja: str, en: str) -> LocalizedText:
    return LocalizedText(ja=ja, en=en)


LABELS: Mapping[Capability, LocalizedText] = MappingProxyType(
    {
        Capability.KEY_EXPIRY: _both("キーの期限の照会", "look up when the key ends"),
        Capability.RENEW_KEY: _both("キーの更新", "renew the key"),
        Capability.MARKET_INFORMATION: _both("ショップ設定の取得", "read the shop's settings"),
        Capability.FIND_ORDERS: _both("受注の検索", "find orders"),
        Capability.FETCH_ORDER: _both("受注の取得", "read an order"),
        Capability.READ_PAYMENTS: _both("決済・返金の記録の取得", "read payments and refunds"),
        Capability.NOTICES: _both("イベント通知の受信", "receive notifications"),
        Capability.IMPORT_ORDERS: _both("受注 CSV の取込", "import orders from files"),
        Capability.ACCEPT: _both("注文の確認", "accept orders"),
        Capability.ACCEPT_LINE: _both("明細ごとの注文確認", "accept single lines"),
        Capability.REFUSE_LINE: _both("明細ごとの注文拒否", "refuse single lines"),
        Capability.ANNOUNCE_DELAY: _both("発送遅延の連絡", "announce a delay"),
        Capability.SHIP: _both("発送の報告", "report shipments"),
        Capability.SHIP_LINE: _both("明細ごとの発送報告", "report shipments of single lines"),
        Capability.CORRECT_SHIPMENT: _both("発送情報の訂正", "correct shipments"),
        Capability.CANCEL_ORDER: _both("注文のキャンセル", "cancel orders"),
        Capability.CANCEL_LINE: _both("明細のキャンセル", "cancel single lines"),
        Capability.CANCEL_QUANTITY: _both("数量のキャンセル", "cancel part of a quantity"),
        Capability.CANCEL_SHIPPED: _both("発送後のキャンセル", "cancel after shipping"),
        Capability.REFUND_AMOUNT: _both("金額の返金", "refund an amount"),
        Capability.ANSWER_CANCELLATION: _both("キャンセル依頼への回答", "answer cancellation requests"),
        Capability.ANSWER_RETURN: _both("返品依頼への回答", "answer returns"),
        Capability.ANSWER_EXCHANGE: _both("交換依頼への回答", "answer exchanges"),
        Capability.PUBLISH: _both("商品の登録・更新", "publish listings"),
        Capability.PAUSE: _both("販売の一時停止", "pause listings"),
        Capability.DELETE: _both("商品の削除", "delete listings"),
        Capability.UPLOAD_IMAGES: _both("画像の登録", "upload images"),
        Capability.READ_LISTINGS: _both("商品の取得", "read listings"),
        Capability.READ_ATTRIBUTES: _both("ジャンル・属性の取得", "read categories and attributes"),
        Capability.EXPORT_LISTINGS: _both("商品 CSV の出力", "export listings to files"),
        Capability.SET_STOCK: _both("在庫の更新", "set stock"),
        Capability.READ_STOCK: _both("在庫の取得", "read stock"),
        Capability.MESSAGE_BUYER: _both("購入者への連絡", "write to buyers"),
        Capability.READ_INQUIRIES: _both("問い合わせの取得", "read inquiries"),
        Capability.ANSWER_INQUIRY: _both("問い合わせへの回答", "answer inquiries"),
    }
)
OTHER = _both("その他", "other")
