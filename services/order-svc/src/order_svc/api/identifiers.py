"""Serves the numbers of an account's orders, to be kept before it is unlinked and looked up after."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from hanro import web
from hanro.db import Database
from hanro.web import Cursors, CursorText, Limit
from hanro.web.csv_pages import csv_page
from hanro.web.shapes import NextCursor, Shown
from order_svc import accounts
from order_svc.store import identifiers as store

Format = Annotated[Literal["json", "csv"], Query(description="`csv`: the same page as CSV, formula-safe")]
AccountWanted = Annotated[str, Query(max_length=64, description="The account")]


class OrderNumbers(Shown):
    """By what one order is known."""

    id: str
    """ord_…"""
    external_id: str
    """The marketplace's order number."""
    marketplace_id: str
    """Where."""
    placed_at: datetime
    """When the buyer ordered."""


class OrderNumbersPage(Shown):
    """Numbers of orders, the first one found first."""

    items: list[OrderNumbers]
    """The first one found first."""
    next: NextCursor


def make_routes(db: Database, cursors: Cursors) -> APIRouter:
    """Make the route of identifiers."""
    router = web.router(["orders"])

    @router.get("/v1/order/identifiers", dependencies=[web.require("orders:read")], response_model=OrderNumbersPage)
    async def export_identifiers(
        request: Request,
        response: Response,
        account_id: AccountWanted,
        format: Format = "json",  # noqa: A002  callers' word
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> OrderNumbersPage | Response:
        """Export the order numbers of an account, a page at a time; no buyers."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            await accounts.get_visible(tx, account_id, web.caller(request).shops)
            found = await store.list_identifiers(
                tx, account_id, after=str(position[0]) if position else None, limit=limit + 1
            )
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].id,) if len(found) > limit else None)
        items = [OrderNumbers.model_validate(one) for one in page]
        if format == "csv":
            rows = [one.model_dump(mode="json") for one in items]
            return csv_page(list(OrderNumbers.model_fields), rows, headers=response.headers)
        return OrderNumbersPage(items=items, next=following)

    return router
