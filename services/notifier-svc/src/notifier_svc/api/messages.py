"""Serves what became of messages, and takes decisions about those in doubt."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from hanro import web
from hanro.db import Database, Transaction
from hanro.web import Answer, Cursors, CursorText, Idempotency, Limit
from notifier_svc.api.shapes import (
    MessageShown,
    MessagesShown,
    ResolveBody,
    show_message,
    show_skip,
)
from notifier_svc.domain.messages import State
from notifier_svc.messages import history
from notifier_svc.store import messages as store

AccountFilter = Annotated[str | None, Query(max_length=64, description="Only those of this account")]
OrderFilter = Annotated[str | None, Query(max_length=64, description="Only those of this order")]
StateFilter = Annotated[State | None, Query(description="Only those in this state")]
ReasonFilter = Annotated[
    str | None, Query(max_length=64, description="Only those in their state for this reason, such as `observed`")
]
MessageId = Annotated[str, Path(max_length=64, description="msg_…")]


def make_routes(db: Database, idempotency: Idempotency, cursors: Cursors, wake: Callable[[], None]) -> APIRouter:
    """Make the routes of messages; `wake` is called when one is to be sent again."""
    router = web.router(["messages"])
    _add_reading(router, db, cursors)

    @router.post(
        "/v1/messages/{message_id}:resolve",
        dependencies=[web.require("messages:write")],
        response_model=MessageShown,
    )
    async def resolve_message(message_id: MessageId, body: ResolveBody, request: Request) -> Response:
        """Decide about a message in doubt, with the name of who decides; a message is never sent again without that."""
        by = f"{body.name} ({web.caller(request).subject})"

        async def work(tx: Transaction) -> Answer:
            decided = await history.decide(
                tx, message_id, body.decision, by=by, shop_ids=web.visible_shops(request), wake=wake
            )
            return Answer(body=show_message(decided))

        return await idempotency.once(request, work)

    return router


def _add_reading(router: APIRouter, db: Database, cursors: Cursors) -> None:
    @router.get("/v1/messages", dependencies=[web.require("messages:read")])
    async def list_messages(
        request: Request,
        response: Response,
        order_id: OrderFilter = None,
        account_id: AccountFilter = None,
        state: StateFilter = None,
        reason_code: ReasonFilter = None,
        limit: Limit = web.DEFAULT_PAGE,
        cursor: CursorText = None,
    ) -> MessagesShown:
        """List messages, the newest first; those of one order also say which milestones nobody was told of."""
        del cursor
        position = cursors.start(request)
        shop_ids = web.visible_shops(request)
        async with db.begin() as tx:
            found = await store.list_messages(
                tx,
                shop_ids=shop_ids,
                order_id=order_id,
                account_id=account_id,
                state=state,
                reason_code=reason_code,
                before=str(position[0]) if position else None,
                limit=limit + 1,
            )
            skips = [] if order_id is None else await store.list_skips(tx, order_id, shop_ids)
        following = cursors.link(request, response, (found[limit - 1].id,) if len(found) > limit else None)
        return MessagesShown(
            items=[show_message(one) for one in found[:limit]],
            skipped=[show_skip(one) for one in skips],
            next=following,
        )

    @router.get("/v1/messages/{message_id}", dependencies=[web.require("messages:read")])
    async def get_message(message_id: MessageId, request: Request) -> MessageShown:
        """Show a message."""
        async with db.begin() as tx:
            return show_message(await history.get(tx, message_id, web.visible_shops(request)))
