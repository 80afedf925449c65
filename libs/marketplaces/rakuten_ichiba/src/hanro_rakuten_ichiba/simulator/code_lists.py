"""Knows the code lists of orders: carriers, settlement methods, reasons, places, times of day.

Source: rakuten-ichiba-orders 7 [2+].
"""

from collections.abc import Mapping

# 7.6; 1005 and 1015 under their present names.
CARRIERS: Mapping[str, str] = {
    "1000": "その他",
    "1001": "ヤマト運輸",
    "1002": "佐川急便",
    "1003": "日本郵便",
    "1004": "西濃運輸",
    "1005": "セイノースーパーエクスプレス",
    "1006": "福山通運",
    "1007": "名鉄運輸",
    "1008": "トナミ運輸",
    "1009": "第一貨物",
    "1010": "新潟運輸",
    "1011": "中越運送",
    "1012": "岡山県貨物運送",
    "1013": "久留米運送",
    "1014": "山陽自動車運送",
    "1015": "NXトランスポート",
    "1016": "エコ配",
    "1017": "EMS",
    "1018": "DHL",
    "1019": "FedEx",
    "1020": "UPS",
    "1021": "日本通運",
    "1022": "TNT",
    "1023": "OCS",
    "1024": "USPS",
    "1025": "SFエクスプレス",
    "1026": "Aramex",
    "1027": "SGHグローバル・ジャパン",
    "1028": "Rakuten EXPRESS",
    "1029": "日本郵便 楽天倉庫出荷",
    "1030": "ヤマト運輸 クロネコゆうパケット",
    "1031": "名鉄NX運輸",
}
# 7.9; 16 stands in answers alone.
BUYER_REASONS = (1, 2, 3, 4, 5, 6)
SHOP_REASONS = (8, 10, 13, 14, 15)
REASONS = (*BUYER_REASONS, *SHOP_REASONS)
# 7.4; 14 was renamed on 2026-01-22.
SETTLEMENT_METHODS: Mapping[int, str] = {
    1: "クレジットカード",
    2: "代金引換",
    3: "後払い",
    4: "ショッピングクレジット／ローン",
    5: "オートローン",
    6: "リース",
    7: "請求書払い",
    8: "ポイント",
    9: "銀行振込",
    12: "Apple Pay",
    13: "セブンイレブン（前払）",
    14: "ファミリーマート、ローソン等（前払）",
    16: "Alipay",
    17: "PayPal",
    21: "後払い決済",
    27: "Alipay（支付宝）",
}
# 4.11: what an order may be changed to; 16 is closed since 2022-10-13.
SETTLEMENTS_TO_CHANGE_TO = (2, 4, 5, 6, 7, 9, 13, 14, 27)
CASH_ON_DELIVERY, PAY_LATER = 2, 21
# 4.11: tax rates, and where a parcel may be left.
TAX_RATES = (0.0, 0.08, 0.1)
NO_DROP_OFF = "利用しない"
DROP_OFF_PLACES = ("宅配ボックス", "玄関前", "玄関前鍵付容器", "メーターボックス", "物置", "車庫")
PREFECTURES = (
    "北海道", "青森県", "岩手県", "宮城県", "秋田県", "山形県", "福島県", "茨城県",
    "栃木県", "群馬県", "埼玉県", "千葉県", "東京都", "神奈川県", "新潟県", "富山県",
    "石川県", "福井県", "山梨県", "長野県", "岐阜県", "静岡県", "愛知県", "三重県",
    "滋賀県", "京都府", "大阪府", "兵庫県", "奈良県", "和歌山県", "鳥取県", "島根県",
    "岡山県", "広島県", "山口県", "徳島県", "香川県", "愛媛県", "高知県", "福岡県",
    "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県", "鹿児島県", "沖縄県", "国外",
)  # fmt: skip
# 7.5.
DELIVERY_CLASSES = range(9)
_FIRST_HOUR, _LAST_HOUR = 7, 24


def is_shipping_term(number: int) -> bool:
    """Tell whether a number is a time of day: 0, 1, 2, 9, or two hours like 708 and 1820 (7.7 [2+])."""
    first, last = divmod(number, 100)
    return number in (0, 1, 2, 9) or _FIRST_HOUR <= first < last <= _LAST_HOUR
