"""Serves stock: figures, counts, movements."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from catalog_svc import stock
from catalog_svc.api.bodies import CountBody, CountsBody, MovementBody
from catalog_svc.api.shapes import (
    MovementPage,
    MovementShown,
    Outcome,
    Outcomes,
    StockPage,
    StockShown,
    show_refusal,
    show_stock,
)
from catalog_svc.domain.stock import Stock
from catalog_svc.stock import Count
from catalog_svc.store import stock as store
from hanro import web
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.web import Answer, Cursors, CursorText, Idempotency, Limit, Problem

Sku = Annotated[str, Path(max_length=96, description="The variant's key")]


def make_routes(db: Database, idempotency: Idempotency, cursors: Cursors, clock: Clock) -> APIRouter:
    """Make the routes of stock."""
    router = web.router(["stock"])
    _add_reading(router, db, cursors)
    _add_writing(router, db, idempotency, clock)
    return router


def _add_reading(router: APIRouter, db: Database, cursors: Cursors) -> None:
    @router.get("/v1/stock", dependencies=[web.require("stock:read")])
    async def list_stock(
        request: Request, response: Response, limit: Limit = web.DEFAULT_PAGE, cursor: CursorText = None
    ) -> StockPage:
        """List stock by SKU."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            found = await store.list_stock(tx, after=str(position[0]) if position else None, limit=limit + 1)
        following = cursors.link(request, response, (found[limit - 1].sku,) if len(found) > limit else None)
        return StockPage(items=[show_stock(one) for one in found[:limit]], next=following)

    @router.get("/v1/stock/{sku}", dependencies=[web.require("stock:read")])
    async def get_stock(sku: Sku, response: Response) -> StockShown:
        """Show the stock of a SKU; its ETag guards the next change."""
        async with db.begin() as tx:
            found = await store.find_stock(tx, sku)
        if found is None:
            raise stock.unknown(sku)
        response.headers["ETag"] = web.etag(found.version)
        return show_stock(found)

    @router.get("/v1/stock/{sku}/movements", dependencies=[web.require("stock:read")])
    async def list_movements(
        sku: Sku, request: Request, response: Response, limit: Limit = web.DEFAULT_PAGE, cursor: CursorText = None
    ) -> MovementPage:
        """List what came and left, newest first."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            if await store.find_stock(tx, sku) is None:
                raise stock.unknown(sku)
            found = await store.list_movements(tx, sku, before=int(position[0]) if position else None, limit=limit + 1)
        following = cursors.link(request, response, (found[limit - 1].position,) if len(found) > limit else None)
        return MovementPage(items=[MovementShown.model_validate(one) for one in found[:limit]], next=following)


def _add_writing(router: APIRouter, db: Database, idempotency: Idempotency, clock: Clock) -> None:
    @router.put("/v1/stock/{sku}", dependencies=[web.require("stock:write")], response_model=StockShown)
    async def put_stock(sku: Sku, body: CountBody, request: Request) -> Response:
        """Set the units in the house. If-Match, or `if_version`, names the figures that were counted against."""

        async def work(tx: Transaction) -> Answer:
            before = await stock.lock(tx, sku)
            wanted = Count(sku=sku, on_hand=body.on_hand, safety_buffer=body.safety_buffer)
            _require_version(request, body, before)
            return _answer(await stock.count(tx, before, wanted, at=clock.now(), by=web.caller(request).subject))

        return (await db.run(work)).response()

    @router.post("/v1/stock:bulk", dependencies=[web.require("stock:write")], status_code=207, response_model=Outcomes)
    async def put_stocks(body: CountsBody, request: Request) -> Response:
        """Set many SKUs, each on its own; the answer has an outcome for each, in the order asked."""

        async def work(tx: Transaction) -> Answer:
            counts = [Count(**entry.model_dump()) for entry in body.items]
            outcomes = await stock.count_all(tx, counts, at=clock.now(), by=web.caller(request).subject)
            items = [
                Outcome(key=entry.sku, status=200, version=outcome.version)
                if isinstance(outcome, Stock)
                else show_refusal(place, entry.sku, outcome)
                for place, (entry, outcome) in enumerate(zip(body.items, outcomes, strict=True))
            ]
            return Answer(status=207, body=Outcomes(items=items))

        return await idempotency.once(request, work)

    @router.post(
        "/v1/stock/{sku}/movements",
        dependencies=[web.require("stock:write"), web.key_needed()],
        status_code=201,
        response_model=StockShown,
    )
    async def move_stock(sku: Sku, body: MovementBody, request: Request) -> Response:
        """Let units come or leave; needs an Idempotency-Key, so that a repeat moves nothing twice."""

        async def work(tx: Transaction) -> Answer:
            before = await stock.lock(tx, sku)
            after = await stock.move(
                tx,
                before,
                body.delta,
                cause=body.cause,
                note=body.note,
                order_id=body.order_id,
                at=clock.now(),
                by=web.caller(request).subject,
            )
            return _answer(after, status=201)

        return await idempotency.once(request, work)


def _require_version(request: Request, body: CountBody, before: Stock) -> None:
    if body.if_version is None:
        web.require_match(request, before.version)
    elif body.if_version != before.version:
        raise Problem(
            status=412,
            code="precondition-failed",
            detail=f"It has changed since you read it: the version is {before.version}. Read it again.",
        )


def _answer(after: Stock, *, status: int = 200) -> Answer:
    return Answer(status=status, body=show_stock(after), headers={"ETag": web.etag(after.version)})
