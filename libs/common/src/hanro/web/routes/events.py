"""Serves a service's facts to those who do not read Kafka: the same facts, 30 days, without gaps."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request

from hanro import archive
from hanro.archive import ArchivedEvent
from hanro.auth import ALL_SHOPS
from hanro.db import Database
from hanro.web import openapi
from hanro.web.cursors import DEFAULT_PAGE, Limit
from hanro.web.guard import caller, require, router
from hanro.web.problems import Problem
from hanro.web.shapes import Shown

LARGEST_POSITION = 2**63 - 1


class EventShown(Shown):
    """A fact as it was published: its place, its CloudEvents attributes and its data."""

    position: int
    """Its place among all facts of the service; positions have no gaps."""
    id: str
    """evt_…: the same on Kafka and in replays; a fact that comes twice has it twice."""
    type: str
    """For example `hanro.order.placed.v1`; docs/asyncapi.json has the schema of `data`."""
    topic: str
    """The Kafka topic that it was published to."""
    subject: str
    """Id of the aggregate that it restates."""
    published_at: datetime
    """When Kafka had taken it."""
    attributes: dict[str, str]
    """CloudEvents attributes: source, time, correlationid …"""
    data: dict[str, Any]
    """The whole aggregate as it was then, with its `version`."""


class EventPage(Shown):
    """Facts, oldest first. Ask again with `after` = `next`; an empty page says that there is nothing newer."""

    items: list[EventShown]
    """Oldest first."""
    next: int
    """What to pass as `after` next time."""


def event_routes(noun: str, scope: str, db: Database) -> APIRouter:
    """Make `/v1/<noun>/events?after=`."""
    routes = router(["events"])

    @routes.get(
        f"/v1/{noun}/events", dependencies=[require(scope)], response_model=EventPage, responses=openapi.problems(410)
    )
    async def list_events(
        request: Request,
        after: Annotated[int, Query(ge=0, le=LARGEST_POSITION, description="Position of the last one known")] = 0,
        limit: Limit = DEFAULT_PAGE,
    ) -> EventPage:
        """List facts behind a position, oldest first; 0 starts with the oldest that is kept."""
        if ALL_SHOPS not in caller(request).shops:
            raise Problem(
                status=403, code="shops-limited", detail="Facts of all shops are read by callers of all shops."
            )
        await check_kept(db, after)
        found = await archive.events_after(db, after, limit)
        return EventPage(items=[_shown(event) for event in found], next=found[-1].position if found else after)

    return routes


async def check_kept(db: Database, after: int) -> None:
    """Let a caller go on only where no fact behind a position is missing; 0 means whatever is kept.

    Raises:
        Problem: 410 `events-gone`.
    """
    oldest = await archive.oldest_position(db) if after else 0
    if after + 1 < oldest:
        raise Problem(
            status=410,
            code="events-gone",
            detail=f"Facts behind {after} are no longer kept: the oldest is {oldest}. "
            f"Go on with after={oldest - 1}, and read anew what you missed.",
        )


def _shown(event: ArchivedEvent) -> EventShown:
    attributes = {
        name.removeprefix("ce_"): value.decode(errors="replace")
        for name, value in event.headers
        if name.startswith("ce_") and name not in {"ce_id", "ce_type"}
    }
    return EventShown(
        position=event.position,
        id=event.event_id,
        type=event.type,
        topic=event.topic,
        subject=event.key,
        published_at=event.published_at,
        attributes=attributes,
        data=json.loads(event.data),
    )
