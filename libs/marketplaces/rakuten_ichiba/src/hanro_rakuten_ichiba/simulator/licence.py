"""Answers the licence look-up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from hanro_rakuten_ichiba.simulator.japan_time import JST
from hanro_rakuten_ichiba.simulator.messages import Answer
from hanro_rakuten_ichiba.simulator.shops import Shop


def read_expiry(
    shop: Shop, query: Sequence[tuple[str, str]], now: datetime
) -> Answer | Literal["missing", "unauthorised"]:
    """Tell when the asked key ends, JST without zone; "unauthorised" for a dead key and for one that is not the shop's.

    Source: rakuten-ichiba-orders 9 [1], missing parameter [?].
    """
    asked = dict(query).get("licenseKey", "")
    if not asked:
        return "missing"
    key = next((key for key in shop.keys if key.credentials.license_key == asked), None)
    if key is None or key.judge(now) == "dead":
        return "unauthorised"
    return Answer(200, {"expiryDate": key.expires_at.astimezone(JST).strftime("%Y-%m-%dT%H:%M:%S")})
