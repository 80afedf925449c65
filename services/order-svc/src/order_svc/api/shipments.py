"""Serves parcels: registering them at marketplaces, how far they are, correcting them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.requests import Request

from hanro.db import Database, Transaction
from hanro.errors import NeedsSeller, Rejected, Unsupported
from hanro.events.orders import ShipmentState
from hanro.web import (
    DEFAULT_PAGE,
    Answer,
    Cursors,
    CursorText,
    Idempotency,
    Limit,
    accepted,
    caller,
    key_needed,
    require,
    router,
)
from order_svc import accounts, orders, shipments
from order_svc.api.orders import OrderId
from order_svc.api.shipment_shapes import (
    CorrectionBody,
    ParcelBody,
    ParcelEntry,
    ParcelOutcome,
    ParcelOutcomes,
    ParcelsBody,
    ShipmentPage,
    ShipmentShown,
    ShipmentsShown,
    show_asked,
    show_refused,
    show_shipment,
)
from order_svc.shipments import Desk
from order_svc.store import shipments as store

ShipmentId = Annotated[str, Path(max_length=200, description="shi_…")]
AccountFilter = Annotated[str | None, Query(max_length=200, description="Only those of this account")]
StateFilter = Annotated[ShipmentState | None, Query(description="Only those that are so far")]
UnconfirmedFilter = Annotated[
    bool | None, Query(description="Only those that no read has shown in time, or the others")
]
READ, WRITE = "orders:read", "orders:write"


def make_routes(db: Database, idempotency: Idempotency, cursors: Cursors, desk: Desk) -> APIRouter:
    """Make the routes of shipments."""
    routes = router(["shipments"])
    _add_asking(routes, idempotency, desk)
    _add_looking(routes, db, cursors)
    return routes


def _add_asking(routes: APIRouter, idempotency: Idempotency, desk: Desk) -> None:
    @routes.post(
        "/v1/orders/{order_id}/shipments",
        dependencies=[require(WRITE), key_needed()],
        status_code=202,
        response_model=ShipmentShown,
    )
    async def ship_order(request: Request, order_id: OrderId, body: ParcelBody) -> Response:
        """Register a parcel of an order at its marketplace.

        Carrier and number are checked first. The answer is the shipment; its operation ends as applied once the
        marketplace shows the parcel. An order that is cancelled, held, not accepted or in quarantine is refused.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            visible = await accounts.visible(tx, who.shops)
            asked = await shipments.ship(tx, desk, order_id, body.parcel(), account_ids=visible, by=who.subject)
            return accepted("order", asked.operation.id, show_shipment(asked.shipment))

        return await idempotency.once(request, work)

    @routes.post(
        "/v1/shipments:batch",
        dependencies=[require(WRITE), key_needed()],
        status_code=207,
        response_model=ParcelOutcomes,
    )
    async def ship_orders(request: Request, body: ParcelsBody) -> Response:
        """Register many parcels, each on its own; the answer has an outcome for each, in the order asked."""

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            visible = await accounts.visible(tx, who.shops)
            # Locked in one order, whatever the order asked.
            await shipments.lock_all(tx, [entry.order_id for entry in body.items])
            items = [await _ship_one(tx, desk, entry, visible, who.subject) for entry in body.items]
            return Answer(status=207, body=ParcelOutcomes(items=items))

        return await idempotency.once(request, work)

    @routes.post(
        "/v1/shipments/{shipment_id}:correct",
        dependencies=[require(WRITE), key_needed()],
        status_code=202,
        response_model=ShipmentShown,
    )
    async def correct_shipment(request: Request, shipment_id: ShipmentId, body: CorrectionBody) -> Response:
        """Correct carrier, number, page or day of a registered parcel, where the marketplace takes that.

        The answer is a new shipment that replaces it once the marketplace shows it.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            visible = await accounts.visible(tx, who.shops)
            asked = await shipments.correct(
                tx, desk, shipment_id, body.correction(), account_ids=visible, by=who.subject
            )
            return accepted("order", asked.operation.id, show_shipment(asked.shipment))

        return await idempotency.once(request, work)


def _add_looking(routes: APIRouter, db: Database, cursors: Cursors) -> None:
    @routes.get("/v1/orders/{order_id}/shipments", dependencies=[require(READ)])
    async def list_order_shipments(request: Request, order_id: OrderId) -> ShipmentsShown:
        """List the parcels of an order, the first asked for first."""
        async with db.begin() as tx:
            await orders.get_(tx, order_id, account_ids=await accounts.visible(tx, caller(request).shops))
            found = await shipments.list_of(tx, order_id)
        return ShipmentsShown(items=[show_shipment(one) for one in found])

    @routes.get("/v1/shipments", dependencies=[require(READ)])
    async def list_shipments(
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors, which checks the other parameters too
        account_id: AccountFilter = None,
        state: StateFilter = None,
        is_unconfirmed: UnconfirmedFilter = None,
    ) -> ShipmentPage:
        """List parcels of all orders, newest first."""
        start = cursors.start(request)
        async with db.begin() as tx:
            visible = await accounts.visible(tx, caller(request).shops)
            if account_id is not None:
                visible = [account_id] if visible is None or account_id in visible else []
            found = await store.list_shipments(
                tx,
                account_ids=visible,
                state=state,
                is_unconfirmed=is_unconfirmed,
                before_id=str(start[0]) if start else None,
                limit=limit + 1,
            )
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].id,) if len(found) > limit else None)
        return ShipmentPage(items=[show_shipment(one) for one in page], next=following)

    @routes.get("/v1/shipments/{shipment_id}", dependencies=[require(READ)])
    async def get_shipment(request: Request, shipment_id: ShipmentId) -> ShipmentShown:
        """Look at one parcel."""
        async with db.begin() as tx:
            visible = await accounts.visible(tx, caller(request).shops)
            return show_shipment(await shipments.get_(tx, shipment_id, account_ids=visible))


async def _ship_one(
    tx: Transaction, desk: Desk, entry: ParcelEntry, visible: list[str] | None, by: str
) -> ParcelOutcome:
    try:
        asked = await shipments.ship(tx, desk, entry.order_id, entry.parcel(), account_ids=visible, by=by)
    except (Rejected, Unsupported, NeedsSeller) as refused:
        # Nothing of it is stored before the last check.
        return show_refused(entry.order_id, refused)
    return show_asked(entry.order_id, asked)
