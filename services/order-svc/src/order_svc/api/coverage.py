"""Serves how far each route of an account is read, what it can no longer show, and when a gap was filled by hand."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, Field

from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.events.orders import OrderState
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId, RouteKind, Window
from hanro.web import Answer, Idempotency, caller, require, router
from hanro.web.shapes import Body, Shown
from order_svc import accounts, coverage
from order_svc.coverage import RouteCoverage
from order_svc.store import notices

AccountWanted = Annotated[str, Query(max_length=64, description="The account")]
AccountId = Annotated[str, Path(max_length=64, description="acc_…")]


class Stretch(Shown):
    """A stretch of time."""

    start: datetime = Field(serialization_alias="from")
    """Its first moment."""
    end: datetime = Field(serialization_alias="to")
    """The first moment behind it."""


class RouteFailure(Shown):
    """What ended a run."""

    code: str
    """Stable name: `pagination-stuck`, `credential-refused` …"""
    why: str
    """One sentence, without buyer data."""
    at: datetime
    """When."""


class RouteShown(Shown):
    """One way to find an account's orders, and how far it was read."""

    route: str
    """The plug-in's name for it; orders name it as `first_seen_by`."""
    kind: RouteKind
    """`new`: orders as they come. `sweep`: all that are open, each time anew. `changes`: what became of others."""
    shows: list[OrderState]
    """The statuses in which it shows an order."""
    reach_days: float | None
    """How far back the marketplace shows orders by it; null: not documented."""
    oldest_at: datetime | None
    """The oldest moment that can be asked for now; null: not documented."""
    overlap_seconds: float
    """By how much windows overlap."""
    source: str
    """Where that is documented."""
    covered_until: datetime | None
    """All that it shows before is stored; null: nothing yet."""
    window: Stretch | None
    """What is being read; null: nothing just now."""
    last_run_at: datetime | None
    """When it was asked last."""
    last_done_at: datetime | None
    """When a window was read to its end last."""
    last_request_count: int | None
    """Requests that the last whole window (of a sweep: the whole reach) took."""
    last_error: RouteFailure | None
    """What ended the last run; null: nothing did since a window was read to its end."""
    backfill_required: Stretch | None
    """What it can no longer show and did not read in time; null: no gap."""


class CoverageShown(Shown):
    """How an account's orders are found: a row for each route, by name."""

    account_id: str
    """acc_…"""
    marketplace_id: str
    """Where."""
    last_notice_at: datetime | None
    """When the marketplace pushed a notice last; null: not in the last 30 days."""
    items: list[RouteShown]
    """By name."""


class GapFilled(Body):
    """Until when what a route could not show has been brought in another way."""

    to: AwareDatetime = Field(examples=["2026-01-31T09:00:00+09:00"])
    """Gaps that end then or before are closed."""


def make_routes(
    db: Database, idempotency: Idempotency, plugins: Mapping[MarketplaceId, Plugin], clock: Clock
) -> APIRouter:
    """Make the routes."""
    routes = router(["coverage"])

    async def look(tx: Transaction, request: Request, account_id: str) -> CoverageShown:
        account = await accounts.get_visible(tx, account_id, caller(request).shops)
        found = await coverage.list_(tx, account, plugins.get(MarketplaceId(account.marketplace_id)), at=clock.now())
        return CoverageShown(
            account_id=account.id,
            marketplace_id=account.marketplace_id,
            last_notice_at=await notices.find_last(tx, account.id),
            items=[_route(one) for one in found],
        )

    @routes.get("/v1/order/coverage", dependencies=[require("orders:read")], response_model=CoverageShown)
    async def get_coverage(request: Request, account_id: AccountWanted) -> CoverageShown:
        """Look how far each route of an account is read, how far back it reaches, and which gap it cannot fill."""
        async with db.begin() as tx:
            return await look(tx, request, account_id)

    @routes.post(
        "/v1/order/accounts/{account_id}:close-gap",
        dependencies=[require("orders:write")],
        response_model=CoverageShown,
    )
    async def close_gap(request: Request, account_id: AccountId, filled: GapFilled) -> object:
        """Say that gaps that end no later than a moment were filled another way, for example by a CSV import."""

        async def work(tx: Transaction) -> Answer:
            await accounts.get_visible(tx, account_id, caller(request).shops)
            await coverage.close_gaps(tx, account_id, until=filled.to)
            return Answer(body=await look(tx, request, account_id))

        return await idempotency.once(request, work)

    return routes


def _route(found: RouteCoverage) -> RouteShown:
    cursor, route, error = found.kept.cursor, found.route, found.kept.error
    return RouteShown(
        route=route.name,
        kind=route.kind,
        shows=sorted(status.value for status in route.shows),
        reach_days=None if route.reach is None else route.reach / timedelta(days=1),
        oldest_at=found.oldest_at,
        overlap_seconds=found.overlap.total_seconds(),
        source=route.source,
        covered_until=cursor.covered_until,
        window=_stretch(cursor.window),
        last_run_at=cursor.last_run_at,
        last_done_at=cursor.last_done_at,
        last_request_count=cursor.last_request_count,
        last_error=None if error is None else RouteFailure(code=error.code, why=error.why, at=error.at),
        backfill_required=_stretch(cursor.gap),
    )


def _stretch(window: Window | None) -> Stretch | None:
    return None if window is None else Stretch(start=window.start, end=window.end)
