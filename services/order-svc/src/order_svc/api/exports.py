"""Serves orders as CSV."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from starlette.requests import Request
from starlette.responses import StreamingResponse

from hanro.crypto import Keyring
from hanro.db import Database
from hanro.web import caller, may, require, router
from hanro.web.openapi import problems
from hanro.web.problems import FieldFault, Problem
from order_svc import accounts, exports
from order_svc.api.lists import (
    AccountFilter,
    FromFilter,
    MarketplaceFilter,
    NumberFilter,
    QuarantineFilter,
    ShopFilter,
    StatusFilter,
    TestFilter,
    ToFilter,
    WorkFilter,
)
from order_svc.domain.exports import COLUMNS, WITHOUT_BUYER
from order_svc.exports import Export
from order_svc.store.lists import Filter

PERSONAL = "orders:personal"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"text/csv": {"schema": {"type": "string"}}}},
    **problems(409),
}
_CHARSETS = {"cp932": "windows-31j", "utf-8-sig": "utf-8"}

Columns = Annotated[
    str | None,
    Query(
        max_length=2000,
        description="Names with commas between, in the file's order; without: all that show no buyer. Known: "
        + ", ".join(COLUMNS),
    ),
]
Encoding = Annotated[
    Literal["cp932", "utf-8-sig"],
    Query(description="`utf-8-sig` for most; `cp932` for older tools: what it lacks is refused, never replaced"),
]
Header = Annotated[Literal["ja", "en"], Query(description="Japanese headers, or the columns' names")]


def make_routes(db: Database, keyring: Keyring, *, most_rows: int = exports.MOST_CHECKED) -> APIRouter:
    """Make the route; files that are looked through before they leave have `most_rows` at most."""
    routes = router(["orders"])

    @routes.get("/v1/orders.csv", dependencies=[require("orders:read")], response_class=Response, responses=_FILE)
    async def export_orders(
        request: Request,
        columns: Columns = None,
        encoding: Encoding = "utf-8-sig",
        header: Header = "ja",
        account_id: AccountFilter = None,
        marketplace_id: MarketplaceFilter = None,
        shop_id: ShopFilter = None,
        status: StatusFilter = None,
        work_state: WorkFilter = None,
        external_id: NumberFilter = None,
        is_quarantined: QuarantineFilter = None,
        is_test: TestFilter = None,
        placed_from: FromFilter = None,
        placed_to: ToFilter = None,
    ) -> Response:
        """Export orders as CSV, a row for each line, the last order found first; filters are as those of the list.

        Columns that show the buyer need the scope orders:personal too. A file in cp932 has 100,000 rows at most.
        """
        names = _names(request, columns)
        async with db.begin() as tx:
            account_ids = await accounts.narrowed(
                tx, caller(request).shops, account_id=account_id, marketplace_id=marketplace_id, shop_id=shop_id
            )
        export = Export(
            wanted=Filter(
                account_ids=account_ids,
                statuses=status,
                work_state=work_state,
                external_id=external_id,
                is_quarantined=is_quarantined,
                is_test=is_test,
                placed_from=placed_from,
                placed_to=placed_to,
            ),
            columns=names,
            encoding=encoding,
            has_japanese_header=header == "ja",
        )
        lacking = await exports.find_unencodable(db, keyring, export, most_rows=most_rows)
        if lacking:
            raise Problem(
                status=409,
                code="text-unencodable",
                detail="Some characters are not in cp932: choose utf-8-sig, or leave those orders or columns out.",
                errors=[
                    FieldFault(
                        code="text-unencodable",
                        detail=f"row {one.row}, column {one.column}, character {one.position}: U+{one.code_point:04X}",
                        parameter="encoding",
                    )
                    for one in lacking
                ],
            )
        return StreamingResponse(
            exports.write(db, keyring, export),
            media_type=f"text/csv; charset={_CHARSETS[encoding]}",
            headers={"Content-Disposition": 'attachment; filename="orders.csv"'},
        )

    return routes


def _names(request: Request, columns: str | None) -> list[str]:
    names = list(WITHOUT_BUYER) if columns is None else [name.strip() for name in columns.split(",")]
    if unknown := [name for name in names if name not in COLUMNS]:
        known = ", ".join(COLUMNS)
        said = f"{len(unknown)} of the columns are not known; known: {known}"
        fault = FieldFault(code="column-unknown", detail=said, parameter="columns")
        raise Problem(status=422, code="request-malformed", detail=f"columns: {said}", errors=[fault])
    if any(COLUMNS[name].is_personal for name in names) and not may(request, PERSONAL):
        raise Problem(
            status=403,
            code="scope-missing",
            detail=f"The token does not carry the scope {PERSONAL}.",
            headers={"WWW-Authenticate": f'Bearer realm="hanro", error="insufficient_scope", scope="{PERSONAL}"'},
        )
    return names
