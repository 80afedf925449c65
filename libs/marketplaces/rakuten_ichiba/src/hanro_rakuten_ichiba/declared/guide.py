"""Leads a seller to a working link: what to apply for, where, and which traps lie on the way.

Source: the help pages of comparable products (seeds 000, 002, 003), rakuten-ichiba-orders 1.1, 12.
"""

from datetime import time

from hanro.marketplace.types import Guide, Prerequisite, ProbeKind
from hanro_rakuten_ichiba.declared.grants import GRANTS, MAIL_RELAY_GRANT
from hanro_rakuten_ichiba.declared.sheet import SHEET
from hanro_rakuten_ichiba.declared.steps_access import ACCESS_STEPS
from hanro_rakuten_ichiba.declared.steps_setup import SETUP_STEPS
from hanro_rakuten_ichiba.declared.words import both

OWN = frozenset({"own_application"})
DEVELOPER = frozenset({"developer_application"})

_OPEN = both("未対応", "open")
_APPLIED = both("申込済み", "applied for")
_AWAITING = both("承認待ち", "awaiting approval")
_APPROVED = both("承認済み", "approved")
# Every function in use and saved: seed 002 lines 22 to 26. What nothing can tell of proves nothing.
_FUNCTION_GRANTS = frozenset(
    grant.id for grant in GRANTS if grant.id != MAIL_RELAY_GRANT and grant.probe is not ProbeKind.NONE
)

GUIDE = Guide(
    version="2026.2",
    prerequisites=(
        Prerequisite(
            id="bulk_editing",
            title=both("CSV商品一括編集の契約", "CSV商品一括編集 contracted"),
            states=("open", "applied", "contracted"),
            labels=(_OPEN, _APPLIED, both("契約済み", "contracted")),
            step_ids=("bulk_editing",),
        ),
        Prerequisite(
            id="terms",
            title=both("WEB APIサービスの利用規約", "terms of WEB APIサービス"),
            states=("open", "accepted"),
            labels=(_OPEN, both("同意・申込済み", "accepted")),
            step_ids=("terms",),
            registration_ids=OWN,
        ),
        Prerequisite(
            id="application",
            title=both("アプリの登録", "application registered"),
            states=("open", "registered"),
            labels=(_OPEN, both("登録済み", "registered")),
            step_ids=("application", "new_key"),
            registration_ids=OWN,
        ),
        Prerequisite(
            id="functions",
            title=both("利用機能の有効化と保存", "functions in use and saved"),
            states=("open", "saved"),
            labels=(_OPEN, both("利用中・保存済み", "in use and saved")),
            step_ids=("functions",),
            grant_ids=_FUNCTION_GRANTS,
            registration_ids=OWN,
        ),
        Prerequisite(
            id="developer_access",
            title=both("開発企業の API 利用承認（1 通目）", "developer's access approved (first mail)"),
            states=("open", "applied", "awaiting_approval", "approved"),
            labels=(_OPEN, both("申請済み", "applied for"), _AWAITING, _APPROVED),
            step_ids=("apply_for_access", "developer_access"),
            registration_ids=DEVELOPER,
        ),
        Prerequisite(
            id="developer_notices",
            title=both("システムイベント通知の承認（2 通目）", "event notification approved (second mail)"),
            states=("open", "awaiting_approval", "approved"),
            labels=(_OPEN, _AWAITING, _APPROVED),
            step_ids=("developer_notices",),
            # Source: seed 003 lines 70 to 72, 237 to 239.
            daily_start=time(9),
            registration_ids=DEVELOPER,
            needs_check=True,
        ),
        Prerequisite(
            id="mail_login",
            title=both("メールサーバのログイン", "login of the mail server"),
            states=("open", "entered"),
            labels=(_OPEN, both("確認済み", "proven")),
            step_ids=("mail_login",),
            grant_ids=frozenset({MAIL_RELAY_GRANT}),
            is_optional=True,
        ),
        Prerequisite(
            id="sub_user",
            title=both("運用者の利用者登録", "the operator as a sub-user"),
            states=("open", "invited", "registered", "awaiting_approval", "available"),
            labels=(
                _OPEN,
                both("招待メール送信済み", "invitation sent"),
                both("利用者の登録完了", "invitee registered"),
                _AWAITING,
                both("利用可能", "available"),
            ),
            step_ids=("invite_sub_user", "approve_sub_user"),
            is_optional=True,
        ),
        Prerequisite(
            id="order_download",
            title=both("受注データのダウンロードの申込", "download of order data applied for"),
            states=("open", "applied"),
            labels=(_OPEN, _APPLIED),
            step_ids=("order_download",),
            is_optional=True,
        ),
    ),
    steps=(*SETUP_STEPS, *ACCESS_STEPS),
    sheet=SHEET,
)
