"""Posts a notice to a shop's URL whenever an order of it changes: with its key, not repeated, of no order the truth."""

import contextlib
import http.client
import json
import threading
from urllib.parse import urlsplit

from hanro_sandbox.simulator.life import Market
from hanro_sandbox.simulator.shops import Shop
from hanro_sandbox.simulator.wire import Tree, write_moment

SECONDS = 5.0


class Notices:
    """Send what the market tells."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def tell(self, shop: Shop, kind: str, order: Tree) -> None:
        """Post a notice, beside everything else; one that nobody takes is lost."""
        if shop.notice_url is None:
            return
        body = notice_body(self._market, shop, kind, order)
        threading.Thread(target=_post, args=(shop.notice_url, body), daemon=True).start()


def notice_body(market: Market, shop: Shop, kind: str, order: Tree) -> bytes:
    """Write the notice of one order."""
    head = {"key": shop.notice_key}
    notice = {"id": market.number("notice"), "kind": kind, "orders": [order["id"]], "at": write_moment(market.now())}
    return json.dumps(head | notice, ensure_ascii=False).encode()


def _post(url: str, body: bytes) -> None:
    there = urlsplit(url)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    connection = http.client.HTTPConnection(there.netloc, timeout=SECONDS)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("POST", there.path, body, headers)
        connection.getresponse().read()
    connection.close()
