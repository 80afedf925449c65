"""Serves the order download: what RMS asks user name and password for, and the file."""

import base64
import binascii
import hmac
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query
from fastapi.responses import Response

from hanro_rakuten_ichiba.simulator.controls import PlayedTime, find_shop
from hanro_rakuten_ichiba.simulator.market import Market
from hanro_rakuten_ichiba.simulator.order_csv.rows import Layout, write_orders
from hanro_rakuten_ichiba.simulator.shops import Shop


def csv_routes(market: Market) -> APIRouter:
    """Make the route of the download."""
    router = APIRouter(tags=["orders"])

    @router.get("/_sim/shops/{number}/orders.csv", response_class=Response)
    async def download(
        number: str,
        *,
        layout: Annotated[Layout, Query(description="old: the 126 columns until about 2019.")] = "new",
        placed_from: PlayedTime | None = None,
        placed_to: PlayedTime | None = None,
        progress: Annotated[list[int] | None, Query(description="States; none means all.")] = None,
        authorization: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Download the shop's orders, oldest first, as 全カラムダウンロード用 gives them (cp932, CRLF).

        With Basic authentication the shop's download_username and download_password are asked for; without, the file is
        there for checkers.
        """
        shop = find_shop(market, number)
        if authorization is not None and not _is_login(shop, authorization):
            raise HTTPException(401, "ユーザ名、パスワード", headers={"WWW-Authenticate": "Basic"})
        if shop.contracts.states["order_download"] != "contracted":
            raise HTTPException(409, "受注データのダウンロード is not contracted")
        wanted = [
            order
            for order in shop.orders
            if (placed_from is None or order.placed_at >= placed_from)
            and (placed_to is None or order.placed_at <= placed_to)
            and (not progress or order.progress in progress)
        ]
        name = f"attachment; filename={number}.csv"
        headers = {"Content-Disposition": name, "Content-Type": "text/csv; charset=Shift_JIS"}
        return Response(write_orders(wanted, layout), headers=headers)

    return router


def _is_login(shop: Shop, authorization: str) -> bool:
    """Tell whether a Basic header holds the shop's user name and password."""
    scheme, _, encoded = authorization.partition(" ")
    wanted = f"{shop.download.username}:{shop.download.password}".encode()
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given, wanted)
