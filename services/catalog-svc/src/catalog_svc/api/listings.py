"""Serves which offer is which SKU, and what order lines hold."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from catalog_svc import listings
from catalog_svc.api.bodies import AdoptBody
from catalog_svc.api.shapes import (
    AdoptOutcome,
    AdoptOutcomes,
    ListingPage,
    ReservationPage,
    show_listing,
    show_refusal,
    show_reservation,
)
from catalog_svc.listings import OfferMapping
from catalog_svc.store import listings as listing_store
from catalog_svc.store import reservations as reservation_store
from catalog_svc.store.listings import AccountCopy, Listing
from hanro import web
from hanro.access_reports import AccessLog
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.errors import Unsupported
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId
from hanro.web import Answer, Cursors, CursorText, Idempotency, Limit, Problem

Plugins = Mapping[MarketplaceId, Plugin]
AccountFilter = Annotated[str | None, Query(max_length=64, description="Only those of this account")]
OrderFilter = Annotated[str | None, Query(max_length=64, description="Only those of this order")]
SkuFilter = Annotated[str | None, Query(max_length=96, description="Only those of this SKU")]
MAPPING_BODY_BYTES = 2 * 1024 * 1024


def make_routes(
    db: Database, idempotency: Idempotency, cursors: Cursors, clock: Clock, plugins: Plugins, access: AccessLog
) -> APIRouter:
    """Make the routes of listings and reservations."""
    router = web.router(["listings"])
    _add_adopting(router, idempotency, clock, plugins, access)
    _add_lists(router, db, cursors)
    return router


def _add_adopting(
    router: APIRouter, idempotency: Idempotency, clock: Clock, plugins: Plugins, access: AccessLog
) -> None:
    @router.post(
        "/v1/listings:adopt",
        dependencies=[web.require("listings:write"), web.body_limit(MAPPING_BODY_BYTES)],
        status_code=207,
        response_model=AdoptOutcomes,
    )
    async def adopt_listings(body: AdoptBody, request: Request) -> Response:
        """Say which SKU each offer of an account sells; nothing is sent to the marketplace."""

        async def work(tx: Transaction) -> Answer:
            account = await listings.lock_account(tx, body.account_id)
            _check_shops(request, account)
            wanted = [OfferMapping(keys=entry.keys, sku=entry.sku) for entry in body.items]
            outcomes = await listings.adopt(
                tx, account, _plugin_of(account, plugins).key_fields, wanted, at=clock.now(), access=access
            )
            items = [
                AdoptOutcome(key=entry.sku, status=200, id=outcome.id, version=outcome.version)
                if isinstance(outcome, Listing)
                else show_refusal(place, entry.sku, outcome)
                for place, (entry, outcome) in enumerate(zip(body.items, outcomes, strict=True))
            ]
            return Answer(status=207, body=AdoptOutcomes(items=items))

        return await idempotency.once(request, work)


def _add_lists(router: APIRouter, db: Database, cursors: Cursors) -> None:
    @router.get("/v1/listings", dependencies=[web.require("listings:read")])
    async def list_listings(
        request: Request,
        response: Response,
        account_id: AccountFilter = None,
        sku: SkuFilter = None,
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> ListingPage:
        """List mapped offers of the accounts that the caller may see."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            found = await listing_store.list_listings(
                tx,
                shop_ids=web.visible_shops(request),
                account_id=account_id,
                sku=sku,
                after=str(position[0]) if position else None,
                limit=limit + 1,
            )
        following = cursors.link(request, response, (found[limit - 1].id,) if len(found) > limit else None)
        return ListingPage(items=[show_listing(one) for one in found[:limit]], next=following)

    @router.get("/v1/reservations", dependencies=[web.require("stock:read")])
    async def list_reservations(
        request: Request,
        response: Response,
        order_id: OrderFilter = None,
        account_id: AccountFilter = None,
        sku: SkuFilter = None,
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> ReservationPage:
        """List what order lines of the accounts that the caller may see want and hold."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            found = await reservation_store.list_reservations(
                tx,
                shop_ids=web.visible_shops(request),
                order_id=order_id,
                account_id=account_id,
                sku=sku,
                after=[str(part) for part in position] if position else None,
                limit=limit + 1,
            )
        last = found[limit - 1].key if len(found) > limit else None
        following = cursors.link(request, response, last)
        return ReservationPage(items=[show_reservation(one) for one in found[:limit]], next=following)


def _check_shops(request: Request, account: AccountCopy) -> None:
    caller = web.caller(request)
    # A draft that is bound to no shop yet is nobody's secret.
    if account.shop_ids and not any(caller.may_see(shop_id) for shop_id in account.shop_ids):
        raise Problem(status=403, code="shop-not-yours", detail="This account belongs to other internal shops.")


def _plugin_of(account: AccountCopy, plugins: Plugins) -> Plugin:
    plugin = plugins.get(MarketplaceId(account.marketplace_id or ""))
    if plugin is None:
        raise Unsupported(f"no plug-in {account.marketplace_id} is installed", code="absent")
    return plugin
