"""Vends credentials to the other services, on the internal port."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from account_svc.accounts import credentials
from account_svc.accounts.credentials import Safe, Use
from account_svc.accounts.linking import Plugins
from account_svc.api.bodies import VendBody
from hanro import web
from hanro.clock import Clock
from hanro.db import Database
from hanro.errors import Rejected
from hanro.web import Problem
from hanro.web.shapes import Shown


class VendedShown(Shown):
    """Credentials by form field, the version that they are, and the link that they belong to."""

    values: dict[str, str] = Field(repr=False)
    version: int
    stored_at: datetime
    account_epoch: int
    marketplace_id: str


def make_routes(db: Database, clock: Clock, plugins: Plugins, safe: Safe) -> APIRouter:
    """Make the internal route of credentials."""
    router = web.router(["internal"])

    @router.post(
        "/internal/v1/accounts/{account_id}/credentials:vend", dependencies=[web.require("internal:credentials")]
    )
    async def vend(request: Request, account_id: Annotated[str, Path(max_length=64)], body: VendBody) -> VendedShown:
        """Give an account's credentials to a service; who, what for and which version is kept."""
        use = Use(caller=web.caller(request).subject, service=body.service, purpose=body.purpose, at=clock.now())
        try:
            vended = await credentials.vend(db, safe, plugins, account_id, use)
        except Rejected as refusal:
            if refusal.code != credentials.UNLINKING:
                raise
            raise Problem(status=410, code=refusal.code, detail=refusal.why) from None
        return VendedShown(
            values=dict(vended.secrets.values),
            version=vended.secrets.version,
            stored_at=vended.secrets.stored_at,
            account_epoch=vended.account_epoch,
            marketplace_id=vended.marketplace_id,
        )

    return router
