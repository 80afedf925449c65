"""Names what a seller's account may do, and that its token does not end."""

from datetime import timedelta

from hanro.marketplace.types import Grant, KeyLife, ProbeKind
from hanro_rakuten_france.declared.credential_form import TOKEN
from hanro_rakuten_france.declared.words import ACCOUNT, DEVELOPER, both

# No end is documented: rakuten-france 2.1.
KEY_LIFE = (KeyLife(field=TOKEN, lifetime=None, has_overlap=None, settles_within=timedelta()),)

# Rights belong to the kind of account: rakuten-france 2.1, 2.2, 4.15, 6.4.
GRANTS = (
    Grant(
        id="login",
        label=both("ログインとトークン", "login and token"),
        menu=DEVELOPER,
        probe=ProbeKind.READ,
        group="hour",
        remedies=(
            both(
                "ログインにアカウント名を入力しているか確認し、トークンをコピーし直してください。",
                "check that the login is the account name, then copy the token again",
            ),
        ),
    ),
    Grant(
        id="professional",
        label=both("プロフェッショナルアカウントの権限", "rights of a professional account"),
        menu=ACCOUNT,
        probe=ProbeKind.READ,
        group="hour",
        remedies=(
            both(
                "プロフェッショナルアカウントであることを確認してください。",
                "see that the account is a professional one",
            ),
        ),
    ),
    Grant(
        id="stock",
        label=both("在庫サービスの権限", "rights for the stock services"),
        menu=ACCOUNT,
        probe=ProbeKind.READ,
        group="hour",
        remedies=(
            both(
                "在庫サービスはプロフェッショナルアカウントだけが使えます。",
                "the stock services are for professional accounts only",
            ),
        ),
    ),
)
