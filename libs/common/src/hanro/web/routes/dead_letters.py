"""Serves what consumers could not handle: list, look into, redrive, drop."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from starlette.requests import Request

from hanro import dead_letters
from hanro.db import Database
from hanro.dead_letters import DeadLetter
from hanro.subscriptions import Subscription
from hanro.web.cursors import DEFAULT_PAGE, Cursors, CursorText, Limit
from hanro.web.guard import key_unused, require, router
from hanro.web.shapes import NextCursor, Shown

SCOPE = "ops"

LetterId = Annotated[str, Path(max_length=200, description="dlt_…")]


class DeadLetterShown(Shown):
    """A record that was put aside, and why."""

    id: str
    """dlt_…"""
    consumer: str
    """The subscription that could not handle it, for example `order-svc.accounts`."""
    topic: str
    """Where it came from."""
    partition: int
    """The part of the topic."""
    offset: int
    """Its place in the partition."""
    type: str | None
    """Type of the fact; null where the record does not say."""
    code: str
    """Stable name of the kind of failure."""
    cause: str
    """One sentence: what went wrong, and where."""
    attempts: int
    """How often it was put through its consumer."""
    created_at: datetime
    """When it was put aside."""
    failed_at: datetime
    """When it failed last."""


class DeadLetterDetails(DeadLetterShown):
    """A record with its raw bytes."""

    key_base64: str | None
    """The record's key as it came; null: it had none."""
    value_base64: str | None
    """The record's value as it came; null: it had none."""
    headers: list[tuple[str, str]]
    """Names and values, bytes that are no UTF-8 replaced."""


class DeadLetterPage(Shown):
    """Dead letters, newest first."""

    items: list[DeadLetterShown]
    """Newest first."""
    next: NextCursor


class Redriven(Shown):
    """What became of a redriven letter: handled and gone, or failed again, with the new cause."""

    state: Literal["handled", "failed"]
    """`handled`: the letter is gone."""
    letter: DeadLetterShown | None
    """The letter as it stands now, with the new cause; null: it is gone."""


def dead_letter_routes(
    noun: str, db: Database, cursors: Cursors, subscriptions: Sequence[Subscription[Any, Any]]
) -> APIRouter:
    """Make `/v1/<noun>/dead-letters`; `subscriptions` are the service's, by which letters are redriven."""
    routes = router(["dead letters"])
    path = f"/v1/{noun}/dead-letters"

    @routes.get(path, dependencies=[require(SCOPE)], response_model=DeadLetterPage)
    async def list_dead_letters(
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_PAGE,
        cursor: CursorText = None,  # noqa: ARG001  read by cursors, which checks the other parameters too
        consumer: Annotated[str | None, Query(max_length=200, description="Only those of this consumer")] = None,
    ) -> DeadLetterPage:
        """List dead letters, newest first."""
        start = cursors.start(request)
        found = await dead_letters.list_(db, limit=limit + 1, after=str(start[0]) if start else None, consumer=consumer)
        page = found[:limit]
        following = cursors.link(request, response, (page[-1].id,) if len(found) > limit else None)
        return DeadLetterPage(items=[_shown(letter) for letter in page], next=following)

    @routes.get(f"{path}/{{letter_id}}", dependencies=[require(SCOPE)], response_model=DeadLetterDetails)
    async def get_dead_letter(letter_id: LetterId) -> DeadLetterDetails:
        """Look into a dead letter: its cause and its bytes."""
        return _details(await dead_letters.get_(db, letter_id))

    @routes.post(f"{path}/{{letter_id}}:redrive", dependencies=[require(SCOPE), key_unused()], response_model=Redriven)
    async def redrive_dead_letter(letter_id: LetterId) -> Redriven:
        """Put a letter through its consumer again; twice is harmless."""
        left = await dead_letters.redrive(db, letter_id, subscriptions)
        return Redriven(state="handled" if left is None else "failed", letter=None if left is None else _shown(left))

    @routes.delete(f"{path}/{{letter_id}}", dependencies=[require(SCOPE)], status_code=204)
    async def drop_dead_letter(letter_id: LetterId) -> None:
        """Delete a letter for good."""
        await dead_letters.drop(db, letter_id)

    return routes


def _fields(letter: DeadLetter) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in DeadLetterShown.model_fields}


def _shown(letter: DeadLetter) -> DeadLetterShown:
    return DeadLetterShown(**_fields(letter))


def _details(letter: DeadLetter) -> DeadLetterDetails:
    return DeadLetterDetails(
        **_fields(letter),
        key_base64=None if letter.key is None else b64encode(letter.key).decode(),
        value_base64=None if letter.value is None else b64encode(letter.value).decode(),
        headers=[(name, value.decode(errors="replace")) for name, value in letter.headers],
    )
