"""Serves the answers that marketplaces wait for: yes or no to lines, a later day, a claim's end."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter
from fastapi import Body as Sent
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from hanro.db import Transaction
from hanro.marketplace.types import Answer as Given
from hanro.marketplace.types import DelayReason
from hanro.web import Answer, Body, Idempotency, accepted, caller, require, router
from hanro.web.routes.operations import OperationShown, shown
from order_svc import accounts, orders
from order_svc.api.orders import OrderId
from order_svc.domain.answers import Wanted
from order_svc.domain.effects import ACCEPT, ANSWER, DELAY, REFUSE
from order_svc.domain.permits import Ability

MOST_LINES = 500
IdText = Annotated[str, Field(min_length=1, max_length=200)]
LineIds = Annotated[list[IdText], Field(min_length=1, max_length=MOST_LINES)]
NoteText = Annotated[str, Field(min_length=1, max_length=400)]


class AcceptBody(Body):
    """What is accepted, and from when and where it ships, where the marketplace asks that."""

    line_ids: LineIds | None = None
    """`lin_…`, or the marketplace's ids of lines; left out: all lines that wait."""
    ships_on: date | None = Field(default=None, examples=["2030-01-31"])
    """The day that is promised; left out: none is."""
    ships_from: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(default=None, examples=["JP"])
    """The country that it ships from, ISO 3166-1 alpha-2; left out: the account's own."""


class RefuseBody(Body):
    """What is refused."""

    line_ids: LineIds | None = None
    """`lin_…`, or the marketplace's ids of lines; left out: all lines that wait."""
    note: NoteText | None = None
    """A word to the buyer where the marketplace takes one; it is forgotten once the refusal is over."""


class DelayBody(Body):
    """What ships later, when, and why."""

    line_ids: LineIds | None = None
    """`lin_…`, or the marketplace's ids of lines; left out: all lines that are accepted and not shipped."""
    ships_on: date = Field(examples=["2030-01-31"])
    """The new day."""
    reason: DelayReason = Field(examples=["preparing"])
    """Why, as marketplaces tell it apart."""
    note: NoteText | None = None
    """A word to the buyer where the marketplace takes one; it is forgotten once the delay is announced."""


class ClaimBody(Body):
    """Which claim is answered, and how."""

    claim_id: IdText = Field(examples=["c-1"])
    """The marketplace's id of the claim, as the order's `claims` show it."""
    answer: Given = Field(examples=["accept"])
    """Whether the buyer is given what they ask for."""
    note: NoteText | None = None
    """A word to the buyer where the marketplace takes one; it is forgotten once the claim is answered."""


# A body that may be left out is described by a choice, which has no fields to take an example from.
MaybeAccept = Annotated[AcceptBody | None, Sent(examples=[{"line_ids": ["1"], "ships_on": "2030-01-31"}])]
MaybeRefuse = Annotated[RefuseBody | None, Sent(examples=[{"line_ids": ["1"]}])]


def make_routes(idempotency: Idempotency, abilities: Mapping[str, Ability]) -> APIRouter:
    """Make the routes; `abilities` say by marketplace what can be done there."""
    routes = router(["orders"])

    async def take(request: Request, order_id: str, wanted: Wanted, note: str | None = None) -> Response:
        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            operation = await orders.decide(
                tx,
                order_id,
                wanted,
                account_ids=await accounts.visible(tx, who.shops),
                abilities=abilities,
                by=who.subject,
                note=note,
            )
            return accepted("order", operation.id, shown(operation))

        return await idempotency.once(request, work)

    def post(verb: str) -> Callable[..., Callable[..., object]]:
        return routes.post(
            f"/v1/orders/{{order_id}}:{verb}",
            dependencies=[require("orders:write")],
            status_code=202,
            response_model=OperationShown,
        )

    @post("accept")
    async def accept_order(request: Request, order_id: OrderId, body: MaybeAccept = None) -> Response:
        """Accept an order, or lines of it, towards its marketplace, which cannot be undone there.

        The answer is an operation: watch it until it is applied, rejected or in_doubt. A cancelled, held or accepted
        order is refused, and so is one whose `decide_by` is past; while an acceptance is under way the same operation
        is given again. Of an account that only observes it ends as observed, with the requests that would have gone,
        and is never sent. Single lines answer 501 where the marketplace takes whole orders alone.
        """
        said = body or AcceptBody()
        wanted = Wanted(kind=ACCEPT, line_ids=_ids(said.line_ids), ships_on=said.ships_on, ships_from=said.ships_from)
        return await take(request, order_id, wanted)

    @post("refuse")
    async def refuse_order(request: Request, order_id: OrderId, body: MaybeRefuse = None) -> Response:
        """Refuse lines of an order that wait to be accepted, which cannot be undone at the marketplace.

        The answer is an operation, as of `:accept`. Where the marketplace knows no refusal it is 501, with the way by
        hand; such an order is cancelled instead.
        """
        said = body or RefuseBody()
        return await take(request, order_id, Wanted(kind=REFUSE, line_ids=_ids(said.line_ids)), said.note)

    @post("announce-delay")
    async def announce_delay(request: Request, order_id: OrderId, body: DelayBody) -> Response:
        """Tell the marketplace, and by it the buyer, that accepted lines ship later than was promised.

        The answer is an operation, as of `:accept`; 501 where the marketplace takes no word of delays.
        """
        wanted = Wanted(kind=DELAY, line_ids=_ids(body.line_ids), ships_on=body.ships_on, delay=body.reason)
        return await take(request, order_id, wanted, body.note)

    @post("answer")
    async def answer_claim(request: Request, order_id: OrderId, body: ClaimBody) -> Response:
        """Say yes or no to a buyer's claim (a cancellation, return or exchange), which cannot be undone there.

        The answer is an operation, as of `:accept`. A claim that is not `requested` any more is refused with
        `already-decided`; 501 where the marketplace takes no answers.
        """
        wanted = Wanted(kind=ANSWER, claim_id=body.claim_id, answer=body.answer)
        return await take(request, order_id, wanted, body.note)

    return routes


def _ids(line_ids: list[str] | None) -> tuple[str, ...] | None:
    return None if line_ids is None else tuple(line_ids)
