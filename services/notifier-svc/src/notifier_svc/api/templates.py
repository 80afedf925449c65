"""Serves templates: save, show, list, preview."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from hanro import web
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.events.orders import StatedAmount
from hanro.web import Answer, Cursors, CursorText, Limit
from notifier_svc.api.shapes import (
    PreviewShown,
    TemplateBody,
    TemplateName,
    TemplateShown,
    TemplatesShown,
    refused,
    show_template,
)
from notifier_svc.domain.contacts import Contact, ContactLine, ContactParcel, Variables, variables_of
from notifier_svc.domain.templates import TemplateRefused
from notifier_svc.store import templates as store
from notifier_svc.templates import saving
from notifier_svc.templates.language import FILTERS, check
from notifier_svc.templates.rendering import Renderer
from notifier_svc.templates.variables import describe

LANGUAGE = f"""
A text of Jinja: `{{{{ variable }}}}`, `{{% if … %}}`, `{{% for line in lines %}}` and filters ({", ".join(FILTERS)}).
A line that holds one tag alone leaves no line behind. An unknown variable, bad syntax and too long a text are refused
with line and column. Variables:

{describe()}
"""


def make_routes(db: Database, cursors: Cursors, clock: Clock, renderer: Renderer) -> APIRouter:
    """Make the routes of templates."""
    router = web.router(["templates"])
    _add_reading(router, db, cursors)
    _add_saving(router, db, clock)

    @router.post(
        "/v1/templates:preview",
        dependencies=[web.require("templates:read"), web.key_unused()],
        description=f"Fill a template with a sample order; nothing is saved or sent.\n{LANGUAGE}",
    )
    async def preview_template(body: TemplateBody) -> PreviewShown:
        try:
            check(body.subject, body.body)
        except TemplateRefused as error:
            raise refused(error) from None
        rendered = renderer.render(body.subject, body.body, sample())
        return PreviewShown(subject=rendered.subject, body=rendered.body)

    return router


def _add_reading(router: APIRouter, db: Database, cursors: Cursors) -> None:
    @router.get("/v1/templates", dependencies=[web.require("templates:read")])
    async def list_templates(
        request: Request, response: Response, limit: Limit = web.DEFAULT_PAGE, cursor: CursorText = None
    ) -> TemplatesShown:
        """List templates by name, their current versions."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            found = await store.list_templates(tx, after=str(position[0]) if position else "", limit=limit + 1)
        following = cursors.link(request, response, (found[limit - 1].name,) if len(found) > limit else None)
        return TemplatesShown(items=[show_template(one) for one in found[:limit]], next=following)

    @router.get("/v1/templates/{name}", dependencies=[web.require("templates:read")])
    async def get_template(
        name: TemplateName,
        response: Response,
        version: Annotated[
            int | None, Query(ge=1, le=2**31, description="Of the kept versions; default: current")
        ] = None,
    ) -> TemplateShown:
        """Show a template; the current one's ETag guards the next save."""
        async with db.begin() as tx:
            found = await saving.get(tx, name, version)
        if version is None:
            response.headers["ETag"] = web.etag(found.version)
        return show_template(found)


def _add_saving(router: APIRouter, db: Database, clock: Clock) -> None:
    @router.put(
        "/v1/templates/{name}",
        dependencies=[web.require("templates:write")],
        response_model=TemplateShown,
        responses={201: {"model": TemplateShown, "description": "It is new"}},
        description="Save a template as its next version; all versions are kept. To change one that exists, "
        f"If-Match names the version that was read. Messages that are planned use the newest.\n{LANGUAGE}",
    )
    async def put_template(name: TemplateName, body: TemplateBody, request: Request) -> Response:
        def agree(stands: int | None) -> None:
            # A new one needs no version to have been read.
            if stands is not None or "if-match" in request.headers:
                web.require_match(request, stands)

        async def work(tx: Transaction) -> Answer:
            saved = await saving.save(
                tx,
                name=name,
                subject=body.subject,
                body=body.body,
                by=web.caller(request).subject,
                at=clock.now(),
                agree=agree,
            )
            return Answer(
                status=201 if saved.is_new else 200,
                body=show_template(saved.template),
                headers={"ETag": web.etag(saved.template.version)},
            )

        try:
            return (await db.run(work)).response()
        except TemplateRefused as error:
            raise refused(error) from None


def sample() -> Variables:
    """Give the variables of an order that never was."""
    price = StatedAmount(text="1980", amount="1980", currency="JPY")
    total = StatedAmount(text="4460", amount="4460", currency="JPY")
    contact = Contact(
        name="見本 花子",
        email=None,
        is_email_masked=True,
        external_id="999001-20260101-0000000001",
        placed_at=datetime(2026, 1, 1, 3, 4, tzinfo=UTC),
        lines=(ContactLine(title="見本の品", quantity=2, unit_price=price),),
        totals={
            "goods": StatedAmount(text="3960", amount="3960", currency="JPY"),
            "postage": StatedAmount(text="500", amount="500", currency="JPY"),
            "total": total,
            "payable": total,
        },
        parcels=(
            ContactParcel(
                carrier="見本運輸", number="123456789012", url="https://carrier.example.invalid/track?no=123456789012"
            ),
        ),
    )
    return variables_of(contact, shop_name="見本商店", zone=ZoneInfo("Asia/Tokyo"))
