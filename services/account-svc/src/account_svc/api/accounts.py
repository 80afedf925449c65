"""Serves accounts: linking, describing, switching."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from account_svc.accounts import linking
from account_svc.accounts.credentials import Safe
from account_svc.accounts.linking import DescriptionWish, LinkWish, Plugins
from account_svc.accounts.reading import pictures
from account_svc.api.account_shapes import AccountPage, AccountShown
from account_svc.api.account_views import show_account
from account_svc.api.bodies import AccountBody, AccountPatch
from account_svc.api.permissions import check_account, check_shops
from account_svc.domain.accounts import Account, State
from account_svc.store import accounts as store
from hanro import web
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.marketplace.types import MarketplaceId
from hanro.web import Answer, Cursors, CursorText, Idempotency, Limit

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Hold what the routes of accounts work with."""

    db: Database
    idempotency: Idempotency
    cursors: Cursors
    clock: Clock
    plugins: Plugins
    safe: Safe


def make_routes(desk: Desk) -> APIRouter:
    """Make the routes of accounts."""
    router = web.router(["accounts"])
    _add_lists(router, desk)
    _add_linking(router, desk)
    _add_switches(router, desk)
    return router


def _add_lists(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/accounts", dependencies=[web.require("accounts:read")])
    async def list_accounts(
        request: Request,
        response: Response,
        marketplace_id: Annotated[str | None, Query(max_length=64, description="Only those of it")] = None,
        state: Annotated[State | None, Query(description="Only those in this state")] = None,
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> AccountPage:
        """List the accounts that the caller's shops may use, by id."""
        del cursor
        position = desk.cursors.start(request)
        async with desk.db.begin() as tx:
            found = await store.list_accounts(
                tx,
                limit=limit + 1,
                after=str(position[0]) if position else None,
                shop_ids=web.visible_shops(request),
                marketplace_id=marketplace_id,
                state=state,
            )
            items = await _show_all(tx, desk, found[:limit])
        following = desk.cursors.link(request, response, (found[limit - 1].id,) if len(found) > limit else None)
        return AccountPage(items=items, next=following)

    @router.get("/v1/accounts/{account_id}", dependencies=[web.require("accounts:read")])
    async def get_account(request: Request, response: Response, account_id: AccountId) -> AccountShown:
        """Show an account: its state, why it does not work, the next step, its grants, which fields are stored."""
        async with desk.db.begin() as tx:
            account = check_account(request, await store.get_account(tx, account_id))
            shown = await _show(tx, desk, account)
        response.headers["ETag"] = web.etag(account.version)
        return shown


def _add_linking(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/v1/accounts", dependencies=[web.require("accounts:write")], status_code=201, response_model=AccountShown
    )
    async def link_account(request: Request, body: AccountBody) -> Response:
        """Link an account of a marketplace; it works once its credentials are stored and checked."""
        check_shops(request, body.shop_ids)
        wish = LinkWish(
            marketplace_id=body.marketplace_id,
            display_name=body.display_name,
            shop_ids=tuple(body.shop_ids),
            orders_from=body.orders_from,
        )

        async def work(tx: Transaction) -> Answer:
            account = await linking.link_account(tx, desk.plugins, wish, desk.clock.now())
            headers = {"Location": f"/v1/accounts/{account.id}", "ETag": web.etag(account.version)}
            return Answer(status=201, body=await _show(tx, desk, account), headers=headers)

        return await desk.idempotency.once(request, work)

    @router.patch(
        "/v1/accounts/{account_id}", dependencies=[web.require("accounts:write")], response_model=AccountShown
    )
    async def describe_account(request: Request, account_id: AccountId, body: AccountPatch) -> Response:
        """Change an account's name, shops or start of orders; what is left out stays."""
        if body.shop_ids is not None:
            check_shops(request, body.shop_ids)
        wish = DescriptionWish(
            display_name=body.display_name,
            shop_ids=tuple(body.shop_ids) if body.shop_ids is not None else None,
            orders_from=body.orders_from,
            is_orders_from_given="orders_from" in body.model_fields_set,
        )

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            web.require_match(request, account.version)
            return await _answer(tx, desk, await linking.describe(tx, account, wish, desk.clock.now()))

        return (await desk.db.run(work)).response()


def _add_switches(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/v1/accounts/{account_id}:enable", dependencies=[web.require("accounts:write")], response_model=AccountShown
    )
    async def enable_account(request: Request, account_id: AccountId) -> Response:
        """Switch an account on by hand."""
        return await _switch(request, account_id, is_enabled=True)

    @router.post(
        "/v1/accounts/{account_id}:disable", dependencies=[web.require("accounts:write")], response_model=AccountShown
    )
    async def disable_account(request: Request, account_id: AccountId) -> Response:
        """Switch an account off by hand: all work for it stops, nothing is deleted."""
        return await _switch(request, account_id, is_enabled=False)

    async def _switch(request: Request, account_id: str, *, is_enabled: bool) -> Response:
        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await store.lock_account(tx, account_id))
            after = await linking.switch(tx, account, desk.clock.now(), is_enabled=is_enabled)
            return await _answer(tx, desk, after)

        return await desk.idempotency.once(request, work)


async def _show(tx: Transaction, desk: Desk, account: Account) -> AccountShown:
    return (await _show_all(tx, desk, [account]))[0]


async def _show_all(tx: Transaction, desk: Desk, accounts: Sequence[Account]) -> list[AccountShown]:
    at = desk.clock.now()
    return [
        show_account(one, desk.plugins.get(MarketplaceId(one.account.marketplace_id)), at)
        for one in await pictures(tx, accounts)
    ]


async def _answer(tx: Transaction, desk: Desk, account: Account) -> Answer:
    return Answer(body=await _show(tx, desk, account), headers={"ETag": web.etag(account.version)})
