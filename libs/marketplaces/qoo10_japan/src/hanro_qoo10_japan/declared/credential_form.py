"""Describes what a seller enters to link a shop, and how a wrong entry is told."""

from hanro.marketplace.forms import FULL_WIDTH, PADDED
from hanro.marketplace.types import (
    CredentialForm,
    FieldKind,
    FormField,
    LengthUnit,
    Registration,
    Supplier,
    TextRule,
)
from hanro_qoo10_japan.declared.words import API_KEY, QSM, both

USER_ID = "user_id"
PASSWORD = "password"  # noqa: S105  the field's name
API_KEY_FIELD = "api_key"
API_KEY_EXPIRES_ON = "api_key_expires_on"
SELLER_AUTHORISATION_KEY = "seller_authorisation_key"


def _rule(max_length: int, pattern: str) -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset="ascii", pattern=pattern)


# Keys are opaque: visible ASCII of any length that was ever seen, qoo10-japan 1.2 [2+].
_KEY = _rule(4096, r"[!-~]{8,}")

_FIELDS = (
    FormField(
        name=USER_ID,
        label=both("ユーザーID", "user id"),
        kind=FieldKind.TEXT,
        rule=_rule(254, r"[!-~]+"),
        help=both(
            "QSM（Qoo10 Sales Manager）にログインする ID です。",
            "the id with which you log in to QSM (Qoo10 Sales Manager)",
        ),
        wrong=(*PADDED, *FULL_WIDTH),
        where=QSM,
    ),
    FormField(
        name=PASSWORD,
        label=both("パスワード", "password"),
        kind=FieldKind.PASSWORD,
        rule=_rule(128, r"[!-~]+"),
        help=both("QSM にログインするパスワードです。", "the password with which you log in to QSM"),
        note=both(
            "QSM のパスワードを変えたら、ここでも入力し直してください。販売者認証キーが無効になります。",
            "after changing it in QSM enter it here again: a change ends the seller authorisation key",
        ),
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH),
        where=QSM,
    ),
    FormField(
        name=API_KEY_FIELD,
        label=both("APIキー", "API key"),
        kind=FieldKind.PASSWORD,
        rule=_KEY,
        help=both(
            "Qoo10 に申請して発行される API キーです。販売者認証キーは自動で発行します。",
            "the key that Qoo10 issues on request; the seller authorisation key is minted from it by itself",
        ),
        note=both("発行から 1 年ごとに更新が必要です。", "it has to be renewed every year"),
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH),
        where=API_KEY,
    ),
    FormField(
        name=API_KEY_EXPIRES_ON,
        label=both("APIキーの有効期限", "end of the API key"),
        kind=FieldKind.DATE,
        rule=_rule(10, r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        help=both(
            "Qoo10 から期限の通知は届きません。入力しておくと期限の前にお知らせします。",
            "Qoo10 sends no notice; with this date you are warned before the key ends",
        ),
        is_required=False,
        wrong=(*PADDED, *FULL_WIDTH),
        where=API_KEY,
    ),
    FormField(
        name=SELLER_AUTHORISATION_KEY,
        label=both("販売者認証キー", "seller authorisation key"),
        kind=FieldKind.PASSWORD,
        rule=_KEY,
        help=both(
            "ID、パスワード、API キーから自動で発行します。入力は不要です。",
            "minted from id, password and API key; nobody types it",
        ),
        is_required=False,
        is_secret=True,
        supplier=Supplier.DERIVED,
    ),
)

CREDENTIAL_FORM = CredentialForm(
    fields=_FIELDS,
    registrations=(
        Registration(
            id="api_key",
            label=both("自社で申請した APIキー", "an API key of your own"),
            field_names=(USER_ID, PASSWORD, API_KEY_FIELD, API_KEY_EXPIRES_ON),
        ),
    ),
)
"""Fields: qoo10-japan 1.2, 11. The authorisation key is DERIVED, so no registration asks for it."""
