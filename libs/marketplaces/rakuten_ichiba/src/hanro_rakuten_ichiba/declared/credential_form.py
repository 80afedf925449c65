"""Describes what a seller enters to link a shop, and how a wrong entry is told."""

from hanro.marketplace.forms import FULL_WIDTH, PADDED, Wrong
from hanro.marketplace.types import (
    CredentialForm,
    FieldKind,
    FormField,
    LengthUnit,
    Registration,
    ShopKey,
    TextRule,
)
from hanro_rakuten_ichiba.declared.words import APPLICATION, DEVELOPER_ACCESS, MAIL_SERVER, MASKED, both

SERVICE_SECRET = "service_secret"  # noqa: S105  the field's name
LICENSE_KEY = "license_key"
LICENSE_EXPIRES_ON = "license_expires_on"
SMTP_ID = "smtp_id"
SMTP_PASSWORD = "smtp_password"  # noqa: S105  the field's name
SENDER_ADDRESS = "sender_address"
NOTICE_AUTH_KEY = "notice_auth_key"


def _swapped(prefix: str, ja: str, en: str) -> Wrong:
    return ((f"^{prefix}", both(f"{ja}が入力されています。", f"this is the {en}")),)


def _rule(max_length: int, pattern: str) -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset="ascii", pattern=pattern)


# Shapes: rakuten-ichiba-orders 1 [1], so only what no source contradicts is demanded.
_KEY = _rule(128, r"[!-~]+")

_FIELDS = (
    FormField(
        name=SERVICE_SECRET,
        label=both("serviceSecret（サービスシークレット）", "serviceSecret (service secret)"),
        kind=FieldKind.PASSWORD,
        rule=_KEY,
        help=both(
            "RMS のアプリ詳細に表示される、SP で始まる文字列です。",
            "the text that begins with SP on the application's page in RMS",
        ),
        note=both(
            "開発企業アプリの場合は運用者が設定します。",
            "with a developer application the operator sets it for the installation",
        ),
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH, *_swapped("SL", " licenseKey ", "licenseKey")),
        where=APPLICATION,
    ),
    FormField(
        name=LICENSE_KEY,
        label=both("licenseKey（ライセンスキー）", "licenseKey (licence key)"),
        kind=FieldKind.PASSWORD,
        rule=_KEY,
        help=both(
            "RMS のアプリ詳細に表示される、SL で始まる文字列です。発行から 90 日で失効します。",
            "the text that begins with SL on the application's page in RMS; it ends 90 days after its issue",
        ),
        note=both(
            "新しく発行すると、古いキーはすぐに使えなくなることがあります。",
            "a newly issued key can end the old one at once",
        ),
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH, *_swapped("SP", " serviceSecret ", "serviceSecret")),
        where=APPLICATION,
    ),
    FormField(
        name=LICENSE_EXPIRES_ON,
        label=both("licenseKey の有効期限", "end of the licenseKey"),
        kind=FieldKind.DATE,
        rule=_rule(10, r"\d{4}-\d{2}-\d{2}"),
        help=both(
            "期限は自動で取得します。取得できないときに使う日付です。",
            "the end is looked up by itself; this date is used where the look-up is not permitted",
        ),
        is_required=False,
        wrong=(*PADDED, *FULL_WIDTH),
        where=APPLICATION,
    ),
    FormField(
        name=SMTP_ID,
        label=both("SMTP ID", "SMTP AUTH id"),
        kind=FieldKind.TEXT,
        rule=_rule(64, r"[!-~]+"),
        help=both(
            "「楽天あんしんメルアドサーバ設定情報」の SMTP AUTH ID です。",
            "the SMTP AUTH id of 楽天あんしんメルアドサーバ設定情報",
        ),
        note=both("メールを送らない場合は空欄のままにします。", "leave it empty where no mail is to be sent"),
        section="mail",
        is_required=False,
        wrong=(*PADDED, *FULL_WIDTH),
        where=MAIL_SERVER,
    ),
    FormField(
        name=SMTP_PASSWORD,
        label=both("SMTP パスワード", "SMTP password"),
        kind=FieldKind.PASSWORD,
        rule=_rule(128, r"[!-~]+"),
        help=both(
            "「楽天あんしんメルアドサーバ設定情報」の SMTP AUTH パスワードです。",
            "the SMTP AUTH password of 楽天あんしんメルアドサーバ設定情報",
        ),
        section="mail",
        is_required=False,
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH),
        where=MAIL_SERVER,
    ),
    FormField(
        name=SENDER_ADDRESS,
        label=both("送信元メールアドレス", "sender address"),
        kind=FieldKind.EMAIL,
        rule=_rule(254, r"[^@\s]+@[^@\s]+\.[^@\s]+"),
        help=both(
            "RMS に登録した店舗連絡先、または注文確認メール送り先のアドレスです。登録がないアドレスは拒否されます。",
            "an address registered in RMS (shop contact or recipient of order mails); others are refused",
        ),
        section="mail",
        is_required=False,
        wrong=(
            *PADDED,
            *FULL_WIDTH,
            (
                MASKED,
                both("マスクされたアドレスは使えません。", "a masked address cannot be used"),
            ),
        ),
    ),
    FormField(
        name=NOTICE_AUTH_KEY,
        label=both("システムイベント通知の認証キー", "key of the event notification"),
        kind=FieldKind.PASSWORD,
        rule=_rule(128, r"[!-~]+"),
        help=both(
            "システムイベント通知サービスを使う場合の authKey です。",
            "the authKey, where the event notification service is used",
        ),
        section="notices",
        is_required=False,
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH),
        where=DEVELOPER_ACCESS,
    ),
)
_OPTIONAL = (LICENSE_EXPIRES_ON, SMTP_ID, SMTP_PASSWORD, SENDER_ADDRESS, NOTICE_AUTH_KEY)

CREDENTIAL_FORM = CredentialForm(
    fields=_FIELDS,
    registrations=(
        Registration(
            id="own_application",
            label=both("自社アプリ", "own application"),
            field_names=(SERVICE_SECRET, LICENSE_KEY, *_OPTIONAL),
        ),
        # The operator's one service secret serves all shops; the seller types the licence key alone.
        Registration(
            id="developer_application",
            label=both("開発企業アプリ", "developer application"),
            field_names=(LICENSE_KEY, *_OPTIONAL),
        ),
    ),
    # The key of one shop serves that shop alone, and names it. Source: rakuten-ichiba-orders 1 [1].
    shop_keys=(ShopKey(field=LICENSE_KEY, pattern=r"SL(?P<shop>[0-9]{1,12})_.+"),),
)
