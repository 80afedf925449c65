"""Names what a seller is granted, and how long the keys live."""

from datetime import timedelta

from hanro.marketplace.types import Grant, KeyLife, ProbeKind
from hanro_qoo10_japan.declared.credential_form import API_KEY_FIELD, SELLER_AUTHORISATION_KEY
from hanro_qoo10_japan.declared.words import API_KEY, both

YEAR = timedelta(days=365)

KEY_LIFE = (
    # Whether an older one stays alive beside a newer one is not documented; assumed: qoo10-japan 1.2 [?].
    KeyLife(field=SELLER_AUTHORISATION_KEY, lifetime=YEAR, has_overlap=True, settles_within=timedelta()),
    KeyLife(field=API_KEY_FIELD, lifetime=YEAR, has_overlap=None, settles_within=timedelta()),
)

# One key opens everything or nothing: qoo10-japan 2.5.
GRANTS = (
    Grant(
        id="seller_authorisation_key",
        label=both("API 利用権限", "permission to use the API"),
        menu=API_KEY,
        probe=ProbeKind.READ,
        group="qapi",
        remedies=(
            both(
                "ユーザーID、パスワード、APIキーが正しいか確認してください。",
                "check user id, password and API key",
            ),
            both(
                "APIキーが 1 年を過ぎていれば、Qoo10 に再発行を申請してください。",
                "if the API key is older than a year, ask Qoo10 for another",
            ),
        ),
    ),
)
