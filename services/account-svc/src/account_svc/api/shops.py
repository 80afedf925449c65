"""Serves internal shops: those that may use accounts."""

from fastapi import APIRouter, Request, Response

from account_svc.accounts import linking
from account_svc.api.account_shapes import ShopPage, ShopShown
from account_svc.api.account_views import show_shop
from account_svc.api.bodies import ShopBody
from account_svc.store import accounts as store
from hanro import web
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.web import Answer, Cursors, CursorText, Idempotency, Limit


def make_routes(db: Database, idempotency: Idempotency, cursors: Cursors, clock: Clock) -> APIRouter:
    """Make the routes of internal shops."""
    router = web.router(["shops"])

    @router.get("/v1/shops", dependencies=[web.require("shops:read")])
    async def list_shops(
        request: Request, response: Response, limit: Limit = web.DEFAULT_PAGE, cursor: CursorText = None
    ) -> ShopPage:
        """List the internal shops that the caller may see, by id."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            found = await store.list_shops(
                tx, limit=limit + 1, after=str(position[0]) if position else None, ids=web.visible_shops(request)
            )
        following = cursors.link(request, response, (found[limit - 1].id,) if len(found) > limit else None)
        return ShopPage(items=[show_shop(shop) for shop in found[:limit]], next=following)

    @router.post("/v1/shops", dependencies=[web.require("shops:write")], status_code=201, response_model=ShopShown)
    async def open_shop(request: Request, body: ShopBody) -> Response:
        """Make an internal shop."""

        async def work(tx: Transaction) -> Answer:
            return Answer(status=201, body=show_shop(await linking.open_shop(tx, body.display_name, clock.now())))

        return await idempotency.once(request, work)

    return router
