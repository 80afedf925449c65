"""Serves the identifiers of an account's offers, to be kept before it is unlinked."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from catalog_svc.api.listings import Plugins
from catalog_svc.store import listings as store
from hanro import web
from hanro.db import Database
from hanro.errors import Rejected
from hanro.marketplace.types import MarketplaceId
from hanro.web import Cursors, CursorText, Limit
from hanro.web.csv_pages import csv_page
from hanro.web.shapes import NextCursor, Shown

Format = Annotated[Literal["json", "csv"], Query(description="`csv`: the same page as CSV, formula-safe")]
AccountWanted = Annotated[str, Query(max_length=64, description="The account")]


class OfferIdentifiers(Shown):
    """By what one offer is known: here, in the house, and at the marketplace."""

    listing_id: str
    """lst_…"""
    sku: str
    """What it sells."""
    keys: dict[str, str]
    """The seller's keys there, by the names of the marketplace."""


class OfferIdentifiersPage(Shown):
    """Identifiers of offers, by listing id."""

    items: list[OfferIdentifiers]
    """By listing id."""
    next: NextCursor


def make_routes(db: Database, cursors: Cursors, plugins: Plugins) -> APIRouter:
    """Make the route of identifiers."""
    router = web.router(["listings"])

    @router.get(
        "/v1/catalog/identifiers", dependencies=[web.require("listings:read")], response_model=OfferIdentifiersPage
    )
    async def export_identifiers(
        request: Request,
        response: Response,
        account_id: AccountWanted,
        format: Format = "json",  # noqa: A002  callers' word
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> OfferIdentifiersPage | Response:
        """Export SKUs and the marketplace's keys of all mapped offers of an account, a page at a time."""
        del cursor
        position = cursors.start(request)
        shop_ids = web.visible_shops(request)
        async with db.begin() as tx:
            account = (await store.list_accounts(tx, [account_id])).get(account_id)
            if account is None or (shop_ids is not None and not set(shop_ids) & set(account.shop_ids)):
                raise Rejected("There is no such account.", code="not-found")
            found = await store.list_listings(
                tx,
                shop_ids=None,
                account_id=account_id,
                sku=None,
                after=str(position[0]) if position else None,
                limit=limit + 1,
            )
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].id,) if len(found) > limit else None)
        if format == "csv":
            plugin = plugins.get(MarketplaceId(account.marketplace_id or ""))
            names = [field.name for field in plugin.key_fields] if plugin else []
            rows = [{"listing_id": one.id, "sku": one.sku, **one.keys} for one in page]
            return csv_page(["listing_id", "sku", *names], rows, headers=response.headers)
        items = [OfferIdentifiers(listing_id=one.id, sku=one.sku, keys=dict(one.keys)) for one in page]
        return OfferIdentifiersPage(items=items, next=following)

    return router
