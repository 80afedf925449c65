"""Serves what sellers set up at marketplaces: what is known, reading it again, typing what cannot be read, changes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from account_svc.accounts import linking, market, market_entries
from account_svc.api.accounts import Desk
from account_svc.api.market_shapes import (
    MarketAccepted,
    MarketChangePage,
    MarketEntryPage,
    MarketInformationShown,
    MarketKindShown,
    TypedEntriesBody,
)
from account_svc.api.market_views import read_entry, show_change, show_entry, show_market
from account_svc.api.permissions import check_account
from account_svc.api.preflights import NOUN
from account_svc.domain.accounts import Account
from account_svc.domain.market import ADDRESSES
from account_svc.store import accounts as account_rows
from account_svc.store import market as store
from account_svc.store.market_changes import list_changes
from hanro import web
from hanro.db import Transaction
from hanro.marketplace.types import MarketEntry, MarketKind, MarketplaceId
from hanro.web import Answer, CursorText, FieldFault, Limit, Problem
from hanro.web.routes.operations import shown

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]
Kind = Annotated[MarketKind, Path(description="For example `return_address`")]
TYPED_BODY_BYTES = 512 * 1024


def make_routes(desk: Desk) -> APIRouter:
    """Make the routes of market information."""
    router = web.router(["market information"])
    _add_reading(router, desk)
    _add_lists(router, desk)
    _add_typing(router, desk)
    return router


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/accounts/{account_id}/market-information", dependencies=[web.require("accounts:read")])
    async def get_market_information(
        request: Request, response: Response, account_id: AccountId
    ) -> MarketInformationShown:
        """Show what the seller set up at the marketplace: what was read, what is absent there, what failed and why."""
        async with desk.db.begin() as tx:
            account = check_account(request, await account_rows.get_account(tx, account_id))
            shown_ = await _show(tx, desk, account)
        response.headers["ETag"] = web.etag(account.version)
        return shown_

    @router.post(
        "/v1/accounts/{account_id}/market-information:refresh",
        dependencies=[web.require("accounts:write")],
        status_code=202,
        response_model=MarketAccepted,
    )
    async def refresh_market_information(request: Request, account_id: AccountId) -> Response:
        """Read it again now; it is read once a day anyhow. Nothing is changed at the marketplace.

        Whoever asks while a read waits to begin is given the same operation.
        """

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await account_rows.lock_account(tx, account_id))
            plugin = linking.find_plugin(desk.plugins, account.marketplace_id)
            operation = await market.request(tx, account, plugin, web.caller(request).subject)
            seconds = int(market.estimate(plugin).total_seconds())
            body = MarketAccepted(**shown(operation).model_dump(), estimated_seconds=seconds)
            return web.accepted(NOUN, operation.id, body)

        return await desk.idempotency.once(request, work)


def _add_lists(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/accounts/{account_id}/market-information/{kind}", dependencies=[web.require("accounts:read")])
    async def list_market_entries(
        request: Request,
        response: Response,
        account_id: AccountId,
        kind: Kind,
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> MarketEntryPage:
        """List all that is known of one kind, in the marketplace's order."""
        del cursor
        position = desk.cursors.start(request)
        start = int(position[0]) if position else 0
        async with desk.db.begin() as tx:
            account = check_account(request, await account_rows.get_account(tx, account_id))
            found = await store.page_entries(tx, account.id, kind, limit=limit + 1, start=start)
        following = desk.cursors.link(request, response, (start + limit,) if len(found) > limit else None)
        return MarketEntryPage(items=[show_entry(entry) for entry in found[:limit]], next=following)

    @router.get("/v1/accounts/{account_id}/market-changes", dependencies=[web.require("accounts:read")])
    async def list_market_changes(
        request: Request,
        response: Response,
        account_id: AccountId,
        kind: Annotated[MarketKind | None, Query(description="Only those of it")] = None,
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> MarketChangePage:
        """List what became different, newest first: names and times, never what it was."""
        del cursor
        position = desk.cursors.start(request)
        async with desk.db.begin() as tx:
            account = check_account(request, await account_rows.get_account(tx, account_id))
            found = await list_changes(
                tx, account.id, limit=limit + 1, before=int(position[0]) if position else None, kind=kind
            )
        following = desk.cursors.link(request, response, (found[limit - 1].position,) if len(found) > limit else None)
        return MarketChangePage(items=[show_change(one) for one in found[:limit]], next=following)


def _add_typing(router: APIRouter, desk: Desk) -> None:
    @router.put(
        "/v1/accounts/{account_id}/market-information/{kind}",
        dependencies=[web.require("accounts:write"), web.body_limit(TYPED_BODY_BYTES)],
        response_model=MarketKindShown,
    )
    async def type_market_entries(
        request: Request, account_id: AccountId, kind: Kind, body: TypedEntriesBody
    ) -> Response:
        """Type what the marketplace does not tell, such as the return address; those left out are gone.

        `If-Match` is the account's ETag. What changed is told by a fact with its names, the same again by none.
        """

        async def work(tx: Transaction) -> Answer:
            account = check_account(request, await account_rows.lock_account(tx, account_id))
            web.require_match(request, account.version)
            entries = _check(kind, body)
            after = await market_entries.type_in(
                tx, account, kind, entries, at=desk.clock.now(), by=web.caller(request).subject
            )
            every = await _show(tx, desk, after)
            own = next(one for one in every.kinds if one.kind is kind)
            return Answer(body=own, headers={"ETag": web.etag(after.version)})

        return (await desk.db.run(work)).response()


async def _show(tx: Transaction, desk: Desk, account: Account) -> MarketInformationShown:
    plugin = desk.plugins.get(MarketplaceId(account.marketplace_id))
    return show_market(await market_entries.picture(tx, account, market.KIND), plugin)


def _check(kind: MarketKind, body: TypedEntriesBody) -> list[MarketEntry]:
    faults = []
    seen: set[str] = set()
    for place, typed in enumerate(body.entries):
        if kind in ADDRESSES and typed.address is None:
            faults.append(_fault("missing", f"{kind} needs an address / 住所を入力してください", f"{place}/address"))
        if kind not in ADDRESSES and typed.address is not None:
            faults.append(_fault("not-here", f"{kind} has no address / 住所は入力できません", f"{place}/address"))
        if typed.external_id in seen:
            faults.append(_fault("twice", "stands twice / 重複しています", f"{place}/external_id"))
        seen.add(typed.external_id)
    if faults:
        words = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3])
        raise Problem(status=422, code="entries-malformed", detail=f"Nothing was stored: {words}", errors=faults[:20])
    return [read_entry(kind, typed) for typed in body.entries]


def _fault(code: str, detail: str, place: str) -> FieldFault:
    return FieldFault(code=code, detail=detail, pointer=f"/entries/{place}")
