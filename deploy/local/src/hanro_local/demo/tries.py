"""Writes lines that a person can paste into another terminal, with the token inside."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from hanro_local.demo.goods import OFFERS
from hanro_local.demo.marketplace import FORM, SHOP_NUMBER

SCOPES = ("orders:read", "orders:write", "stock:write", "accounts:write")
"""What the token of the lines must open."""
_TO_FORM = (
    "import json, sys; shop = json.load(sys.stdin); "
    f'print(json.dumps({{"values": {{field: shop[name] for field, name in {json.dumps(FORM)}.items()}}}}))'
)


@dataclass(frozen=True)
class Tries:
    """Write lines against a gateway and a simulator; `token` stands in them in full."""

    gateway: str
    simulator: str
    token: str = field(repr=False)

    def requests(self, order_id: str) -> Iterator[str]:
        """Write three requests: list orders, accept one, and one that is refused with a problem that says why."""
        yield "list orders:"
        yield f"  {self._curl('GET')} '{self.gateway}/v1/orders?limit=3'"
        yield "accept one towards the marketplace (the answer is an operation):"
        yield f"  {self._curl('POST')} '{self.gateway}/v1/orders/{order_id}:accept'"
        yield "one that is refused, with the field at fault:"
        body = """-H 'If-Match: *' -H 'Content-Type: application/json' -d '{"on_hand": -1}'"""
        yield f"  {self._curl('PUT')} {body} '{self.gateway}/v1/stock/{OFFERS[0].sku}'"

    def expiry(self) -> Iterator[str]:
        """Write the line that lets the licence key end."""
        yield "try: expire the key, as happens after 90 days; the account turns 無効 within seconds:"
        yield f"  curl -sS -o /dev/null -X POST '{self.simulator}/_sim/shops/{SHOP_NUMBER}/keys/expire'"

    def mending(self, account_id: str) -> Iterator[str]:
        """Write the line that has a new key issued and enters it; no secret is shown."""
        issue = (
            f"curl -sS -X POST -H 'Content-Type: application/json' -d '{{\"active_after_seconds\": 0}}'"
            f" '{self.simulator}/_sim/shops/{SHOP_NUMBER}/keys/issue'"
        )
        enter = f"{self._curl('PUT')} -o /dev/null -H 'Content-Type: application/json' -d @-"
        yield "mend it: have a new key issued, and enter it:"
        yield f"  {issue} | python3 -c '{_TO_FORM}' | {enter} '{self.gateway}/v1/accounts/{account_id}/credentials'"

    def _curl(self, method: str) -> str:
        # A key of its own for each paste, else the second would answer what the first did.
        key = ' -H "Idempotency-Key: try-$(date +%s)"' if method == "POST" else ""
        return f"curl -sS -X {method}{key} -H 'Authorization: Bearer {self.token}'"
