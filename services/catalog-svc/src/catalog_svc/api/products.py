"""Serves products."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from catalog_svc import products
from catalog_svc.api.bodies import KEY_PATTERN, LONGEST_KEY, ProductBody, ProductEntry, ProductsBody
from catalog_svc.api.shapes import Outcome, Outcomes, ProductPage, ProductShown, show_product, show_refusal
from catalog_svc.domain.products import Product, same_content
from catalog_svc.store import products as store
from hanro import web
from hanro.db import Database, Transaction
from hanro.errors import Rejected
from hanro.web import Answer, Cursors, CursorText, Idempotency, Limit

Code = Annotated[str, Path(max_length=LONGEST_KEY, pattern=KEY_PATTERN, description="The product's key")]


def make_routes(db: Database, idempotency: Idempotency, cursors: Cursors) -> APIRouter:
    """Make the routes of products."""
    router = web.router(["products"])

    @router.get("/v1/products", dependencies=[web.require("products:read")])
    async def list_products(
        request: Request, response: Response, limit: Limit = web.DEFAULT_PAGE, cursor: CursorText = None
    ) -> ProductPage:
        """List products by code."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            codes = await store.list_codes(tx, after=str(position[0]) if position else None, limit=limit + 1)
            found = await store.read_products(tx, codes[:limit])
        following = cursors.link(request, response, (codes[limit - 1],) if len(codes) > limit else None)
        return ProductPage(items=[show_product(found[code]) for code in codes[:limit]], next=following)

    @router.get("/v1/products/{code}", dependencies=[web.require("products:read")])
    async def get_product(code: Code, response: Response) -> ProductShown:
        """Show one product; its ETag guards the next change."""
        async with db.begin() as tx:
            found = (await store.read_products(tx, [code])).get(code)
        if found is None:
            raise Rejected(f"There is no product {code}.", code="not-found")
        response.headers["ETag"] = web.etag(found.version)
        return show_product(found)

    @router.put(
        "/v1/products/{code}",
        dependencies=[web.require("products:write")],
        response_model=ProductShown,
        responses={201: {"model": ProductShown, "description": "It is new"}},
    )
    async def put_product(code: Code, body: ProductBody, request: Request) -> Response:
        """Restate a product: what is left out is gone. A change needs If-Match; saying the same again needs nothing."""
        wanted = body.product(code)

        async def work(tx: Transaction) -> Answer:
            before = await products.lock(tx, code)
            is_same = before is not None and same_content(before, wanted)
            # A new one needs no version to have been read.
            if not is_same and (before is not None or "if-match" in request.headers):
                web.require_match(request, None if before is None else before.version)
            return _answer(before, await products.restate(tx, before, wanted))

        return (await db.run(work)).response()

    @router.post(
        "/v1/products:bulk", dependencies=[web.require("products:write")], status_code=207, response_model=Outcomes
    )
    async def put_products(body: ProductsBody, request: Request) -> Response:
        """Restate many products, each on its own; the answer has an outcome for each, in the order asked."""

        async def work(tx: Transaction) -> Answer:
            # Locked in one order, whatever the order asked.
            await store.lock_products(tx, {entry.code for entry in body.items})
            outcomes = [await _restate_one(tx, place, entry) for place, entry in enumerate(body.items)]
            return Answer(status=207, body=Outcomes(items=outcomes))

        return await idempotency.once(request, work)

    return router


def _answer(before: Product | None, after: Product) -> Answer:
    return Answer(
        status=201 if before is None else 200, body=show_product(after), headers={"ETag": web.etag(after.version)}
    )


async def _restate_one(tx: Transaction, place: int, entry: ProductEntry) -> Outcome:
    before = await products.lock(tx, entry.code)
    await tx.execute("savepoint entry")
    try:
        after = await _restate_version(tx, before, entry)
    except Rejected as refusal:
        await tx.execute("rollback to savepoint entry")
        return show_refusal(place, entry.code, refusal)
    return Outcome(key=entry.code, status=201 if before is None else 200, version=after.version)


async def _restate_version(tx: Transaction, before: Product | None, entry: ProductEntry) -> Product:
    version = before.version if before else 0
    if entry.if_version is not None and entry.if_version != version:
        raise Rejected(f"the version is {version}, not {entry.if_version}", code="version-changed", field="/if_version")
    return await products.restate(tx, before, entry.product(entry.code))
