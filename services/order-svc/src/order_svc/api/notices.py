"""Receives what marketplaces push: believed by its key, stored as a hint, answered in the marketplace's own words."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from hanro.clock import Clock
from hanro.db import Database
from hanro.errors import NeedsSeller, Rejected, Unsupported
from hanro.log import logger
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, HttpAnswer, MarketplaceId, Supported
from hanro.web import Problem, body_limit, key_unused, open_to_all, router
from hanro.web.rates import Rates
from order_svc import accounts, notices
from order_svc.domain.accounts import Account
from order_svc.poller import Opener, PollMetrics

LOG = logger(__name__)
LARGEST_BYTES = 1024 * 1024
A_MINUTE = 1200
AccountId = Annotated[str, Path(max_length=64, description="acc_…")]


def make_routes(
    db: Database, plugins: Mapping[MarketplaceId, Plugin], open_: Opener, clock: Clock, metrics: PollMetrics
) -> APIRouter:
    """Make the route; `open_` opens a session, whose secrets a plug-in holds a notice against."""
    routes = router(["notices"])
    rates = Rates(A_MINUTE, clock)

    @routes.post(
        "/v1/order/notices/{account_id}",
        dependencies=[open_to_all(believes="the key in the notice"), body_limit(LARGEST_BYTES), key_unused()],
        # The marketplace writes the form of what comes and of what it wants to hear.
        include_in_schema=False,
    )
    async def take_notice(request: Request, account_id: AccountId) -> Response:
        """Take a marketplace's notice down and answer once it is stored."""
        _check_rate(rates, account_id)
        account, plugin = await _find(db, plugins, account_id)
        try:
            opened = await open_(account.id, heard=account, purpose="notices")
        except (NeedsSeller, Rejected, Unsupported):
            # To strangers an account that cannot be read is as one that is not there.
            raise _unknown() from None
        body, headers = await request.body(), dict(request.headers)
        # A megabyte of XML takes its time, which the requests of others must not wait for.
        read = await asyncio.to_thread(plugin.read_notice, body, headers, opened.session.secrets)
        if not read.notices:
            metrics.noticed(account.marketplace_id, "refused", 1)
            return _reply(read.stored)
        try:
            new_count = await notices.take_down(db, account.id, read.notices)
        except Exception as error:
            # Whatever it was: nothing is stored, so the marketplace must be told to send it again.
            LOG.exception("a notice is not stored", account_id=account.id, error_type=type(error).__name__)
            metrics.noticed(account.marketplace_id, "failed", len(read.notices))
            return _reply(read.failed)
        metrics.noticed(account.marketplace_id, "new", new_count)
        metrics.noticed(account.marketplace_id, "known", len(read.notices) - new_count)
        return _reply(read.stored)

    return routes


async def _find(db: Database, plugins: Mapping[MarketplaceId, Plugin], account_id: str) -> tuple[Account, Plugin]:
    account = await accounts.find(db, account_id)
    plugin = plugins.get(MarketplaceId(account.marketplace_id)) if account and account.is_working else None
    if account is None or plugin is None or not isinstance(plugin.capabilities.get(Capability.NOTICES), Supported):
        raise _unknown()
    return account, plugin


def _check_rate(rates: Rates, account_id: str) -> None:
    turn = rates.take(account_id)
    if not turn.is_granted:
        raise Problem(
            status=429,
            code="too-many-requests",
            detail=f"More than {turn.limit} notices a minute.",
            headers={"Retry-After": str(turn.seconds)},
            is_retryable=True,
        )


def _unknown() -> Rejected:
    return Rejected("There is no such account, or its marketplace pushes no notices.", code="not-found")


def _reply(answer: HttpAnswer) -> Response:
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
