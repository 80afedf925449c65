"""Serves the state of a service's breakers: which calls it holds back, until when, and why."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from hanro import breaker
from hanro.db import Database
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
    """Every breaker that is not at rest."""

    items: list[BreakerShown]


def breaker_routes(noun: str, db: Database) -> APIRouter:
    """Make `/v1/<noun>/breakers`."""
    routes = router(["breakers"])

    @routes.get(f"/v1/{noun}/breakers", dependencies=[require(SCOPE)], response_model=Breakers)
    async def list_breakers(account_id: Annotated[str | None, Query(max_length=200)] = None) -> Breakers:
        """List breakers that are not at rest, by account and group."""
        found = await breaker.list_(db, account_id=account_id)
        return Breakers(items=[BreakerShown.model_validate(state) for state in found])

    return routes
