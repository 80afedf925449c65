"""Serves the switches of accounts: which work is done, and whether an account only observes."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from account_svc.accounts import linking
from account_svc.api.permissions import check_account
from account_svc.api.switch_shapes import SwitchesBody, SwitchesPatch, SwitchesShown, show_switches
from account_svc.store import accounts as store
from hanro import web
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.web import Answer

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]


def make_routes(db: Database, clock: Clock) -> APIRouter:
    """Make the routes of switches; `GET /v1/accounts/{account_id}` shows them too."""
    router = web.router(["accounts"])

    @router.get("/v1/accounts/{account_id}/switches", dependencies=[web.require("accounts:read")])
    async def get_switches(request: Request, response: Response, account_id: AccountId) -> SwitchesShown:
        """Show which work is done for an account."""
        async with db.begin() as tx:
            account = check_account(request, await store.get_account(tx, account_id))
        response.headers["ETag"] = web.etag(account.version)
        return show_switches(account.switches)

    @router.put(
        "/v1/accounts/{account_id}/switches", dependencies=[web.require("accounts:write")], response_model=SwitchesShown
    )
    async def set_switches(request: Request, account_id: AccountId, body: SwitchesBody) -> Response:
        """Say of all work whether it is done for an account; every service follows within seconds.

        What has left already stays true. Nothing that was suppressed or observed is sent when it is switched on again.
        """
        return await _switch(request, account_id, body)

    @router.patch(
        "/v1/accounts/{account_id}/switches", dependencies=[web.require("accounts:write")], response_model=SwitchesShown
    )
    async def change_switches(request: Request, account_id: AccountId, body: SwitchesPatch) -> Response:
        """Switch some of an account's work on or off; what is left out stays as it is."""
        return await _switch(request, account_id, body)

    async def _switch(request: Request, account_id: str, body: SwitchesBody | SwitchesPatch) -> Response:
        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            web.require_match(request, account.version)
            after = await linking.switch_work(tx, account, body.apply(account.switches), clock.now())
            return Answer(body=show_switches(after.switches), headers={"ETag": web.etag(after.version)})

        return (await db.run(work)).response()

    return router
