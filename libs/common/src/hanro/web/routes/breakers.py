"""Serves the state of a service's breakers: which calls it holds back, until when, and why."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from hanro import breaker
from hanro.db import Database
from hanro.web.cursors import DEFAULT_PAGE, Cursors, CursorText, Limit
from hanro.web.guard import require, router

SCOPE = "ops"


class BreakerShown(BaseModel):
    """An API group of an account that fails; "*" is the whole account, without `open_until` calls go on."""

    model_config = ConfigDict(from_attributes=True)

    account_id: str
    api_group: str
    open_until: datetime | None
    reason: str
    failure_count: int
    changed_at: datetime


class Breakers(BaseModel):
    """Breakers that are not at rest, by account and group."""

    items: list[BreakerShown]
    next: str | None


def breaker_routes(noun: str, db: Database, cursors: Cursors) -> APIRouter:
    """Make `/v1/<noun>/breakers`."""
    routes = router(["breakers"])

    @routes.get(f"/v1/{noun}/breakers", dependencies=[require(SCOPE)], response_model=Breakers)
    async def list_breakers(
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors, which checks the other parameters too
        account_id: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Breakers:
        """List breakers that are not at rest, by account and group."""
        start = cursors.start(request)
        after = (str(start[0]), str(start[1])) if start else ("", "")
        found = await breaker.list_(db, limit=limit + 1, account_id=account_id, after=after)
        page = found[:limit]
        last = (page[-1].account_id, page[-1].api_group) if len(found) > limit else None
        following = cursors.link(request, response, last)
        return Breakers(items=[BreakerShown.model_validate(state) for state in page], next=following)

    return routes
