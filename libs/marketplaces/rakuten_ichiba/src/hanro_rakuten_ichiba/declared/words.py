"""Holds the words and menu paths that several declarations share."""

from hanro.errors import LocalizedText, MenuPath

SERVICES = "店舗様向け情報・サービス"
WEB_API = "6. WEB APIサービス"
NOT_IN_THIS_VERSION = LocalizedText(
    ja="この版の hanro では未対応です。RMS で操作してください。",
    en="not in this version; do it in RMS",
)

# Source: seed 000 line 20, seed 002 lines 20 to 26.
APPLICATION_LIST = MenuPath(steps=("RMS", SERVICES, WEB_API, "2. 利用設定", "2-1 アプリ一覧"))
APPLICATION = MenuPath(steps=("RMS", SERVICES, WEB_API, "アプリ一覧", "詳細"))
FUNCTIONS = MenuPath(steps=("RMS", SERVICES, WEB_API, "アプリ一覧", "詳細", "利用機能一覧", "利用機能編集"))
OPTIONS = MenuPath(steps=("RMS", SERVICES, "3.オプション機能利用申込・解約"))
DEVELOPER_ACCESS = MenuPath(
    steps=("RMS", "拡張サービス一覧", "各種申請・設定変更", "システム開発企業からのAPIアクセス許可設定"),
    url="https://ichiba-bs.rms.rakuten.co.jp/apisson/",
)
DEVELOPER_ACCESS_FALLBACK = MenuPath(
    steps=("RMSメインメニュー", "拡張サービス一覧", "各種申請と設定", "システム開発企業 アクセス許可設定")
)
CONTACT = MenuPath(steps=("RMS", "WEB APIサービス窓口"), url="https://ichiba-bs.rms.rakuten.co.jp/ask/?o=WEBAPI")
MAIL_SERVER = MenuPath(
    steps=("R-Login", "あんしんメルアドサービスメニュー", "メールサーバ設定情報"),
    url="https://glogin.gl.rakuten.co.jp/",
)
ORDERS = MenuPath(steps=("RMS", "受注・決済管理", "受注管理"))
# Source: seed 003 lines 290 to 296. The download must be applied for; it costs nothing.
ORDER_DOWNLOAD = MenuPath(
    steps=(
        "RMS",
        "受注・決済管理",
        "受注管理",
        "受注データのダウンロード「データダウンロード」",
        "通常購入データ",
        "「データ作成条件」にて条件設定",
        "出力テンプレート「全カラム用ダウンロード」",
        "ユーザ名、パスワードを入力",
        "データを作成する",
    )
)


def _any_case(text: str) -> str:
    """Match letters of either case: domains do not tell them apart, and not every screen knows `(?i)`."""
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else f"\\{letter}" for letter in text)


MASKED = f"@(?:{_any_case('shop.rakuten.co.jp')}|[A-Za-z0-9-]+{_any_case('.fw.rakuten.ne.jp')})$"
"""Finds addresses that the marketplace made up. Source: seed 003 line 36, rakuten-ichiba-orders 12 [wire]."""


def both(ja: str, en: str) -> LocalizedText:
    """Make a text of both languages."""
    return LocalizedText(ja=ja, en=en)
