"""Serves what each trigger of an account sends."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from hanro import web
from hanro.access_reports import AccessLog
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.errors import Unsupported
from hanro.marketplace.types import Trigger
from notifier_svc import bindings
from notifier_svc.api.shapes import BindingBody, BindingShown, BindingsShown, show_slot
from notifier_svc.bindings import Plugins, Slot
from notifier_svc.domain.accounts import Account

AccountId = Annotated[str, Path(max_length=64, description="The account")]
TriggerName = Annotated[Trigger, Path(description="What sets a message off")]


def make_routes(db: Database, clock: Clock, plugins: Plugins, access: AccessLog) -> APIRouter:
    """Make the routes of bindings."""
    router = web.router(["bindings"])
    _add_reading(router, db, plugins)
    _add_writing(router, db, clock, plugins, access)
    return router


def _add_reading(router: APIRouter, db: Database, plugins: Plugins) -> None:
    @router.get("/v1/bindings", dependencies=[web.require("bindings:read")])
    async def list_bindings(
        request: Request, account_id: Annotated[str, Query(max_length=64, description="The account")]
    ) -> BindingsShown:
        """List all triggers of an account: what is bound, by which channel it goes, or why it cannot."""
        async with db.begin() as tx:
            account = await bindings.get_account(tx, account_id, web.visible_shops(request))
            slots = await bindings.slots(tx, plugins, account)
        return BindingsShown(items=[show_slot(account_id, slot) for slot in slots])

    @router.get("/v1/bindings/{account_id}/{trigger}", dependencies=[web.require("bindings:read")])
    async def get_binding(account_id: AccountId, trigger: TriggerName, request: Request) -> BindingShown:
        """Show one trigger of an account; `template` null: blank, nothing is sent."""
        async with db.begin() as tx:
            account = await bindings.get_account(tx, account_id, web.visible_shops(request))
            return await _slot(tx, plugins, account, trigger)


def _add_writing(router: APIRouter, db: Database, clock: Clock, plugins: Plugins, access: AccessLog) -> None:
    @router.put("/v1/bindings/{account_id}/{trigger}", dependencies=[web.require("bindings:write"), web.any_version()])
    async def put_binding(
        account_id: AccountId, trigger: TriggerName, body: BindingBody, request: Request
    ) -> BindingShown:
        """Bind a template to a trigger from now on, or make it blank.

        What was reached before the trigger was bound is not told. Where the marketplace has no channel for it the
        answer is 501, with the reason and the menu path for doing it by hand.
        """

        async def work(tx: Transaction) -> BindingShown:
            account = await bindings.lock_account(tx, account_id, web.visible_shops(request))
            if not body.template:
                await bindings.unbind(tx, account, trigger, access=access)
            elif trigger not in bindings.BINDABLE:
                raise Unsupported(f"No milestone of an order sets off {trigger.value}.", code="absent")
            else:
                by, at = web.caller(request).subject, clock.now()
                await bindings.bind(tx, plugins, account, trigger, template=body.template, by=by, at=at, access=access)
            return await _slot(tx, plugins, account, trigger)

        return await db.run(work)

    @router.delete("/v1/bindings/{account_id}/{trigger}", dependencies=[web.require("bindings:write")], status_code=204)
    async def delete_binding(account_id: AccountId, trigger: TriggerName, request: Request) -> Response:
        """Make a trigger blank: nothing is planned for it any more; what is planned already is still sent."""

        async def work(tx: Transaction) -> None:
            account = await bindings.lock_account(tx, account_id, web.visible_shops(request))
            await bindings.unbind(tx, account, trigger, access=access)

        await db.run(work)
        return Response(status_code=204)


async def _slot(tx: Transaction, plugins: Plugins, account: Account, trigger: Trigger) -> BindingShown:
    binding = await bindings.get(tx, account.id, trigger)
    channel = bindings.channel_of(plugins, account, trigger)
    return show_slot(account.id, Slot(trigger=trigger, channel=channel, binding=binding))
