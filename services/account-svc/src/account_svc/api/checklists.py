"""Serves accounts' checklists: how they stand, and ticking their items."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from account_svc.accounts import checklist
from account_svc.accounts.checklist import TickMalformed
from account_svc.accounts.linking import Plugins, find_plugin
from account_svc.api.checklist_shapes import ChecklistItemShown, ChecklistShown, TickBody
from account_svc.api.checklist_views import show_checklist, show_item
from account_svc.api.permissions import check_account
from account_svc.domain.checklist import TickWish
from account_svc.domain.credentials import find_registration
from account_svc.store import accounts as store
from hanro import web
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.web import Answer, FieldFault, Problem

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]
TickedId = Annotated[str, Path(max_length=64, description="An item's id, of the account's checklist")]
Texts = Mapping[str, Mapping[str, str]]


def make_routes(db: Database, clock: Clock, plugins: Plugins, texts: Texts) -> APIRouter:
    """Make the routes of checklists; `texts` are the installation's own, by marketplace."""
    router = web.router(["accounts"])

    @router.get("/v1/accounts/{account_id}/checklist", dependencies=[web.require("accounts:read")])
    async def get_checklist(
        request: Request,
        account_id: AccountId,
        registration: Annotated[
            str | None, Query(max_length=64, description="The way to register, while no credentials are stored")
        ] = None,
    ) -> ChecklistShown:
        """Show what an account needs and how far it is; items of other ways to register are left out."""
        async with db.begin() as tx:
            account = check_account(request, await store.get_account(tx, account_id))
            plugin = find_plugin(plugins, account.marketplace_id)
            if registration is not None and find_registration(plugin.credential_form, registration) is None:
                raise _unknown_registration([one.id for one in plugin.credential_form.registrations])
            chosen = await checklist.registration_of(tx, account, registration)
            items = await checklist.items_of(tx, account, plugin, chosen, clock.now())
        return show_checklist(account, chosen, items, plugin, texts.get(plugin.id, {}))

    @router.put(
        "/v1/accounts/{account_id}/checklist/{prerequisite_id}",
        dependencies=[web.require("accounts:write"), web.any_version()],
        response_model=ChecklistItemShown,
    )
    async def tick_item(request: Request, account_id: AccountId, prerequisite_id: TickedId, body: TickBody) -> Response:
        """Say how far an item is; going back is allowed and stays in its history. The same again changes nothing."""
        wish = TickWish(state=body.state, at=body.at, start_day=body.start_day)

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            plugin = find_plugin(plugins, account.marketplace_id)
            by = web.caller(request).subject
            try:
                item = await checklist.tick(tx, account, plugin, prerequisite_id, wish, by=by, now=clock.now())
            except TickMalformed as error:
                raise _malformed(error) from None
            return Answer(body=show_item(item, plugin, texts.get(plugin.id, {})))

        return (await db.run(work)).response()

    return router


def _malformed(error: TickMalformed) -> Problem:
    faults = [
        FieldFault(code=fault.code, detail=f"{fault.why.en} / {fault.why.ja}", pointer=f"/{fault.field}")
        for fault in error.faults
    ]
    words = "; ".join(fault.why.en for fault in error.faults)
    return Problem(status=422, code="tick-malformed", detail=f"Nothing was stored: {words}.", errors=faults)


def _unknown_registration(known: list[str]) -> Problem:
    return Problem(
        status=422,
        code="registration-unknown",
        detail=f"There is no such way to register; there are: {', '.join(known)}.",
    )
