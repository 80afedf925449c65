"""Describes what a seller enters to link a shop of the sandbox, and how a wrong entry is told."""

from hanro.marketplace.forms import FULL_WIDTH, PADDED
from hanro.marketplace.types import (
    CredentialForm,
    FieldKind,
    FormField,
    LengthUnit,
    Registration,
    ShopKey,
    Supplier,
    TextRule,
)
from hanro_sandbox.declared.words import SHOP_PAGE, both

SHOP_ID = "shop_id"
API_KEY = "api_key"
NOTICE_KEY = "notice_key"
SESSION_KEY = "session_key"


def _rule(max_length: int, pattern: str) -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset="ascii", pattern=pattern)


_FIELDS = (
    FormField(
        name=SHOP_ID,
        label=both("ショップ ID", "shop id"),
        kind=FieldKind.TEXT,
        rule=_rule(32, r"[A-Za-z0-9-]+"),
        help=both("サンドボックスで開いたショップの ID です。", "the id of the shop that was opened at the sandbox"),
        wrong=(*PADDED, *FULL_WIDTH),
        where=SHOP_PAGE,
    ),
    FormField(
        name=API_KEY,
        label=both("API キー", "API key"),
        kind=FieldKind.PASSWORD,
        rule=_rule(128, r"[!-~]+"),
        help=both(
            "sbx_ で始まる文字列です。発行から 180 日で失効します。",
            "the text that begins with sbx_; it ends 180 days after its issue",
        ),
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH),
        where=SHOP_PAGE,
    ),
    FormField(
        name=NOTICE_KEY,
        label=both("通知の署名キー", "key that signs notices"),
        kind=FieldKind.PASSWORD,
        rule=_rule(128, r"[!-~]+"),
        help=both("注文の通知を受け取るときに入力します。", "enter it to receive notices of orders"),
        section="notices",
        is_required=False,
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH),
        where=SHOP_PAGE,
    ),
    FormField(
        name=SESSION_KEY,
        label=both("セッションキー", "session key"),
        kind=FieldKind.PASSWORD,
        rule=_rule(128, r"[!-~]+"),
        help=both("API キーから自動で発行されます。", "minted with the API key"),
        is_required=False,
        is_secret=True,
        supplier=Supplier.DERIVED,
    ),
)

CREDENTIAL_FORM = CredentialForm(
    fields=_FIELDS,
    registrations=(
        Registration(
            id="shop",
            label=both("サンドボックスのショップ", "a shop of the sandbox"),
            field_names=(SHOP_ID, API_KEY, NOTICE_KEY),
        ),
    ),
    shop_keys=(ShopKey(field=SHOP_ID, pattern=r"(?P<shop>[a-z0-9-]+)"),),
)
