"""Serves who issues an account's qualified invoices: naming, and naming nobody."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from account_svc.accounts import issuers
from account_svc.api.issuer_shapes import IssuerBody, IssuerShown, show_issuer
from account_svc.api.permissions import check_account
from account_svc.domain.accounts import Issuer
from account_svc.domain.issuers import find_fault_of_name, find_fault_of_number
from account_svc.store import accounts as store
from hanro import web
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.web import Answer, FieldFault, Problem

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]


def make_routes(db: Database, clock: Clock) -> APIRouter:
    """Make the routes of issuers; `GET /v1/accounts/{account_id}` shows who it is."""
    router = web.router(["accounts"])

    @router.put(
        "/v1/accounts/{account_id}/issuer", dependencies=[web.require("accounts:write")], response_model=IssuerShown
    )
    async def name_issuer(request: Request, account_id: AccountId, body: IssuerBody) -> Response:
        """Name who issues the account's qualified invoices; whoever reads facts of accounts learns of it.

        The check digit is verified; whether the number is registered is not asked anywhere.
        """

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            web.require_match(request, account.version)
            _check(body)
            issuer = Issuer(name=body.name, number=body.number)
            after = await issuers.state(tx, account, issuer, clock.now())
            return Answer(body=show_issuer(after.issuer), headers={"ETag": web.etag(after.version)})

        return (await db.run(work)).response()

    @router.delete("/v1/accounts/{account_id}/issuer", dependencies=[web.require("accounts:write")], status_code=204)
    async def forget_issuer(request: Request, account_id: AccountId) -> Response:
        """Name nobody: the account issues no qualified invoices. Where nobody was named nothing changes."""

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            after = await issuers.state(tx, account, None, clock.now())
            return Answer(status=204, headers={"ETag": web.etag(after.version)})

        return (await db.run(work)).response()

    return router


def _check(body: IssuerBody) -> None:
    found = {"/name": find_fault_of_name(body.name), "/number": find_fault_of_number(body.number)}
    faults = [
        FieldFault(code=unfit.code, detail=f"{unfit.why.en} / {unfit.why.ja}", pointer=pointer)
        for pointer, unfit in found.items()
        if unfit is not None
    ]
    if faults:
        words = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
        raise Problem(status=422, code="issuer-malformed", detail=f"Nothing was stored: {words}", errors=faults)
