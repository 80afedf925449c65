"""Lists the resources of the Shop API, one function each. Source: rakuten-ichiba-orders 10 [2+].

Reading and, where it exists, writing a resource share its path; hanro writes none, and no name of a switch of its own
is public.
"""

from hanro.errors import LocalizedText
from hanro_rakuten_ichiba.functions.function import Family, Function, Question


def _shop(name: str, ja: str, en: str, argument: str = "", query: tuple[tuple[str, str], ...] = ()) -> Function:
    path = f"/es/1.0/shop/{name}"
    return Function(
        name=name,
        method="GET",
        path=path,
        grant_id=f"shop.{name}",
        group="shop",
        family=Family.SHOP,
        label=LocalizedText(ja=f"{ja} ({name})", en=f"{en} ({name})"),
        question=Question(path=path + argument, query=query),
    )


SHOP_MASTER = _shop("shopMaster", "店舗情報取得", "read the shop")

SHOP_FUNCTIONS = (
    SHOP_MASTER,
    _shop("deliverySetInfo", "配送方法セット取得", "read delivery sets"),
    _shop("soryoKbn", "送料区分取得", "read postage segments"),
    _shop("shopAreaSoryo", "地域別送料取得", "read postage by region"),
    _shop("delvAreaMaster", "あす楽配送エリア取得", "read next-day areas"),
    _shop("delvdateMaster", "納期情報取得", "read delivery times"),
    _shop("operationLeadTime", "出荷リードタイム取得", "read lead times"),
    _shop("shipFrom", "出荷元取得", "read ship-from places"),
    _shop("shopCalendar", "店舗カレンダー取得", "read the calendar", query=(("period", "1"),)),
    _shop("shopStatus", "店舗ステータス取得", "read what the shop was moved to", "/skuMigration"),
    _shop("shopHoliday", "休業日のお知らせ取得", "read holiday notices"),
    _shop("shopCalendarAndDesign", "カレンダーとデザイン取得", "read the calendar's design"),
    _shop("topDisplay", "トップページ表示取得", "read what the top page shows"),
    _shop("shopLayoutImage", "看板画像取得", "read layout images"),
    _shop("shopLayoutCommon", "共通レイアウト取得", "read the common layout"),
    _shop("naviButtonInfo", "ナビボタン情報取得", "read the buttons' settings"),
    _shop("naviButton", "ナビボタン取得", "read the buttons"),
    _shop("layoutTextSmall", "共通説明文(小)取得", "read small texts"),
    _shop("layoutTextLarge", "共通説明文(大)取得", "read large texts"),
    _shop("layoutLossLeader", "目玉商品取得", "read featured items"),
    _shop("layoutItemMap", "商品レイアウト取得", "read the items' layout"),
    _shop("layoutCategoryMap", "カテゴリレイアウト取得", "read the categories' layout"),
    _shop("goldTop", "GOLDトップ取得", "read the GOLD top page"),
    _shop("spTopPage", "スマートフォントップ取得", "read the phone's top page"),
    _shop("spTopPageDisplay", "スマートフォントップ表示取得", "read what the phone's top page shows"),
    _shop("spCategoryPage", "スマートフォンカテゴリページ取得", "read the phone's category pages"),
    _shop("spItemPage", "スマートフォン商品ページ取得", "read the phone's item pages"),
    _shop("spMedamaCategory", "スマートフォン目玉カテゴリ取得", "read the phone's featured categories"),
    _shop("spMedamaItem", "スマートフォン目玉商品取得", "read the phone's featured items"),
    _shop("spBigBanner", "スマートフォン大バナー取得", "read the phone's big banner"),
    _shop("spSmallBanner", "スマートフォン小バナー取得", "read the phone's small banners"),
    _shop("signboard", "看板取得", "read the signboard"),
)
