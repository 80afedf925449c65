"""Leads a seller to credentials that can be linked: what to apply for, where, and which traps lie on the way.

Source: qoo10-japan 1.2 [2+], 11; seed 001.
"""

from hanro.marketplace.types import Guide, Prerequisite, Step
from hanro_qoo10_japan.declared.words import API_KEY, QSM, both

_STEPS = (
    Step(
        id="conditions",
        title=both("申請できる状態か確認する", "see that the shop may apply"),
        text=both(
            "出店審査が終わり、サービスポイントが 0 以上で、発送遅延・未回答の問い合わせ・未処理のクレームがないことが"
            "条件です。",
            "the shop's review is complete, service points are 0 or more, and no shipment is overdue, no inquiry "
            "unanswered, no claim open",
        ),
        menu=QSM,
    ),
    Step(
        id="api_key",
        title=both("APIキーの発行を申請する", "apply for an API key"),
        text=both(
            "QSM の「Qoo10へのお問い合わせ」で「システム」「API・FTP・QSM権限」を選び、販売者 ID、メールアドレス、"
            "商品カテゴリ、利用目的、連携会社を書いて送ります。",
            "in QSM choose Qoo10へのお問い合わせ, システム, API・FTP・QSM権限, and give seller id, mail address, "
            "product category, purpose and integration company",
        ),
        menu=API_KEY,
        cost=both("無料です。", "free of charge"),
        traps=(
            both(
                "発行まで 5 営業日ほどかかります。土日祝日は処理されません。",
                "it takes about five business days; nothing happens on weekends and holidays",
            ),
            both(
                "利用目的がはっきり書かれていないと断られます。",
                "an application without a clear purpose is refused",
            ),
        ),
    ),
    Step(
        id="enter",
        title=both("ユーザーID、パスワード、APIキーを入力する", "enter user id, password and API key"),
        text=both(
            "青い「必須」の項目をすべて入力して保存します。販売者認証キーは自動で発行します。",
            "fill all fields with the blue mark and save; the seller authorisation key is minted by itself",
        ),
        traps=(
            both(
                "QSM のパスワードを変えると販売者認証キーが無効になります。変えたらここでも入力し直してください。",
                "changing the password in QSM ends the seller authorisation key; enter the new one here as well",
            ),
        ),
    ),
    Step(
        id="renewal",
        title=both("APIキーを 1 年ごとに更新する", "renew the API key every year"),
        text=both(
            "期限の通知は届きません。発行日から 1 年になる前に同じ方法で申請し、新しいキーを入力してください。",
            "no notice is sent; apply the same way before a year has passed and enter the new key",
        ),
        menu=API_KEY,
    ),
)

_OPEN = both("未対応", "open")

GUIDE = Guide(
    version="2026.1",
    prerequisites=(
        Prerequisite(
            id="conditions",
            title=both("申請の条件", "conditions for applying"),
            states=("open", "met"),
            labels=(_OPEN, both("確認済み", "met")),
            step_ids=("conditions",),
        ),
        Prerequisite(
            id="api_key",
            title=both("APIキーの発行", "API key issued"),
            states=("open", "applied", "issued"),
            labels=(_OPEN, both("申請済み", "applied for"), both("発行済み", "issued")),
            step_ids=("api_key", "enter"),
        ),
    ),
    steps=_STEPS,
)
