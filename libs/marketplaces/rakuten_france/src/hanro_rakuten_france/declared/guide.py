"""Leads a seller to credentials that can be linked: which account, which name, which token.

Source: seed 004, rakuten-france 2.1 [2+].
"""

from hanro.marketplace.types import Guide, Prerequisite, Step
from hanro_rakuten_france.declared.words import ACCOUNT, BANNER, DEVELOPER, both

_STEPS = (
    Step(
        id="professional_account",
        title=both("プロフェッショナルアカウントを用意する", "have a professional account"),
        text=both(
            "この連携は Rakuten のプロフェッショナルアカウントだけで使えます。",
            "this only works when you have a professional account at Rakuten",
        ),
        menu=ACCOUNT,
        traps=(
            both(
                "個人アカウントでは、API のほとんどの機能が使えません。",
                "a private account can use almost none of the services",
            ),
            both(
                "1 つのアカウントの注文は、届け先の国にかかわらずすべて取り込まれます。",
                "all open orders of the account are taken in, whichever country they come from",
            ),
        ),
    ),
    Step(
        id="account_name",
        title=both("アカウント名を確認する", "find the name of your account"),
        text=both(
            "ログインの欄には、画面上部のユーザーバナーに表示されるアカウント名を入力します。",
            "as login enter the name of your account; you find it in your user banner",
        ),
        menu=BANNER,
        traps=(
            both(
                "ログインに使うメールアドレスは Rakuten に受け付けられません。",
                "the e-mail that is used to log in is not accepted by Rakuten",
            ),
        ),
    ),
    Step(
        id="token",
        title=both("API トークンをコピーする", "copy the API token"),
        text=both(
            "「Mon compte」を開き、「Mes informations développeur」を押して、表示された API トークンをコピーします。",
            "go to Mon compte, click on Mes informations développeur, and copy the API token from this page",
        ),
        menu=DEVELOPER,
    ),
    Step(
        id="sku",
        title=both("SKU を自社の商品番号に合わせる", "set the SKU as your own reference"),
        text=both(
            "注文は SKU の項目で商品と照合します。出品データの SKU に自社の商品番号を入れてください。",
            "orders find their products by the SKU field; map your own product id to it",
        ),
        traps=(
            both(
                "SKU が空の出品は照合できず、注文が保留になります。",
                "a listing whose SKU is empty cannot be matched, and its orders are held",
            ),
        ),
    ),
    Step(
        id="tracking_urls",
        title=both("配送会社の追跡 URL を確認する", "check tracking URLs of your carriers"),
        text=both(
            "Rakuten では追跡 URL のない発送は受け付けられません。使う配送会社が対応しているか確認してください。",
            "Rakuten does not accept a shipment without a tracking URL; see that your carriers are supported",
        ),
    ),
)

_OPEN = both("未対応", "open")

GUIDE = Guide(
    version="2026.1",
    prerequisites=(
        Prerequisite(
            id="professional_account",
            title=both("プロフェッショナルアカウント", "professional account"),
            states=("open", "confirmed"),
            labels=(_OPEN, both("確認済み", "confirmed")),
            step_ids=("professional_account",),
        ),
        Prerequisite(
            id="token",
            title=both("アカウント名と API トークンの控え", "account name and API token copied"),
            states=("open", "copied"),
            labels=(_OPEN, both("控え済み", "copied")),
            step_ids=("account_name", "token"),
        ),
        Prerequisite(
            id="sku",
            title=both("SKU の対応づけ", "SKU mapped"),
            states=("open", "mapped"),
            labels=(_OPEN, both("対応づけ済み", "mapped")),
            is_optional=True,
            step_ids=("sku",),
        ),
    ),
    steps=_STEPS,
)
