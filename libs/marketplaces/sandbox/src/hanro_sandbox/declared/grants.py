"""Names what can be switched off at the sandbox, how it is probed, and how long a key lives."""

from datetime import timedelta

from hanro.marketplace.types import Grant, KeyLife, ProbeKind
from hanro_sandbox.declared.credential_form import API_KEY
from hanro_sandbox.declared.words import ACCESS_PAGE, both
from hanro_sandbox.functions import (
    ANSWER_LINES,
    GET_LISTINGS,
    GET_ORDERS,
    GET_STOCK,
    READ_SHOP,
    SEND_MESSAGE,
    Function,
)

SETTLES_WITHIN = timedelta(minutes=5)
LIFETIME = timedelta(days=180)

SWITCH_ON = both(
    "サンドボックスの /_sim で、この機能を有効にしてください。",
    "switch it on at the sandbox: /_sim, grants of the shop",
)
KEY_REMEDY = both(
    "サンドボックスでキーを発行し直し、入力してください。", "issue the key again at the sandbox and enter it here"
)
WAIT = both("発行直後のキーです。少し待って再確認してください。", "the key is new; wait a little and check again")
KEY_MENU = ACCESS_PAGE
GRANT_MENU = ACCESS_PAGE

# Each by one function, one that reads where there is one; a write lacks what it requires and must be refused.
PROBES: dict[str, Function] = {
    function.grant_id: function
    for function in (GET_ORDERS, ANSWER_LINES, READ_SHOP, SEND_MESSAGE, GET_LISTINGS, GET_STOCK)
}
_LABELS = {
    "orders_read": both("注文の読み取り", "read orders"),
    "orders_write": both("注文への回答・発送・取消", "answer, ship and cancel orders"),
    "account": both("ショップ情報", "the shop's own settings"),
    "messages": both("メッセージ", "messages"),
    "listings": both("商品", "listings"),
    "stock": both("在庫", "stock"),
}
GRANTS = tuple(
    Grant(
        id=grant_id,
        label=_LABELS[grant_id],
        menu=GRANT_MENU,
        probe=ProbeKind.REFUSED if function.is_write else ProbeKind.READ,
        group=function.group,
        remedies=(SWITCH_ON, KEY_REMEDY),
    )
    for grant_id, function in PROBES.items()
)
KEY_LIFE = (KeyLife(field=API_KEY, lifetime=LIFETIME, has_overlap=True, settles_within=SETTLES_WITHIN),)
