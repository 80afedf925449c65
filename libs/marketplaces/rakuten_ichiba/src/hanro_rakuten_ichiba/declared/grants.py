"""Names what a seller switches on, how it is probed, and what to do when it is off."""

from datetime import timedelta

from hanro.marketplace.types import Grant, KeyLife, ProbeKind
from hanro_rakuten_ichiba.declared.words import APPLICATION, MAIL_SERVER, both
from hanro_rakuten_ichiba.declared.words import FUNCTIONS as FUNCTIONS_MENU
from hanro_rakuten_ichiba.functions import FUNCTIONS, Function

SETTLES_WITHIN = timedelta(minutes=30)
"""A newly issued key may be refused for so long. Source: rakuten-ichiba-orders 1.1 [2+]."""
LIFETIME = timedelta(days=90)
"""A licence key ends at 23:59:59 JST of its 90th day. Source: rakuten-ichiba-orders 1.1 [2+]."""

MAIL_RELAY_GRANT = "mail_relay"

# In this order: seed 002 lines 43 to 46, seed 003 lines 147 to 149.
REMEDIES = (
    both(
        "CSV商品一括編集の利用申込が済んでいるか確認してください。",
        "check that the option CSV商品一括編集 is contracted",
    ),
    both(
        "利用機能編集でこの機能を「利用する」にし、確認画面の「登録する」まで押して保存してください。",
        "switch the function on in 利用機能編集 and save with 登録する on the confirmation page",
    ),
    both(
        "設定の直後は反映に最大 30 分ほどかかります。少し待って再確認してください。",
        "a new setting or key can take 30 minutes; wait and check again",
    ),
    both(
        "直らないときは licenseKey を再発行し、入力し直してください。",
        "if it stays refused, issue the licenseKey again and enter it here",
    ),
)
KEY_REMEDY = both(
    "RMS のアプリ詳細で licenseKey の期限を確認し、切れていれば新規発行して入力し直してください。",
    "check the licenseKey in the application's details in RMS; if it ended, issue a new one and enter it here",
)

KEY_LIFE = (KeyLife(field="license_key", lifetime=LIFETIME, has_overlap=None, settles_within=SETTLES_WITHIN),)


def _of(function: Function) -> Grant:
    return Grant(
        id=function.grant_id,
        label=function.label,
        menu=FUNCTIONS_MENU,
        # Without a key that it requires, so that it must be refused: the refusal shows that it was reached.
        probe=ProbeKind.REFUSED if function.is_write else ProbeKind.READ,
        group=function.group,
        remedies=REMEDIES,
    )


# In the order of probing: what hanro cannot work without, what it calls, what it does not call.
GRANTS = (
    *map(_of, FUNCTIONS),
    Grant(
        id=MAIL_RELAY_GRANT,
        label=both("あんしんメルアドのメールサーバ", "mail server for masked addresses"),
        menu=MAIL_SERVER,
        probe=ProbeKind.SMTP,
        group="mail_relay",
        remedies=(
            both(
                "メールサーバ設定情報の SMTP AUTH ID とパスワードを入力し直してください。",
                "enter SMTP AUTH id and password again as メールサーバ設定情報 shows them",
            ),
            both(
                "送信元は RMS に登録した店舗連絡先などのアドレスにしてください。",
                "send from an address that is registered in RMS, such as the shop's contact",
            ),
        ),
    ),
)
KEY_MENU = APPLICATION
