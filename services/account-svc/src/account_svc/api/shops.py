"""Serves internal shops: those that may use accounts."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from account_svc.accounts import shops
from account_svc.api.account_shapes import ShopPage, ShopShown
from account_svc.api.account_views import show_shop
from account_svc.api.bodies import ShopBody, ShopPatch
from account_svc.api.permissions import check_shops
from account_svc.store import shops as store
from account_svc.store.shops import Shop
from hanro import web
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.web import Answer, Cursors, CursorText, Idempotency, Limit

ShopId = Annotated[str, Path(max_length=64, description="shp_…")]


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
            shop = await shops.open_shop(tx, body.display_name, clock.now())
            return _answer(shop, status=201, headers={"Location": f"/v1/shops/{shop.id}"})

        return await idempotency.once(request, work)

    @router.get("/v1/shops/{shop_id}", dependencies=[web.require("shops:read")])
    async def get_shop(request: Request, response: Response, shop_id: ShopId) -> ShopShown:
        """Show an internal shop."""
        async with db.begin() as tx:
            shop = await store.get_shop(tx, shop_id)
        check_shops(request, [shop.id])
        response.headers["ETag"] = web.etag(shop.version)
        return show_shop(shop)

    @router.patch("/v1/shops/{shop_id}", dependencies=[web.require("shops:write")], response_model=ShopShown)
    async def rename_shop(request: Request, shop_id: ShopId, body: ShopPatch) -> Response:
        """Rename an internal shop."""

        async def work(tx: Transaction) -> Answer:
            shop = await store.lock_shop(tx, shop_id)
            check_shops(request, [shop.id])
            web.require_match(request, shop.version)
            return _answer(await shops.rename_shop(tx, shop, body.display_name))

        return (await db.run(work)).response()

    @router.delete("/v1/shops/{shop_id}", dependencies=[web.require("shops:write")], status_code=204)
    async def close_shop(request: Request, shop_id: ShopId) -> Response:
        """Delete an internal shop to which no account is bound; otherwise the refusal names the accounts."""

        async def work(tx: Transaction) -> Answer:
            shop = await store.lock_shop(tx, shop_id)
            check_shops(request, [shop.id])
            await shops.close_shop(tx, shop)
            return Answer(status=204)

        return (await db.run(work)).response()

    return router


def _answer(shop: Shop, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status=status, body=show_shop(shop), headers={"ETag": web.etag(shop.version), **(headers or {})})
