"""Serves a service's operations: what was asked for, how far it is, what the marketplace said."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from starlette.requests import Request

from hanro import operations
from hanro.auth import ALL_SHOPS, Caller
from hanro.db import Database, Transaction
from hanro.errors import Rejected
from hanro.operations import OperationStatus
from hanro.web.cursors import DEFAULT_PAGE, Cursors, CursorText, Limit
from hanro.web.guard import caller, require, router
from hanro.web.shapes import NextCursor, Shown

AccountsOf = Callable[[Transaction, Caller], Awaitable[list[str]]]


class PlannedCallShown(Shown):
    """A request that would have gone, without its body."""

    method: str
    """The HTTP method."""
    url: str
    """Where to; what an earlier answer gives stands in braces."""
    purpose: str
    """What it is for."""
    groups: list[str]
    """The API groups whose rate it takes from."""


class OperationShown(Shown):
    """An effect outside that somebody asked for; *accepted* is never *applied*."""

    id: str
    """opr_…"""
    kind: str
    """What was asked for: `accept`, `preflight`, `replay` …"""
    subject_id: str
    """Id of what it is about: an order, an account, a topic."""
    account_id: str | None
    """The account whose marketplace it goes to; null: none."""
    status: OperationStatus
    """`accepted`: we will do it. `sent`: it is under way. `applied`: it is done. `rejected`: it will not be.
    `in_doubt`: the answer was lost, it is being looked up or waits for a decision. `observed`: the account only
    observes, so it was planned and will never be sent.
    """
    asked: dict[str, Any]
    """What was asked for, in the terms of its kind."""
    asked_by: str
    """Subject of the token that asked."""
    attempt_count: int
    """How often it was sent."""
    failure: dict[str, Any] | None
    """Why it is not applied: `error` says who must act, `code` is stable, `why` is a sentence, and what the
    marketplace said.
    """
    answer: dict[str, Any] | None
    """What came back: from the marketplace, or how far the work is."""
    plan: list[PlannedCallShown] | None
    """The requests that would have gone, of an observed one; null of all others."""
    accepted_at: datetime
    """When it was asked for."""
    sent_at: datetime | None
    """When it was first sent; null: not yet."""
    changed_at: datetime
    """When its status changed last."""
    next_at: datetime | None
    """When it is looked at again; null: never, it is over or waits for a person."""


class OperationPage(Shown):
    """Operations, newest first."""

    items: list[OperationShown]
    """Newest first."""
    next: NextCursor


def shown(operation: operations.Operation) -> OperationShown:
    """Give an operation as callers see it."""
    return OperationShown.model_validate(asdict(operation))


def operation_routes(
    noun: str, scope: str, db: Database, cursors: Cursors, *, accounts_of: AccountsOf | None = None
) -> APIRouter:
    """Make `/v1/<noun>/operations`; `accounts_of` gives the accounts of a caller who may not see all shops."""
    routes = router(["operations"])

    async def visible(tx: Transaction, request: Request) -> list[str] | None:
        who = caller(request)
        if ALL_SHOPS in who.shops:
            return None
        return await accounts_of(tx, who) if accounts_of else []

    @routes.get(f"/v1/{noun}/operations", dependencies=[require(scope)], response_model=OperationPage)
    async def list_operations(  # noqa: PLR0917  FastAPI passes by name
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors, which checks the other parameters too
        kind: Annotated[str | None, Query(max_length=100, description="Only those of this kind")] = None,
        subject_id: Annotated[str | None, Query(max_length=200, description="Only those about this thing")] = None,
        account_id: Annotated[str | None, Query(max_length=200, description="Only those of this account")] = None,
        status: Annotated[OperationStatus | None, Query(description="Only those that are so far")] = None,
    ) -> OperationPage:
        """List operations, newest first."""
        start = cursors.start(request)
        async with db.begin() as tx:
            accounts = await visible(tx, request)
            if account_id is not None:
                accounts = [account_id] if accounts is None or account_id in accounts else []
            found = await operations.list_(
                tx,
                limit=limit + 1,
                kind=kind,
                subject_id=subject_id,
                account_ids=accounts,
                status=status,
                before_id=str(start[0]) if start else None,
            )
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].id,) if len(found) > limit else None)
        return OperationPage(items=[shown(one) for one in page], next=following)

    @routes.get(f"/v1/{noun}/operations/{{operation_id}}", dependencies=[require(scope)], response_model=OperationShown)
    async def get_operation(
        request: Request, operation_id: Annotated[str, Path(max_length=200, description="opr_…")]
    ) -> OperationShown:
        """Look at one operation; poll it until its status is applied, rejected, in_doubt or observed."""
        async with db.begin() as tx:
            found = await operations.get_(tx, operation_id)
            accounts = await visible(tx, request)
        if accounts is not None and found.account_id not in accounts:
            raise Rejected("There is no such operation.", code="not-found")
        return shown(found)

    return routes
