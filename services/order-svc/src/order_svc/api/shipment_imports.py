"""Serves files of parcels: reading them in, and what became of each row."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from starlette.requests import Request

from hanro.db import Database, Transaction
from hanro.web import (
    DEFAULT_PAGE,
    Answer,
    Cursors,
    CursorText,
    Limit,
    NextCursor,
    Shown,
    caller,
    file_body,
    key_unused,
    require,
    router,
    uploads,
)
from order_svc import accounts, shipment_imports
from order_svc.domain.shipment_files import CARRIER, DAY, NUMBER, ORDER
from order_svc.shipment_imports import File
from order_svc.shipments import Desk
from order_svc.store import shipment_imports as store
from order_svc.store.shipment_imports import ShipmentImport

LARGEST = 2 * 1024 * 1024
ImportId = Annotated[str, Path(max_length=200, description="sim_…")]
AccountWanted = Annotated[str, Query(max_length=64, description="The account whose orders are in the file")]
LayoutWanted = Annotated[
    Literal["generic", "yamato_b2", "sagawa_ehiden", "japan_post_yupri"] | None,
    Query(description="Whose file it is; left out: told by its header"),
]
CarrierWanted = Annotated[
    str | None, Query(min_length=1, max_length=100, description="The carrier where a row names none")
]
DryRun = Annotated[bool, Query(description="Only say what would be refused; nothing is asked for")]
Heading = Annotated[str | None, Query(min_length=1, max_length=100, description="The heading of that column there")]


class ShipmentImportShown(Shown):
    """A file of parcels that was read in."""

    id: str
    """sim_…"""
    account_id: str
    """The account whose orders are in it."""
    layout: str
    """Whose file it is."""
    is_dry_run: bool
    """It was only looked at: nothing was asked for."""
    row_count: int
    """Rows below the header that are not blank."""
    refused_count: int
    """Rows that were refused; the others were asked for, each as if it had come alone."""
    unknown_columns: list[str]
    """Columns that nobody knows, at most 100: they were left aside."""
    is_repeat: bool
    """The same file was read in before: this is what became of it then."""
    created_by: str
    """Who brought it."""
    created_at: datetime
    """When."""


class ShipmentRowShown(Shown):
    """What became of one row."""

    number: int
    """As a spreadsheet counts: the header is 1."""
    external_id: str | None
    """The order's number as the row has it; null: it cannot be read."""
    order_id: str | None
    """The order; null: the account has none of that number."""
    shipment_id: str | None
    """The parcel, also where it was there before; null: refused, or only looked at."""
    operation_id: str | None
    """How far the parcel is, in detail."""
    code: str | None
    """Why it was refused, a stable name; null: it was not."""
    detail: str | None
    """Why, in a sentence."""
    column_name: str | None
    """The heading of the column at fault; null: the row as a whole."""
    column_number: int | None
    """Where that column stands, the first is 1."""


class ShipmentRowPage(Shown):
    """Rows of a file."""

    items: list[ShipmentRowShown]
    """In the file's order."""
    next: NextCursor


def make_routes(db: Database, cursors: Cursors, desk: Desk) -> APIRouter:
    """Make the routes of files of parcels."""
    routes = router(["shipments"])

    @routes.post(
        "/v1/order/shipment-imports",
        dependencies=[require("orders:write"), file_body(LARGEST), key_unused()],
        status_code=201,
        response_model=ShipmentImportShown,
    )
    async def import_shipments(
        request: Request,
        account_id: AccountWanted,
        layout: LayoutWanted = None,
        carrier_code: CarrierWanted = None,
        order_column: Heading = None,
        number_column: Heading = None,
        carrier_column: Heading = None,
        day_column: Heading = None,
        is_dry_run: DryRun = False,  # noqa: FBT002  a query parameter
    ) -> Response:
        """Read a file of parcels in, in UTF-8 or cp932, of at most 1,000 rows; each row is checked as if it came alone.

        Files of ヤマト B2クラウド, 佐川 e飛伝, 日本郵便 ゆうプリR and a plain one are known by their headers; another
        names its columns. The same file for the same account acts once: 200 with what became of it then.
        """
        content = bytearray()

        async def take(piece: bytes) -> None:
            content.extend(piece)

        await uploads.receive(request, take)
        named = {ORDER: order_column, NUMBER: number_column, CARRIER: carrier_column, DAY: day_column}
        file = File(
            account_id=account_id,
            content=bytes(content),
            layout=layout,
            headings={name: heading for name, heading in named.items() if heading is not None},
            carrier=carrier_code,
            is_dry_run=is_dry_run,
        )

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            account = await accounts.get_visible(tx, account_id, who.shops)
            made, is_repeat = await shipment_imports.bring_in(tx, desk, file, account=account, by=who.subject)
            location = {"Location": f"/v1/order/shipment-imports/{made.id}"}
            return Answer(status=200 if is_repeat else 201, body=_show(made, is_repeat=is_repeat), headers=location)

        return (await db.run(work)).response()

    @routes.get("/v1/order/shipment-imports/{import_id}", dependencies=[require("orders:read")])
    async def get_shipment_import(request: Request, import_id: ImportId) -> ShipmentImportShown:
        """Look at a file that was read in."""
        async with db.begin() as tx:
            visible = await accounts.visible(tx, caller(request).shops)
            return _show(await shipment_imports.get_(tx, import_id, account_ids=visible), is_repeat=False)

    @routes.get("/v1/order/shipment-imports/{import_id}/rows", dependencies=[require("orders:read")])
    async def list_shipment_import_rows(
        request: Request,
        response: Response,
        import_id: ImportId,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors, which checks the other parameters too
    ) -> ShipmentRowPage:
        """List what became of each row, in the file's order."""
        start = cursors.start(request)
        async with db.begin() as tx:
            visible = await accounts.visible(tx, caller(request).shops)
            await shipment_imports.get_(tx, import_id, account_ids=visible)
            after = int(str(start[0])) if start else 0
            found = await store.list_rows(tx, import_id, after=after, limit=limit + 1)
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].number,) if len(found) > limit else None)
        return ShipmentRowPage(items=[ShipmentRowShown.model_validate(one) for one in page], next=following)

    return routes


def _show(made: ShipmentImport, *, is_repeat: bool) -> ShipmentImportShown:
    return ShipmentImportShown.model_validate(
        {**asdict(made), "unknown_columns": made.warnings, "is_repeat": is_repeat}
    )
