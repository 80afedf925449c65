"""Serves who did what."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from account_svc.store import audit as store
from hanro import web
from hanro.db import Database
from hanro.web import Cursors, CursorText, Limit
from hanro.web.shapes import NextCursor, Shown


class AuditEntryShown(Shown):
    """Something that somebody changed."""

    at: datetime
    """When."""
    subject: str
    """Subject of the token that did it."""
    action: str
    """What was done: `link`, `describe`, `store-credentials`, `disable`, `tick-checklist`, `unlink`, `open-shop` …"""
    account_id: str | None
    """The account it was done to; null: it was a shop."""
    shop_ids: list[str]
    """The internal shops that it concerned."""
    changed: list[str]
    """Names of what changed, never what it was or is."""
    correlation_id: str | None
    """The request's X-Correlation-Id: logs and facts carry it too."""


class EntryPage(Shown):
    """What was changed, newest first."""

    items: list[AuditEntryShown]
    """Newest first."""
    next: NextCursor


def make_routes(db: Database, cursors: Cursors) -> APIRouter:
    """Make the routes of the audit log."""
    router = web.router(["audit"])

    @router.get("/v1/account/audit", dependencies=[web.require("accounts:read")])
    async def list_deeds(
        request: Request,
        response: Response,
        account_id: Annotated[str | None, Query(max_length=64, description="Only those about this account")] = None,
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> EntryPage:
        """List who changed what of the accounts and shops that the caller may see, newest first; kept for two years."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            found = await store.list_entries(
                tx,
                shop_ids=web.visible_shops(request),
                account_id=account_id,
                before=int(position[0]) if position else None,
                limit=limit + 1,
            )
        following = cursors.link(request, response, (found[limit - 1].position,) if len(found) > limit else None)
        items = [AuditEntryShown.model_validate(one, from_attributes=True) for one in found[:limit]]
        return EntryPage(items=items, next=following)

    return router
