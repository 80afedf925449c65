"""Says step by step what a seller sets up in RMS with an application of his own, and what every shop needs.

Source: seeds 000, 002, 003; rakuten-ichiba-orders 1.1 [2+], 12 [2+].
"""

from hanro.errors import MenuPath
from hanro.marketplace.types import Step
from hanro_rakuten_ichiba.declared.words import (
    APPLICATION,
    APPLICATION_LIST,
    FUNCTIONS,
    MAIL_SERVER,
    OPTIONS,
    SERVICES,
    WEB_API,
    both,
)

_NAVI = "店舗運営Navi"
_TERMS = MenuPath(steps=("RMS", SERVICES, WEB_API, "1-2 申込、利用規約確認"))
_REGISTRATION = MenuPath(steps=("RMS", SERVICES, WEB_API, "アプリ登録"))
_FUNCTIONS_FALLBACK = MenuPath(
    steps=(
        "RMS",
        SERVICES,
        WEB_API,
        "2. 利用設定",
        "2-1 アプリ一覧",
        "WEB APIアクセス許可設定",
        "利用機能編集",
        "アプリ詳細情報",
    )
)
_ORDER_DOWNLOAD = MenuPath(
    steps=(
        "RMS",
        "受注・決済管理",
        "受注管理",
        "受注データのダウンロード",
        "データダウンロード",
        "通常購入データ",
        "全カラム用ダウンロード",
    )
)

SETUP_STEPS = (
    Step(
        id="bulk_editing",
        title=both("CSV商品一括編集を申し込む", "contract CSV商品一括編集"),
        text=both(
            "「オプション機能利用申込・解約」の『CSV商品一括編集』から利用を申し込みます。商品を API "
            "で登録するために必要です。",
            "apply for CSV商品一括編集 in the list of options; registering items by API needs it",
        ),
        menu=OPTIONS,
        cost=both(
            "楽天で別途の利用料金が発生します。金額は申込画面に表示されます。",
            "Rakuten charges for it separately; the page of application shows how much",
        ),
        traps=(
            both(
                "契約がないと、ほかの設定が正しくても商品と在庫の API は拒否されます。",
                "without it the functions for items and stock are refused, however right all else is",
            ),
        ),
        links=(
            (
                both("CSV商品一括編集機能の概要", "about CSV商品一括編集"),
                MenuPath(steps=("RMS", _NAVI, "商品ページ設定", "商品一括編集", "CSV商品一括編集機能の概要")),
            ),
        ),
    ),
    Step(
        id="terms",
        title=both("WEB APIサービスの規約に同意する", "accept the terms of WEB APIサービス"),
        text=both(
            "「1-2 申込、利用規約確認」で「規約に同意する」「申込む」の順に押すと申込完了です。",
            "on 1-2 申込、利用規約確認 press 規約に同意する, then 申込む",
        ),
        menu=_TERMS,
        links=(
            (
                both("RMS WEB SERVICEのお申込〜ご利用までの手順", "from application to use of RMS WEB SERVICE"),
                MenuPath(steps=("RMS", _NAVI, "WEB API", "RMS WEB SERVICEのお申込〜ご利用までの手順")),
            ),
        ),
    ),
    Step(
        id="application",
        title=both("アプリを登録する", "register an application"),
        text=both(
            "次のアプリ名と概要を入力して「登録する」を押し、serviceSecret と licenseKey を控えます。",
            "enter this name and summary, press 登録する, then copy serviceSecret and licenseKey",
        ),
        menu=_REGISTRATION,
        fallback=APPLICATION_LIST,
        entries=(("アプリ名", "{application_name}"), ("概要", "{application_summary}")),
    ),
    Step(
        id="functions",
        title=both("利用機能をすべて「利用中」にして保存する", "put all functions in use and save"),
        text=both(
            "アプリ詳細の画面右下「利用機能一覧」で「利用機能編集」を押し、各 API "
            "の右の「全て選択」を押します。画面最下部の"
            "「確認する」、確認画面の「登録する」で保存します。",
            "on the application's page press 利用機能編集 in 利用機能一覧, then 全て選択 beside each API, then "
            "確認する at the "
            "bottom and 登録する on the confirmation page",
        ),
        menu=FUNCTIONS,
        fallback=_FUNCTIONS_FALLBACK,
        traps=(
            both(
                "編集前の一覧には「利用中」の機能だけが出ます。足りないものは「利用機能編集」を押すまで見えません。",
                "before editing the list shows functions in use alone; missing ones appear only behind 利用機能編集",
            ),
            both(
                "確認画面の「登録する」を押さないと保存されません。",
                "nothing is saved before 登録する on the confirmation page",
            ),
            both(
                "保存してから反映されるまで 30 分ほどかかることがあります。",
                "what was saved can take 30 minutes to work",
            ),
        ),
    ),
    Step(
        id="mail_login",
        title=both("SMTP AUTH ID とパスワードを控える", "copy SMTP AUTH id and password"),
        text=both(
            "R-Login に楽天アカウントでログインし、「あんしんメルアドサービスメニュー」の「メールサーバ設定情報"
            "」で確認します。"
            "「SMTP AUTH ID」を SMTP ID に、「SMTP AUTH パスワード」を SMTP パスワードに入力します。",
            "log in to R-Login and open メールサーバ設定情報 in あんしんメルアドサービスメニュー; SMTP AUTH ID "
            "goes into SMTP ID, "
            "SMTP AUTH パスワード into SMTP パスワード",
        ),
        menu=MAIL_SERVER,
        traps=(
            both(
                "送信元は RMS に登録したアドレスでなければ拒否されます。",
                "mail from an address that is not registered in RMS is refused",
            ),
        ),
        links=(
            (
                both("SMTP AUTH IDとパスワードの確認", "finding SMTP AUTH id and password"),
                MenuPath(steps=("RMS", _NAVI, "楽天あんしんメルアドサービス", "SMTP AUTH IDとパスワードの確認")),
            ),
        ),
    ),
    Step(
        id="new_key",
        title=both("licenseKey を更新する", "renew the licenseKey"),
        text=both(
            "licenseKey の有効期限は 3 ヶ月です。期限の前に「アプリ一覧」の「詳細」で新規発行し、"
            "ここに入力し直します。",
            "a licenseKey lives three months; issue a new one on the application's page in time and enter it here",
        ),
        menu=APPLICATION,
        fallback=APPLICATION_LIST,
        traps=(
            both(
                "発行の直後 15〜30 分は新しいキーが拒否されることがあります。",
                "a new key can be refused for 15 to 30 minutes",
            ),
            both(
                "新しいキーを発行すると古いキーがすぐに使えなくなることがあります。",
                "issuing a new key can end the old one at once",
            ),
        ),
    ),
    Step(
        id="order_download",
        title=both("受注データのダウンロードを申し込む", "apply for the download of order data"),
        text=both(
            "CSV で注文を取り込む場合に必要です。申し込み後、「データ作成条件」を設定し、出力テンプレート「全カラム用"
            "ダウンロード」を選び、ユーザ名とパスワードを入力して「データを作成する」を押します。",
            "needed to bring orders in by CSV; then set データ作成条件, choose the template "
            "全カラム用ダウンロード, give user "
            "name and password, and press データを作成する",
        ),
        menu=_ORDER_DOWNLOAD,
        cost=both("申し込みが必要ですが、料金は発生しません。", "it must be applied for, and is free of charge"),
    ),
)
