"""Serves an account's credentials: storing, promoting and withdrawing candidates, who used them; never a value."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from account_svc.accounts import credentials, linking, preflights, rotation, shop_keys
from account_svc.accounts.credentials import CredentialsMalformed
from account_svc.api.accounts import Desk
from account_svc.api.bodies import CredentialsBody
from account_svc.api.credential_shapes import UsePage
from account_svc.api.credential_views import show_use
from account_svc.api.permissions import check_account, may_see
from account_svc.api.preflights import NOUN, show_accepted
from account_svc.domain.transitions import Deed, require
from account_svc.store import accounts as account_rows
from account_svc.store import credentials as store
from hanro import web
from hanro.db import Transaction
from hanro.web import Answer, CursorText, FieldFault, Limit, Problem
from hanro.web.routes.operations import OperationShown

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]
CREDENTIALS_BODY_BYTES = 64 * 1024


def make_routes(desk: Desk) -> APIRouter:
    """Make the routes of credentials."""
    router = web.router(["accounts"])
    _add_storing(router, desk)
    _add_candidates(router, desk)
    _add_uses(router, desk)
    return router


def _add_storing(router: APIRouter, desk: Desk) -> None:
    @router.put(
        "/v1/accounts/{account_id}/credentials",
        dependencies=[web.require("accounts:write"), web.body_limit(CREDENTIALS_BODY_BYTES), web.any_version()],
        status_code=202,
        response_model=OperationShown,
    )
    async def store_credentials(request: Request, account_id: AccountId, body: CredentialsBody) -> Response:
        """Store an account's credentials and check them at the marketplace; they are never given back.

        Where others work they go on until the new ones have passed their probes; those are a candidate until then. The
        operation is the preflight, or the candidate's rotation. Well-formed credentials are stored even where the
        marketplace then refuses them, or where nothing of it can be called in this version: the operation is rejected.
        """

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await account_rows.lock_account(tx, account_id))
            require(account, Deed.STORE_CREDENTIALS)
            plugin = linking.find_plugin(desk.plugins, account.marketplace_id)
            now = desk.clock.now()
            today = now.astimezone(plugin.zone).date()
            try:
                registration = credentials.check_typed(plugin, body.registration, body.values, today)
            except CredentialsMalformed as error:
                raise _malformed(error) from None
            shop_key = await shop_keys.claim(
                tx, account, plugin, body.values, may_see=lambda one: may_see(request, one)
            )
            typed = credentials.Typed(
                registration=registration,
                values=body.values,
                shop_key=shop_key,
                by=web.caller(request).subject,
                at=now,
            )
            after, is_candidate = await credentials.store_credentials(tx, desk.safe, account, plugin, typed)
            by = web.caller(request).subject
            if is_candidate:
                operation = await rotation.request(tx, after, by)
            else:
                operation = await preflights.request_or_reject(tx, after, plugin, by)
            return web.accepted(NOUN, operation.id, show_accepted(operation))

        return (await desk.db.run(work)).response()


def _add_candidates(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/v1/accounts/{account_id}/credentials/candidate:promote",
        dependencies=[web.require("accounts:write")],
        status_code=202,
        response_model=OperationShown,
    )
    async def promote_candidate(request: Request, account_id: AccountId) -> Response:
        """Probe the candidate now and let it take over where it passes; one that failed its probes is refused."""

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await account_rows.lock_account(tx, account_id))
            operation = await rotation.promote(tx, account, web.caller(request).subject)
            return web.accepted(NOUN, operation.id, show_accepted(operation))

        return await desk.idempotency.once(request, work)

    @router.delete(
        "/v1/accounts/{account_id}/credentials/candidate",
        dependencies=[web.require("accounts:write"), web.any_version()],
        status_code=204,
    )
    async def withdraw_candidate(request: Request, account_id: AccountId) -> Response:
        """Delete the candidate; the credentials in use stay."""

        async def work(tx: Transaction) -> None:
            account = check_account(request, await account_rows.lock_account(tx, account_id))
            await rotation.withdraw(tx, account, desk.clock.now())

        await desk.db.run(work)
        return Response(status_code=204)


def _add_uses(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/accounts/{account_id}/credentials/uses", dependencies=[web.require("accounts:read")])
    async def list_credential_uses(
        request: Request,
        response: Response,
        account_id: AccountId,
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> UsePage:
        """List to whom an account's credentials were given out, when and what for, newest first; kept for a year."""
        del cursor
        position = desk.cursors.start(request)
        async with desk.db.begin() as tx:
            account = check_account(request, await account_rows.get_account(tx, account_id))
            found = await store.list_uses(
                tx, account.id, limit=limit + 1, before=int(position[0]) if position else None
            )
        following = desk.cursors.link(request, response, (found[limit - 1][0],) if len(found) > limit else None)
        return UsePage(items=[show_use(use) for _, use in found[:limit]], next=following)


def _malformed(error: CredentialsMalformed) -> Problem:
    faults = [
        FieldFault(
            code=fault.code,
            detail=f"{fault.why.en} / {fault.why.ja}",
            pointer="/registration" if fault.code == "registration-unknown" else f"/values/{fault.field}",
        )
        for fault in error.faults
    ]
    return Problem(
        status=422,
        code="credentials-malformed",
        detail="Nothing was stored: " + "; ".join(fault.why.en for fault in error.faults),
        errors=faults,
        menu=next((fault.where for fault in error.faults if fault.where), None),
    )
