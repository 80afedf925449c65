"""Answers the licence look-up."""

from collections.abc import Sequence

from hanro_rakuten_ichiba.simulator.japan_time import JST
from hanro_rakuten_ichiba.simulator.messages import Answer
from hanro_rakuten_ichiba.simulator.shops import Shop


def read_expiry(shop: Shop, query: Sequence[tuple[str, str]]) -> Answer | None:
    """Tell when the asked key ends, JST without zone; None when `licenseKey` is missing or not this shop's.

    Source: rakuten-ichiba-orders 9 [1]; a key that is not the caller's own [?].
    """
    asked = dict(query).get("licenseKey", "")
    key = next((key for key in shop.keys if key.credentials.license_key == asked), None)
    if key is None:
        return None
    return Answer(200, {"expiryDate": key.expires_at.astimezone(JST).strftime("%Y-%m-%dT%H:%M:%S")})
