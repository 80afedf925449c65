"""Serves a service's operations: what was asked for, how far it is, what the marketplace said."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from hanro import operations
from hanro.auth import ALL_SHOPS, Caller
from hanro.db import Database, Transaction
from hanro.errors import Rejected
from hanro.operations import OperationStatus
from hanro.web.cursors import DEFAULT_PAGE, Cursors, CursorText, Limit
from hanro.web.guard import caller, require, router

AccountsOf = Callable[[Transaction, Caller], Awaitable[list[str]]]


class OperationShown(BaseModel):
    """An effect outside that somebody asked for; *accepted* is never *applied*."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: str
    subject_id: str
    account_id: str | None
    status: OperationStatus
    asked: dict[str, Any]
    asked_by: str
    attempt_count: int
    failure: dict[str, Any] | None
    answer: dict[str, Any] | None
    accepted_at: datetime
    sent_at: datetime | None
    changed_at: datetime
    next_at: datetime | None


class OperationPage(BaseModel):
    """Operations, newest first."""

    items: list[OperationShown]
    next: str | None


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
        kind: Annotated[str | None, Query(max_length=100)] = None,
        subject_id: Annotated[str | None, Query(max_length=200)] = None,
        account_id: Annotated[str | None, Query(max_length=200)] = None,
        status: OperationStatus | None = None,
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
    async def get_operation(request: Request, operation_id: str) -> OperationShown:
        """Look at one operation; poll it until its status is applied, rejected or in_doubt."""
        async with db.begin() as tx:
            found = await operations.get_(tx, operation_id)
            accounts = await visible(tx, request)
        if accounts is not None and found.account_id not in accounts:
            raise Rejected("There is no such operation.", code="not-found")
        return shown(found)

    return routes
