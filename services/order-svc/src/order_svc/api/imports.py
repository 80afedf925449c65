"""Serves imports of order files: one takes a file in, the others show how far it is and what became of its rows."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.errors import LocalizedText
from hanro.marketplace import HeaderFault
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import CsvLayout, MarketplaceId
from hanro.web import (
    DEFAULT_PAGE,
    Answer,
    Cursors,
    CursorText,
    FieldFault,
    Idempotency,
    Limit,
    Problem,
    caller,
    file_body,
    require,
    router,
    uploads,
)
from order_svc import accounts, imports
from order_svc.api.import_shapes import (
    ImportAsked,
    ImportPageShown,
    ImportShown,
    LayoutsShown,
    RowOutcome,
    RowPageShown,
    show_import,
    show_layout,
    show_row,
)
from order_svc.domain.merging import Mode
from order_svc.imports import Asked, HeaderRefused, Upload
from order_svc.imports.accepting import Plugins, layouts_of
from order_svc.store.imports import Import

ImportId = Annotated[str, Path(max_length=64, description="imp_…")]
AccountGiven = Annotated[
    str | None, Query(min_length=1, max_length=64, description="The account, where no form says it")
]
ModeGiven = Annotated[
    Mode | None, Query(description="`update` (更新, the default): blank keeps; `overwrite` (書換): blank clears")
]
DryGiven = Annotated[bool | None, Query(description="Find out what would become of each row, and store nothing")]
StockGiven = Annotated[bool | None, Query(description="Let the file's orders hold stock like any other")]
AccountFilter = Annotated[str | None, Query(max_length=64, description="Only those of this account")]
OutcomeFilter = Annotated[RowOutcome | None, Query(description="Only rows of which became this")]
MarketplaceFilter = Annotated[str | None, Query(max_length=64, description="Only those of this marketplace")]

_HEADER = LocalizedText(
    ja="見出しの項目名を直すか、マーケットプレイスからファイルをダウンロードし直してください。",
    en="Mend the names in the header, or download the file from the marketplace again.",
)
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file", "account_id"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The file, with a file name"},
        "account_id": {"type": "string", "description": "The account whose orders the file holds"},
        "mode": {"type": "string", "enum": ["update", "overwrite"], "default": "update"},
        "dry_run": {"type": "boolean", "default": False},
        "reserves_stock": {"type": "boolean", "default": False},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file as the marketplace gives it (cp932 or UTF-8), raw or in a form",
        "content": {
            uploads.CSV: {"schema": {"type": "string", "format": "binary"}},
            uploads.FORM: {"schema": _FORM},
        },
    }
}


def make_routes(
    db: Database,
    keyring: Keyring,
    idempotency: Idempotency,
    cursors: Cursors,
    plugins: Plugins,
    *,
    largest_bytes: int,
) -> APIRouter:
    """Make the routes; a file has at most `largest_bytes`."""
    routes = router(["imports"])
    _add_taking(routes, db, keyring, idempotency, plugins, largest_bytes)
    _add_looking(routes, db, cursors, plugins)
    return routes


def _add_taking(
    routes: APIRouter,
    db: Database,
    keyring: Keyring,
    idempotency: Idempotency,
    plugins: Plugins,
    largest_bytes: int,
) -> None:
    @routes.post(
        "/v1/order/imports",
        dependencies=[require("orders:write"), file_body(largest_bytes)],
        status_code=202,
        response_model=ImportShown,
        openapi_extra=_BODY,
    )
    async def import_orders(
        request: Request,
        account_id: AccountGiven = None,
        mode: ModeGiven = None,
        dry_run: DryGiven = None,
        reserves_stock: StockGiven = None,
    ) -> Response:
        """Take a file of orders in, as the marketplace gives it for download.

        The layout is recognised by the header; a column that is missing, renamed or doubled is refused by name. The
        answer is an import: watch it until it is `done`. Each order is one order, however often it is imported or
        shown by the marketplace; what the marketplace showed itself is not overridden. The orders become
        `in_progress`, nothing is sent to the marketplace, no message goes out, and stock is not moved unless
        `reserves_stock` asks for it. A row that cannot be read takes its order with it and no other.
        """
        query = {"account_id": account_id, "mode": mode, "dry_run": dry_run, "reserves_stock": reserves_stock}
        upload = Upload(db, keyring)
        await upload.begin()
        answer = None
        try:
            fields = await uploads.receive(request, upload.take)
            await upload.end()
            asked = _asked({name: value for name, value in query.items() if value is not None} | fields)
            who = caller(request)

            async def work(tx: Transaction) -> Answer:
                account_ids = await accounts.visible(tx, who.shops)
                found = await imports.accept(tx, plugins, upload, asked, account_ids=account_ids, by=who.subject)
                return Answer(
                    status=202,
                    body=show_import(found, _layout(plugins, found)),
                    headers={"Location": f"/v1/order/imports/{found.id}"},
                )

            said = repr(sorted(fields.items())).encode() + upload.digest
            answer = await idempotency.once(request, work, body=said)
        except HeaderRefused as refused:
            raise _header_problem(refused) from None
        finally:
            # What a key that came before stands for was taken in then.
            await upload.drop()
        return answer


def _add_looking(routes: APIRouter, db: Database, cursors: Cursors, plugins: Plugins) -> None:
    @routes.get("/v1/order/imports", dependencies=[require("orders:read")])
    async def list_imports(
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors
        account_id: AccountFilter = None,
    ) -> ImportPageShown:
        """List imports of files, the last one first; they are kept for 30 days."""
        start = cursors.start(request)
        async with db.begin() as tx:
            account_ids = await accounts.visible(tx, caller(request).shops)
            if account_id is not None:
                account_ids = [account_id] if account_ids is None or account_id in account_ids else []
            found = await imports.list_(
                tx, account_ids=account_ids, before_id=str(start[0]) if start else None, limit=limit + 1
            )
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].id,) if len(found) > limit else None)
        return ImportPageShown(items=[show_import(one, _layout(plugins, one)) for one in page], next=following)

    @routes.get("/v1/order/imports/{import_id}", dependencies=[require("orders:read")])
    async def get_import(request: Request, import_id: ImportId) -> ImportShown:
        """Look how far an import is, and what became of its orders."""
        async with db.begin() as tx:
            found = await imports.get_(tx, import_id, account_ids=await accounts.visible(tx, caller(request).shops))
        return show_import(found, _layout(plugins, found))

    @routes.get("/v1/order/imports/{import_id}/rows", dependencies=[require("orders:read")])
    async def list_import_rows(
        request: Request,
        response: Response,
        import_id: ImportId,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors
        outcome: OutcomeFilter = None,
    ) -> RowPageShown:
        """List what became of an import's rows, in the file's order; rows of which is not known yet are left out."""
        start = cursors.start(request)
        async with db.begin() as tx:
            await imports.get_(tx, import_id, account_ids=await accounts.visible(tx, caller(request).shops))
            found = await imports.list_rows(
                tx, import_id, outcome=outcome, after=int(start[0]) if start else 0, limit=limit + 1
            )
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].number,) if len(found) > limit else None)
        return RowPageShown(items=[show_row(one) for one in page], next=following)

    @routes.get("/v1/order/layouts", dependencies=[require("orders:read")])
    async def list_layouts(marketplace_id: MarketplaceFilter = None) -> LayoutsShown:
        """List the files of orders that can be imported: their columns, and where the marketplace gives them."""
        if marketplace_id is not None:
            wanted = MarketplaceId(marketplace_id)
            return LayoutsShown(layouts=[show_layout(wanted, one) for one in layouts_of(plugins, wanted)])
        found = sorted(plugins.items())
        return LayoutsShown(
            layouts=[show_layout(name, one) for name, plugin in found for one in plugin.order_layouts if one.read]
        )


def _asked(said: dict[str, Any]) -> Asked:
    try:
        found = ImportAsked.model_validate(said)
    except ValidationError as error:
        faults = [{**dict(one), "loc": ("body", *one["loc"])} for one in error.errors(include_input=False)]
        raise RequestValidationError(faults) from None
    return Asked(
        account_id=found.account_id,
        mode=found.mode,
        is_dry_run=found.dry_run,
        reserves_stock=found.reserves_stock,
    )


def _layout(plugins: Plugins, found: Import) -> CsvLayout | None:
    plugin: Plugin | None = plugins.get(MarketplaceId(found.marketplace_id))
    wanted = (found.layout, found.layout_version)
    layouts = plugin.order_layouts if plugin else ()
    return next((one for one in layouts if (one.name, one.version) == wanted), None)


def _header_problem(refused: HeaderRefused) -> Problem:
    faults = [FieldFault(code=one.code, detail=_told(one), pointer="/file") for one in refused.faults]
    return Problem(
        status=422,
        code="header-refused",
        detail="The file's header is refused: " + "; ".join(fault.detail for fault in faults[:10]) + ".",
        errors=faults,
        remedy=_HEADER,
    )


def _told(fault: HeaderFault) -> str:
    match fault.code:
        case "column-missing":
            alike = f"; the file has {fault.alike}, is that it?" if fault.alike else ""
            return f"the column {fault.column} is missing{alike}"
        case "column-doubled":
            return f"the column {fault.column} stands twice"
        case _:
            return "the first row names no column of a layout that is known here"
