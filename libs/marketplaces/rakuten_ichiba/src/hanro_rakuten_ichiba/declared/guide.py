"""Leads a seller to a working link: what to apply for, where, and which traps lie on the way.

Source: the help pages of comparable products (seeds 000, 002, 003), rakuten-ichiba-orders 1.1, 12.
"""

from hanro.errors import MenuPath
from hanro.marketplace.types import ExpectedMail, Guide, Prerequisite, Step
from hanro_rakuten_ichiba.declared.grants import MAIL_RELAY_GRANT
from hanro_rakuten_ichiba.declared.words import (
    APPLICATION,
    APPLICATION_LIST,
    DEVELOPER_ACCESS,
    FUNCTIONS,
    MAIL_SERVER,
    OPTIONS,
    SERVICES,
    WEB_API,
    both,
)
from hanro_rakuten_ichiba.functions import CONFIRM_ORDER, GET_ORDER, SEARCH_ORDER

_TERMS = MenuPath(steps=("RMS", SERVICES, WEB_API, "1-2 申込、利用規約確認"))
_REGISTRATION = MenuPath(steps=("RMS", SERVICES, WEB_API, "アプリ登録"))
_MAIN_MENU_WAY = MenuPath(
    steps=("RMSメインメニュー", "拡張サービス一覧", "各種申請と設定", "システム開発企業 アクセス許可設定")
)
_RECIPIENT = both("店舗の運用担当者", "the shop's operator")

_STEPS = (
    Step(
        id="bulk_editing",
        title=both("CSV商品一括編集を申し込む", "contract CSV商品一括編集"),
        text=both(
            "オプション機能の一覧から申し込みます。商品を API で登録するために必要です。",
            "apply in the list of options; registering items by API needs it",
        ),
        menu=OPTIONS,
        cost=both("楽天の利用料金が別にかかります。", "Rakuten charges for it separately"),
    ),
    Step(
        id="terms",
        title=both("WEB APIサービスの規約に同意する", "accept the terms of WEB APIサービス"),
        text=both("「規約に同意する」「申込む」の順に押します。", "press 規約に同意する, then 申込む"),
        menu=_TERMS,
    ),
    Step(
        id="application",
        title=both("アプリを登録する", "register an application"),
        text=both(
            "次の名前と概要を入力して登録し、serviceSecret と licenseKey を控えます。",
            "register with this name and summary, then copy serviceSecret and licenseKey",
        ),
        menu=_REGISTRATION,
        fallback=APPLICATION_LIST,
        entries=(("アプリ名", "{application_name}"), ("概要", "{application_summary}")),
    ),
    Step(
        id="functions",
        title=both("利用機能を有効にして保存する", "switch the functions on and save"),
        text=both(
            "利用機能編集で各 API の「全て選択」を押し、「確認する」「登録する」で保存します。",
            "in 利用機能編集 press 全て選択 for each API, then 確認する and 登録する",
        ),
        menu=FUNCTIONS,
        traps=(
            both(
                "一覧には「利用中」の機能だけが出ます。足りないものは利用機能編集を開かないと見えません。",
                "the list shows functions in use alone; missing ones appear only inside 利用機能編集",
            ),
            both(
                "確認画面の「登録する」まで押さないと保存されません。",
                "nothing is saved before 登録する on the confirmation page",
            ),
        ),
    ),
    Step(
        id="mail_login",
        title=both("メールサーバの ID とパスワードを控える", "copy the mail server's id and password"),
        text=both(
            "R-Login のあんしんメルアドサービスメニューで SMTP AUTH ID とパスワードを確認します。",
            "R-Login shows SMTP AUTH id and password in あんしんメルアドサービスメニュー",
        ),
        menu=MAIL_SERVER,
    ),
    Step(
        id="developer_access",
        title=both("開発企業からの API 利用を承認する", "approve the developer's access to the API"),
        text=both(
            "届いたメールの案内から、承認待ちの開発企業を確認して承認します。",
            "follow the mail, look at the developer that waits for approval, and approve it",
        ),
        menu=DEVELOPER_ACCESS,
        fallback=_MAIN_MENU_WAY,
        mail=ExpectedMail(
            subject="【楽天市場】開発企業様からのAPI利用申請 追加承認のお願い",
            sender="楽天市場",
            recipient=_RECIPIENT,
            tells=both("承認するとライセンスキーと有効期限が表示されます。", "approval shows licence key and its end"),
        ),
    ),
    Step(
        id="developer_notices",
        title=both("システムイベント通知の利用を承認する", "approve the event notification"),
        text=both(
            "接続の確認が済むと 2 通目のメールが届きます。同じ画面で承認します。",
            "a second mail comes once the connection was checked; approve on the same page",
        ),
        menu=DEVELOPER_ACCESS,
        fallback=_MAIN_MENU_WAY,
        mail=ExpectedMail(
            subject="【楽天市場】開発企業様からのシステムイベント通知サービス利用申請 承認のお願い",
            sender="楽天市場",
            recipient=_RECIPIENT,
            tells=both("利用開始予定日が書かれています。", "it names the day on which the service starts"),
        ),
        traps=(
            both(
                "2 通目が届かないときは、接続確認をやり直してください。",
                "where the second mail does not come, check the connection again",
            ),
        ),
    ),
    Step(
        id="new_key",
        title=both("licenseKey を更新する", "renew the licenseKey"),
        text=both(
            "期限の前にアプリ詳細で新しい licenseKey を発行し、ここに入力し直します。",
            "issue a new licenseKey on the application's page before the old one ends, and enter it here",
        ),
        menu=APPLICATION,
        fallback=APPLICATION_LIST,
        traps=(
            both(
                "発行の直後 15〜30 分は新しいキーが拒否されることがあります。",
                "a new key can be refused for 15 to 30 minutes",
            ),
        ),
    ),
)

GUIDE = Guide(
    version="2026.1",
    prerequisites=(
        Prerequisite(
            id="bulk_editing",
            title=both("CSV商品一括編集の契約", "CSV商品一括編集 contracted"),
            states=("open", "applied", "contracted"),
            step_ids=("bulk_editing",),
        ),
        Prerequisite(
            id="terms",
            title=both("WEB APIサービスの利用規約", "terms of WEB APIサービス"),
            states=("open", "accepted"),
            step_ids=("terms",),
        ),
        Prerequisite(
            id="application",
            title=both("アプリの登録", "application registered"),
            states=("open", "registered"),
            step_ids=("application",),
        ),
        Prerequisite(
            id="functions",
            title=both("利用機能の有効化と保存", "functions in use and saved"),
            states=("open", "saved"),
            step_ids=("functions",),
            grant_ids=frozenset({SEARCH_ORDER.grant_id, GET_ORDER.grant_id, CONFIRM_ORDER.grant_id}),
        ),
        Prerequisite(
            id="mail_login",
            title=both("メールサーバのログイン", "login of the mail server"),
            states=("open", "entered"),
            step_ids=("mail_login",),
            grant_ids=frozenset({MAIL_RELAY_GRANT}),
        ),
        Prerequisite(
            id="developer_access",
            title=both("開発企業の API 利用承認", "developer's access approved"),
            states=("open", "awaiting_approval", "approved"),
            step_ids=("developer_access",),
        ),
    ),
    steps=_STEPS,
)
