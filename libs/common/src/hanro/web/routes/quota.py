"""Serves how fast a service may call marketplaces, and how much of that it uses: what the pacer's rows say."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from hanro import pacer
from hanro.db import Database, Transaction
from hanro.marketplace.types import ApiGroup, Limits, MarketplaceId
from hanro.web.cursors import DEFAULT_PAGE, Cursors, CursorText, Limit
from hanro.web.guard import require, router
from hanro.web.shapes import NextCursor, Shown

SCOPE = "ops"

MarketplacesOf = Callable[[Transaction, Sequence[str]], Awaitable[Mapping[str, str]]]
"""Give the marketplaces of accounts, by account; those that are not known are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Be what says how fast a service may call: the limits of installed marketplaces, and whose account is where."""

    service: str
    limits: Mapping[MarketplaceId, Limits]
    marketplaces_of: MarketplacesOf


class LimitShown(Shown):
    """What the marketplace allows an account in a group, all services together."""

    request_count: int
    """Requests in each period."""
    period_seconds: float
    """How long the requests are counted."""
    burst_count: int
    """Requests that may leave at once after a rest."""
    source: str
    """Where that is written."""


class QuotaShown(Shown):
    """How an API group of an account stands; what belongs to a marketplace that is not installed here is null."""

    account_id: str
    """The account that is called for."""
    marketplace_id: str | None
    """Where that is; null: this service has not heard of the account."""
    api_group: str
    """What the marketplace counts together."""
    limit: LimitShown | None
    """What the marketplace allows; null where its plug-in is not installed."""
    share: float | None
    """This service's part of the limit, 0 to 1. A draft's preflight may use all of it."""
    seconds_between_requests: float | None
    """At this service's share, times `slowdown`."""
    slowdown: float
    """1: the full pace. Doubled, up to 8, each time that the marketplace says "too many"; each served request
    takes 15% of it away."""
    is_narrowed: bool
    """The marketplace lately said "too many"."""
    used_count: int | None
    """Of the requests that may leave at once, how many have left and are not regained yet."""
    waiting_count: int | None
    """Requests that stand in line."""
    next_at: datetime | None
    """When a request that asks now may leave; null: at once."""


class QuotaPage(Shown):
    """Groups that were used at least once, by account and group."""

    items: list[QuotaShown]
    """By account and group."""
    next: NextCursor


def quota_routes(noun: str, db: Database, cursors: Cursors, rules: Rules) -> APIRouter:
    """Make `/v1/<noun>/quota`."""
    routes = router(["quota"])

    @routes.get(f"/v1/{noun}/quota", dependencies=[require(SCOPE)], response_model=QuotaPage)
    async def list_quota(
        request: Request,
        response: Response,
        account_id: Annotated[str | None, Query(max_length=200, description="Only those of this account")] = None,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> QuotaPage:
        """List how fast this service may call for each account and API group, and how much of it is used now.

        A group that was never called has no entry: its first request may leave at once.
        """
        del cursor
        start = cursors.start(request)
        async with db.begin() as tx:
            after = (str(start[0]), str(start[1])) if start else None
            found = await pacer.list_(tx, limit=limit + 1, account_id=account_id, after=after)
            marketplaces = await rules.marketplaces_of(tx, sorted({one.account_id for one in found}))
        page = found[:limit]
        last = (page[-1].account_id, page[-1].slot.api_group) if len(found) > limit else None
        return QuotaPage(
            items=[_shown(rules, one, marketplaces.get(one.account_id)) for one in page],
            next=cursors.link(request, response, last),
        )

    return routes


def _shown(rules: Rules, kept: pacer.Kept, marketplace_id: str | None) -> QuotaShown:
    slot = kept.slot
    known = rules.limits.get(MarketplaceId(marketplace_id or ""))
    group = known.groups.get(slot.api_group) if known else None
    share = group.shares.get(rules.service) if group else None
    gauge = None
    if group and share:
        gauge = pacer.gauge(slot, pacer.pace_of(group, rules.service, is_alone=False), kept.read_at)
    return QuotaShown(
        account_id=kept.account_id,
        marketplace_id=marketplace_id,
        api_group=slot.api_group,
        limit=_limit(group) if group else None,
        share=float(share) if share else None,
        seconds_between_requests=gauge.step.total_seconds() if gauge else None,
        slowdown=slot.slowdown,
        is_narrowed=slot.slowdown > 1,
        used_count=gauge.used_count if gauge else None,
        waiting_count=gauge.waiting_count if gauge else None,
        next_at=gauge.next_at if gauge else None,
    )


def _limit(group: ApiGroup) -> LimitShown:
    return LimitShown(
        request_count=group.request_count,
        period_seconds=group.period.total_seconds(),
        burst_count=group.burst,
        source=group.source,
    )
