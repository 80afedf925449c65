"""Serves accounts' application sheets: filling them in, the mail that they make, and that it was sent."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from account_svc.accounts import sheets
from account_svc.accounts.linking import Plugins, find_plugin
from account_svc.accounts.sheets import OpenSheet, SheetMalformed
from account_svc.api.form_views import form_of_fields
from account_svc.api.guide_views import operator_note
from account_svc.api.permissions import check_account
from account_svc.api.sheet_shapes import SheetBody, SheetMailShown, SheetSentBody, SheetShown
from account_svc.domain.placeholders import fill
from account_svc.store import accounts as store
from hanro import web
from hanro.clock import Clock
from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.web import Answer, FieldFault, Problem

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]
Texts = Mapping[str, Mapping[str, str]]
SHEET_BODY_BYTES = 64 * 1024


def make_routes(db: Database, clock: Clock, plugins: Plugins, keyring: Keyring, texts: Texts) -> APIRouter:
    """Make the routes of application sheets; `texts` are the installation's own, by marketplace."""
    router = web.router(["accounts"])

    # It names a person: whoever only looks at accounts has no business with it.
    @router.get("/v1/accounts/{account_id}/application-sheet", dependencies=[web.require("accounts:write")])
    async def get_application_sheet(request: Request, account_id: AccountId) -> SheetShown:
        """Show an account's application sheet, its form, and the mail to send."""
        async with db.begin() as tx:
            account = check_account(request, await store.get_account(tx, account_id))
            plugin = find_plugin(plugins, account.marketplace_id)
            found = await sheets.get_sheet(tx, keyring, account, plugin)
        return _show(account_id, found, texts.get(plugin.id, {}))

    @router.put(
        "/v1/accounts/{account_id}/application-sheet",
        dependencies=[web.require("accounts:write"), web.body_limit(SHEET_BODY_BYTES), web.any_version()],
        response_model=SheetShown,
    )
    async def save_application_sheet(request: Request, account_id: AccountId, body: SheetBody) -> Response:
        """Fill an account's application sheet in; it is kept sealed, and erased with the account's link."""

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            plugin = find_plugin(plugins, account.marketplace_id)
            by, now = web.caller(request).subject, clock.now()
            try:
                kept = await sheets.save(tx, keyring, account, plugin, body.values, by=by, at=now)
            except SheetMalformed as error:
                raise _malformed(error) from None
            return Answer(body=_show(account_id, kept, texts.get(plugin.id, {})))

        return (await db.run(work)).response()

    @router.post(
        "/v1/accounts/{account_id}/application-sheet:sent",
        dependencies=[web.require("accounts:write"), web.key_unused()],
        response_model=SheetShown,
    )
    async def note_sheet_sent(request: Request, account_id: AccountId, body: SheetSentBody) -> Response:
        """Keep the date on which the mail was sent; of one version the first stays."""

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            plugin = find_plugin(plugins, account.marketplace_id)
            by, now = web.caller(request).subject, clock.now()
            if body.at is not None and body.at > now:
                raise _ahead()
            sent = await sheets.note_sent(tx, keyring, account, plugin, by=by, at=body.at or now)
            return Answer(body=_show(account_id, sent, texts.get(plugin.id, {})))

        return (await db.run(work)).response()

    return router


def _show(account_id: str, sheet: OpenSheet, texts: Mapping[str, str]) -> SheetShown:
    stored, form = sheet.stored, sheet.form
    recipient = fill(form.recipient, texts)
    mail = None
    if stored is not None:
        # A field that was left empty leaves its place in the letter empty.
        values = {field.name: sheet.values.get(field.name, "") for field in form.fields}
        mail = SheetMailShown(
            recipient=recipient.text, subject=_written(form.subject, values), body=_written(form.body, values)
        )
    return SheetShown(
        account_id=account_id,
        form=form_of_fields(form.fields),
        values=dict(sheet.values),
        version=stored.version if stored else 0,
        changed_at=stored.changed_at if stored else None,
        mail=mail,
        operator_note=operator_note(recipient.missing),
        sent_at=stored.sent_at if stored else None,
        sent_by=stored.sent_by if stored else None,
        is_changed_since=stored is not None and stored.sent_version not in (None, stored.version),
    )


def _written(template: str, values: Mapping[str, str]) -> str:
    return fill(template, values).text or ""


def _malformed(error: SheetMalformed) -> Problem:
    faults = [
        FieldFault(code=fault.code, detail=f"{fault.why.en} / {fault.why.ja}", pointer=f"/values/{fault.field}")
        for fault in error.faults
    ]
    words = "; ".join(fault.why.en for fault in error.faults)
    return Problem(status=422, code="sheet-malformed", detail=f"Nothing was stored: {words}.", errors=faults)


def _ahead() -> Problem:
    fault = FieldFault(code="time-impossible", detail="It lies in the future. / 未来の日時です。", pointer="/at")
    return Problem(
        status=422, code="sheet-malformed", detail="Nothing was stored: the time lies in the future.", errors=[fault]
    )
