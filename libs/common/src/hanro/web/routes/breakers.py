"""Serves the state of a service's breakers: which calls it holds back, until when, and why."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from hanro import breaker
from hanro.db import Database
from hanro.web.cursors import DEFAULT_PAGE, Cursors, CursorText, Limit
from hanro.web.guard import require, router
from hanro.web.shapes import NextCursor, Shown

SCOPE = "ops"


class BreakerShown(Shown):
    """An API group of an account that fails; "*" is the whole account, without `open_until` calls go on."""

    account_id: str
    """The account whose calls fail."""
    api_group: str
    """What the marketplace counts together; "*" is the whole account: its key was refused."""
    open_until: datetime | None
    """No call begins before; after it one call finds out. Null: calls go on, failures are counted."""
    reason: str
    """Stable code of the last failure."""
    failure_count: int
    """Failures in a row."""
    changed_at: datetime
    """When the last failure was counted."""


class BreakerPage(Shown):
    """Breakers that are not at rest, by account and group."""

    items: list[BreakerShown]
    """By account and group."""
    next: NextCursor


def breaker_routes(noun: str, db: Database, cursors: Cursors) -> APIRouter:
    """Make `/v1/<noun>/breakers`."""
    routes = router(["breakers"])

    @routes.get(f"/v1/{noun}/breakers", dependencies=[require(SCOPE)], response_model=BreakerPage)
    async def list_breakers(
        request: Request,
        response: Response,
        account_id: Annotated[str | None, Query(max_length=200, description="Only those of this account")] = None,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> BreakerPage:
        """List breakers that are not at rest, by account and group."""
        del cursor
        start = cursors.start(request)
        after = (str(start[0]), str(start[1])) if start else ("", "")
        found = await breaker.list_(db, account_id=account_id, after=after, limit=limit + 1)
        page = found[:limit]
        last = (page[-1].account_id, page[-1].api_group) if len(found) > limit else None
        return BreakerPage(
            items=[BreakerShown.model_validate(state) for state in page], next=cursors.link(request, response, last)
        )

    return routes
