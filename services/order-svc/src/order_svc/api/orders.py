"""Serves `/v1/orders`."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from starlette.requests import Request

from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.web import (
    Answer,
    Cursors,
    Idempotency,
    caller,
    etag,
    may,
    require,
    router,
)
from order_svc import accounts, buyers, orders
from order_svc.api.lists import add_lists
from order_svc.api.shapes import MOST_SHOWN, OrderShown, whole
from order_svc.store import cancellations as cancellations_store
from order_svc.store import shipments as shipments_store
from order_svc.store.order_rows import StoredOrder

RAW_MEDIA_TYPE = "application/octet-stream"
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes",
        "content": {RAW_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_VERSIONED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "As it stands",
        "headers": {"ETag": {"description": "Names the version", "schema": {"type": "string"}}},
    }
}
# No browser may take them for a page of ours.
_DOWNLOAD = {"Content-Disposition": 'attachment; filename="order.bin"'}

OrderId = Annotated[str, Path(max_length=200, description="ord_…")]


def make_routes(db: Database, keyring: Keyring, idempotency: Idempotency, cursors: Cursors) -> APIRouter:
    """Make the routes of orders."""
    routes = router(["orders"])

    add_lists(routes, db, keyring, cursors)

    @routes.get(
        "/v1/orders/{order_id}",
        dependencies=[require("orders:read")],
        response_model=OrderShown,
        responses=_VERSIONED,
    )
    async def get_order(request: Request, response: Response, order_id: OrderId) -> OrderShown:
        """Look at one order; with the scope orders:personal also at its buyer."""
        async with db.begin() as tx:
            stored = await orders.get_(tx, order_id, account_ids=await accounts.visible(tx, caller(request).shops))
            personal = await buyers.personal(tx, keyring, order_id) if may(request, "orders:personal") else None
            shown = await _shown(tx, stored, personal)
        response.headers["ETag"] = etag(stored.order.version)
        return shown

    @routes.get(
        "/v1/orders/{order_id}/raw",
        dependencies=[require("orders:raw")],
        response_class=Response,
        responses=_BYTES,
    )
    async def get_raw_order(request: Request, order_id: OrderId) -> Response:
        """Fetch an order's bytes as its marketplace sent them last, buyer and all; who reads them is written down.

        They are there also where the order cannot be read. Not found once its buyer is erased.
        """
        async with db.begin() as tx:
            who = caller(request)
            account_ids = await accounts.visible(tx, who.shops)
            at = await tx.now()
            found = await buyers.raw(tx, keyring, order_id, account_ids=account_ids, by=who.subject, at=at)
        return Response(found, media_type=RAW_MEDIA_TYPE, headers=_DOWNLOAD)

    @routes.post(
        "/v1/orders/{order_id}:erase-buyer",
        dependencies=[require("orders:write", "orders:personal")],
        response_model=OrderShown,
    )
    async def erase_buyer(request: Request, order_id: OrderId) -> Response:
        """Delete what is kept of an order's buyer, for good.

        Name, addresses, phones, mail, gift, notes, payments and the order's bytes go at once; lines and totals stay.
        Nothing brings the buyer back: no sighting, no file, no replay. Messages that are planned are suppressed. To ask
        twice is harmless.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            account_ids = await accounts.visible(tx, who.shops)
            await buyers.erase(tx, order_id, account_ids=account_ids, by=who.subject)
            stored = await orders.get_(tx, order_id, account_ids=account_ids)
            return Answer(body=await _shown(tx, stored, None), headers={"ETag": etag(stored.order.version)})

        return await idempotency.once(request, work)

    return routes


async def _shown(tx: Transaction, stored: StoredOrder, personal: Mapping[str, Any] | None) -> OrderShown:
    order_id = stored.order.id
    return whole(
        stored,
        personal,
        shipments=await shipments_store.list_newest(tx, order_id, MOST_SHOWN),
        cancellations=await cancellations_store.list_newest(tx, order_id, MOST_SHOWN),
    )
