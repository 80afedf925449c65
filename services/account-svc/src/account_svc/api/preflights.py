"""Serves preflights: asking for one, and what the last ones found."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from account_svc.accounts import linking, preflights
from account_svc.accounts.linking import Plugins
from account_svc.api.permissions import check_account
from account_svc.api.preflight_shapes import PreflightPage, PreflightShown
from account_svc.api.preflight_views import show_preflight
from account_svc.store import accounts as account_rows
from account_svc.store import preflights as store
from hanro import web
from hanro.db import Database, Transaction
from hanro.marketplace.types import MarketplaceId
from hanro.operations import Operation
from hanro.web import Answer, Cursors, CursorText, Idempotency, Limit
from hanro.web.routes.operations import OperationShown, shown

NOUN = "account"


class PreflightAccepted(OperationShown):
    """A preflight that was asked for, and how long it takes at most where nothing is in its way."""

    estimated_seconds: int
    """How long it takes at most."""


def show_accepted(operation: Operation) -> OperationShown:
    """Show an operation that was just accepted."""
    return shown(operation)


def make_routes(db: Database, idempotency: Idempotency, cursors: Cursors, plugins: Plugins) -> APIRouter:
    """Make the routes of preflights."""
    router = web.router(["accounts"])

    @router.post(
        "/v1/accounts/{account_id}:preflight",
        dependencies=[web.require("accounts:write")],
        status_code=202,
        response_model=PreflightAccepted,
    )
    async def preflight_account(
        request: Request, account_id: Annotated[str, Path(max_length=64, description="acc_…")]
    ) -> Response:
        """Ask for a preflight: a row per grant, nothing is changed at the marketplace.

        Who asks while one waits to begin joins it. Who asks while one runs has the next one, together with all others
        who do: what runs may have asked before something was switched on. Watch it by the account's `preflight`.
        """

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await account_rows.lock_account(tx, account_id))
            plugin = linking.find_plugin(plugins, account.marketplace_id)
            operation = await preflights.request(tx, account, plugin, web.caller(request).subject)
            seconds = int(preflights.estimate(account, plugin).total_seconds())
            body = PreflightAccepted(**shown(operation).model_dump(), estimated_seconds=seconds)
            return web.accepted(NOUN, operation.id, body)

        return await idempotency.once(request, work)

    @router.get("/v1/accounts/{account_id}/preflights", dependencies=[web.require("accounts:read")])
    async def list_preflights(
        request: Request,
        response: Response,
        account_id: Annotated[str, Path(max_length=64, description="acc_…")],
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> PreflightPage:
        """List what an account's preflights found, newest first; one that runs shows what it found so far."""
        del cursor
        position = cursors.start(request)
        async with db.begin() as tx:
            account = check_account(request, await account_rows.get_account(tx, account_id))
            found = await store.list_preflights(
                tx, account.id, limit=limit + 1, before=str(position[0]) if position else None
            )
        plugin = plugins.get(MarketplaceId(account.marketplace_id))
        following = cursors.link(request, response, (found[limit - 1].id,) if len(found) > limit else None)
        return PreflightPage(items=[show_preflight(one, plugin) for one in found[:limit]], next=following)

    @router.get("/v1/accounts/{account_id}/preflights/{preflight_id}", dependencies=[web.require("accounts:read")])
    async def get_preflight(
        request: Request,
        account_id: Annotated[str, Path(max_length=64, description="acc_…")],
        preflight_id: Annotated[str, Path(max_length=64, description="pre_…")],
    ) -> PreflightShown:
        """Show one preflight; ask again while it runs: rows come in."""
        async with db.begin() as tx:
            account = check_account(request, await account_rows.get_account(tx, account_id))
            found = await store.get_preflight(tx, account.id, preflight_id)
        return show_preflight(found, plugins.get(MarketplaceId(account.marketplace_id)))

    return router
