"""Names the carriers of deliveryCompany, the forms of their numbers and the pages that follow a parcel."""

from hanro.marketplace.types import Carrier, CarrierCatalogue
from hanro_rakuten_ichiba.declared.words import both

OTHER = "1000"
"""その他. Source: rakuten-ichiba-orders 7.6 [2+]."""

_POST = "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={tracking_number}&searchKind=S002&locale=ja"
_KURONEKO = "https://member.kms.kuronekoyamato.co.jp/parcel/detail?pno={tracking_number}"
_TWELVE = r"[0-9]{12}"
# Domestic parcels have 11 to 13 digits; small packets abroad the form of the Universal Postal Union (S10).
_OF_THE_POST = r"[0-9]{11,13}|[A-Z]{2}[0-9]{9}JP"


def _carrier(
    value: str,
    code: str,
    ja: str,
    en: str,
    *aliases: str,
    url: str | None = None,
    pattern: str | None = None,
) -> Carrier:
    return Carrier(
        code=code,
        names=both(ja, en),
        aliases=aliases,
        marketplace_value=value,
        tracking_url=url,
        number_pattern=pattern,
        is_url_required=False,
    )


# Of several services that share a value the first is what a parcel there is read as.
CARRIERS = CarrierCatalogue(
    version="2026.2",
    other_value=OTHER,
    is_other_url_required=False,
    carriers=(
        _carrier(
            "1001", "yamato", "ヤマト運輸", "Yamato Transport", "ヤマト", "ヤマト宅急便", "クロネコヤマト",
            "Kuroneko Yamato", "宅急便", url=_KURONEKO, pattern=_TWELVE,
        ),
        _carrier("1001", "yamato_nekopos", "ネコポス", "Yamato Nekopos", "Nekopos", url=_KURONEKO, pattern=_TWELVE),
        _carrier(
            "1002", "sagawa", "佐川急便", "Sagawa Express", "佐川", "飛脚宅配便", "Sagawa",
            url="https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo={tracking_number}", pattern=_TWELVE,
        ),
        _carrier(
            "1003", "japan_post", "日本郵便", "Japan Post", "ゆうパック", "Yu-Pack", "レターパック", "Letter Pack",
            url=_POST, pattern=_OF_THE_POST,
        ),
        _carrier(
            "1003", "japan_post_yupacket", "ゆうパケット", "Japan Post Yu-Packet", "YuPacket", url=_POST,
            pattern=_OF_THE_POST,
        ),
        _carrier(
            "1003", "japan_post_clickpost", "クリックポスト", "Japan Post Click Post", "Clickpost", url=_POST,
            pattern=_OF_THE_POST,
        ),
        _carrier(
            "1004", "seino", "西濃運輸", "Seino Transportation", "西濃", "カンガルー便", "Seino",
            url="https://track.seino.co.jp/cgi-bin/gnpquery.pgm?GNPNO1={tracking_number}", pattern=r"[0-9]{10}",
        ),
        _carrier("1005", "seino_super_express", "セイノースーパーエクスプレス", "Seino Super Express", "西部運輸"),
        _carrier(
            "1006", "fukuyama", "福山通運", "Fukuyama Transporting", "福通", "Fukuyama",
            url="https://corp.fukutsu.co.jp/situation/tracking_no_hunt/{tracking_number}", pattern=r"[0-9]{10,12}",
        ),
        _carrier("1007", "meitetsu", "名鉄運輸", "Meitetsu Transport"),
        _carrier(
            "1008", "tonami", "トナミ運輸", "Tonami Transportation",
            url="https://trc1.tonami.co.jp/trc/search3/excSearch3?id[0]={tracking_number}",
        ),
        _carrier("1009", "daiichi_kamotsu", "第一貨物", "Daiichi Kamotsu"),
        _carrier("1010", "niigata_unyu", "新潟運輸", "Niigata Unyu"),
        _carrier("1011", "chuetsu_unso", "中越運送", "Chuetsu Unso"),
        _carrier("1012", "okayama_unso", "岡山県貨物運送", "Okayama-ken Freight"),
        _carrier("1013", "kurume_unso", "久留米運送", "Kurume Unso"),
        _carrier("1014", "sanyo_jidosha", "山陽自動車運送", "Sanyo Jidosha Unso"),
        _carrier("1015", "nx_transport", "NXトランスポート", "NX Transport", "日本トラック"),
        _carrier("1016", "ecohai", "エコ配", "Ecohai", "Ecopai"),
        _carrier(
            "1017", "ems_jp", "EMS（国際スピード郵便）", "EMS (Japan Post)", "EMS", "国際スピード郵便", url=_POST,
            pattern=r"E[A-Z][0-9]{9}JP",
        ),
        _carrier(
            "1018", "dhl_express", "DHLエクスプレス", "DHL Express", "DHL", "DHL Worldwide",
            url="https://www.dhl.com/global-en/home/tracking.html?tracking-id={tracking_number}",
            pattern=r"[0-9]{10}|JJ?D[0-9]{16,18}",
        ),
        _carrier(
            "1019", "fedex", "フェデックス (FedEx)", "FedEx", "Federal Express", "FedEx Express", "フェデックス",
            url="https://www.fedex.com/fedextrack/?trknbr={tracking_number}",
            pattern=r"[0-9]{12}|[0-9]{15}|[0-9]{20}|[0-9]{22}",
        ),
        _carrier(
            "1020", "ups", "ユーピーエス (UPS)", "UPS", "United Parcel Service",
            url="https://www.ups.com/track?tracknum={tracking_number}",
            pattern=r"1Z[0-9A-Z]{16}|[0-9]{12}|T[0-9]{10}|[0-9]{9}",
        ),
        _carrier(
            "1021", "nittsu", "日本通運", "Nippon Express", "日通", "NX",
            url="https://lp-trace.nittsu.co.jp/web/webarpaa702.srv?LANG=JP&officeselect2=&denpyoNo1={tracking_number}",
        ),
        _carrier(
            "1022", "tnt", "ティーエヌティー (TNT)", "TNT", "TNT Express",
            url="https://www.tnt.com/express/fr_fr/site/outils-expedition/suivi.html?searchType=con&cons={tracking_number}",
            pattern=r"[0-9]{9}|[A-Z]{2}[0-9]{9}[A-Z]{2}",
        ),
        _carrier("1023", "ocs", "OCS（海外新聞普及）", "OCS", "Overseas Courier Service"),
        _carrier(
            "1024", "usps", "アメリカ郵便 (USPS)", "USPS", "US Postal Service",
            url="https://tools.usps.com/go/TrackConfirmAction?tLabels={tracking_number}",
            pattern=r"[0-9]{20}|[0-9]{22}|[0-9]{26}|[0-9]{30}|[A-Z]{2}[0-9]{9}US",
        ),
        _carrier(
            "1025", "sf_express", "SFエクスプレス", "SF Express", "S.F. Express", "Shunfeng", "順豊エクスプレス",
            url="https://www.sf-express.com/cn/en/dynamic_function/waybill/#search/bill-number/{tracking_number}",
            pattern=r"SF[0-9]{12,13}|[0-9]{12}",
        ),
        _carrier(
            "1026", "aramex", "アラメックス (Aramex)", "Aramex",
            url="https://www.aramex.com/track_results_multiple.aspx?ShipmentNumber={tracking_number}",
        ),
        _carrier("1027", "sgh_global_japan", "SGHグローバル・ジャパン", "SGH Global Japan"),
        _carrier("1028", "rakuten_express", "楽天エクスプレス", "Rakuten EXPRESS"),
        _carrier(
            "1029", "japan_post_rakuten_wh", "日本郵便 楽天倉庫出荷", "Japan Post (Rakuten warehouse)", url=_POST,
            pattern=_OF_THE_POST,
        ),
        _carrier(
            "1030", "yamato_kuroneko_yupacket", "ヤマト運輸 クロネコゆうパケット", "Kuroneko Yu-Packet",
            "クロネコゆうパケット",
        ),
        _carrier("1031", "meitetsu_nx", "名鉄NX運輸", "Meitetsu NX"),
        _carrier(OTHER, "other", "その他", "Other carrier", "Other", "Autre", "Unknown"),
    ),
)  # fmt: skip
"""Source: rakuten-ichiba-orders 7.6 [2+]; codes, aliases and pages: carriers.csv; None: no form or page is public."""

CODES = {
    carrier.marketplace_value: carrier.code
    for carrier in reversed(CARRIERS.carriers)
    if carrier.marketplace_value is not None
}
"""Our code of each value that they show."""
