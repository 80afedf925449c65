"""Serves unlinking: a plan first, then the unlink by its token, and linking the same shop again."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from account_svc.accounts.linking import Plugins
from account_svc.accounts.reading import pictures
from account_svc.accounts.unlinking import stopping
from account_svc.accounts.unlinking.plans import PlanExpired, Plans
from account_svc.api.account_shapes import AccountShown
from account_svc.api.account_views import show_account
from account_svc.api.permissions import check_account
from account_svc.api.preflights import NOUN
from account_svc.api.unlink_shapes import UnlinkBody, UnlinkPlanShown, show_plan
from account_svc.domain.accounts import State
from account_svc.store import accounts as store
from hanro import web
from hanro.clock import Clock
from hanro.db import Transaction
from hanro.marketplace.types import MarketplaceId
from hanro.web import Answer, Idempotency, Problem
from hanro.web.routes.operations import OperationShown, shown

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]


def make_routes(idempotency: Idempotency, clock: Clock, plugins: Plugins, plans: Plans) -> APIRouter:
    """Make the routes of unlinking."""
    router = web.router(["accounts"])

    @router.post(
        "/v1/accounts/{account_id}:plan-unlink",
        dependencies=[web.require("accounts:write")],
        response_model=UnlinkPlanShown,
    )
    async def plan_unlink(request: Request, account_id: AccountId) -> Response:
        """Say what an unlink would delete and what it leaves; nothing is changed. Its token is good for 15 minutes."""

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            return Answer(body=show_plan(account, await plans.plan(tx, account)))

        return await idempotency.once(request, work)

    @router.post(
        "/v1/accounts/{account_id}:unlink",
        dependencies=[web.require("accounts:write")],
        status_code=202,
        response_model=OperationShown,
    )
    async def unlink_account(request: Request, account_id: AccountId, body: UnlinkBody) -> Response:
        """Unlink an account by the token of its plan: hanro deletes what it holds, nothing is written there.

        The answer is an operation: it is applied once every service has let go; its `answer` names who has not yet.
        While it is under way the same operation is given again.
        """

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            running = await stopping.find_running(tx, account.id) if account.state is State.UNLINKING else None
            if running is None:
                try:
                    goes = await plans.check(tx, account, body.token)
                except PlanExpired:
                    raise _expired() from None
                running = await stopping.begin(tx, account, goes, clock.now(), by=web.caller(request).subject)
            return web.accepted(NOUN, running.id, shown(running))

        return await idempotency.once(request, work)

    @router.post(
        "/v1/accounts/{account_id}:link-again",
        dependencies=[web.require("accounts:write")],
        response_model=AccountShown,
    )
    async def link_account_again(request: Request, account_id: AccountId) -> Response:
        """Link the shop of an unlinked account again: a draft under the old id, its orders still there.

        Enter its credentials next. Templates are bound and offers mapped anew; nothing of before is sent.
        """

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            after = await stopping.link_again(tx, plugins, account, clock.now())
            plugin = plugins.get(MarketplaceId(after.marketplace_id))
            (picture,) = await pictures(tx, [after])
            return Answer(body=show_account(picture, plugin, clock.now()), headers={"ETag": web.etag(after.version)})

        return await idempotency.once(request, work)

    return router


def _expired() -> Problem:
    return Problem(
        status=410,
        code="plan-expired",
        detail="The plan is older than 15 minutes; nothing was unlinked. Ask for a plan again, read it, then unlink.",
    )
