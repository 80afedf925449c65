"""Serves the asking for facts once more: a new consumer reads them from a topic of its own."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from hanro import replays
from hanro.db import Database, Transaction
from hanro.events.fact import topics
from hanro.replays import Wish
from hanro.web import openapi
from hanro.web.answers import Answer, accepted
from hanro.web.guard import caller, require, router
from hanro.web.idempotency import Idempotency
from hanro.web.problems import FieldFault, Problem
from hanro.web.routes.events import LARGEST_POSITION, check_kept
from hanro.web.routes.operations import OperationShown, shown
from hanro.web.shapes import Body

SCOPE = "ops"

# What Kafka takes, without a prefix of the installation.
Topic = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class ReplayBody(Body):
    """Ask for facts once more."""

    topic: Topic = Field(examples=["replay.warehouse-1"])
    """Where they go; made with 12 partitions where it is missing. A topic that carries facts takes its own alone."""
    source_topic: Topic | None = None
    """The one topic whose facts are meant; null: of all that this service publishes to."""
    after: int = Field(default=0, ge=0, le=LARGEST_POSITION, strict=True)
    """The last position that is known already, as `events` shows it; 0: from the oldest that is kept."""
    until: int | None = Field(default=None, ge=0, le=LARGEST_POSITION, strict=True)
    """The last position that is wanted; null: the newest when this is asked."""


def replay_routes(noun: str, publishes: Sequence[str], db: Database, idempotency: Idempotency) -> APIRouter:
    """Make `/v1/<noun>/replays`; `publishes` are the topics that the service publishes to."""
    routes = router(["replays"])

    @routes.post(
        f"/v1/{noun}/replays",
        dependencies=[require(SCOPE)],
        status_code=202,
        response_model=OperationShown,
        responses=openapi.problems(410),
    )
    async def replay(request: Request, body: ReplayBody) -> Response:
        """Publish the facts of the last 30 days once more, to a topic of your choice: how a new consumer catches up.

        They come as they were published: the same events with the same ids, the facts of an aggregate in their order,
        each at least once. Act on the state that a fact restates, by `version`, and a fact that comes twice or late is
        harmless. First subscribe to the live topic, then ask for a replay to one of your own, and read both with the
        same handler; all is there when the operation is `applied`. Its `answer` tells how many facts were published,
        and up to which position. Replays to one topic are done one after the other.
        """
        _check_topics(body, publishes)
        await check_kept(db, body.after)
        wish = Wish(topic=body.topic, source_topic=body.source_topic, after=body.after, until=body.until)

        async def work(tx: Transaction) -> Answer:
            operation = await replays.request(tx, wish, by=caller(request).subject)
            return accepted(noun, operation.id, shown(operation))

        return await idempotency.once(request, work)

    return routes


def _check_topics(body: ReplayBody, publishes: Sequence[str]) -> None:
    """Keep facts of one topic out of another that consumers rely on, and refuse a source that is not the service's."""
    if body.source_topic is not None and body.source_topic not in publishes:
        why = f"this service publishes nothing there; it has {', '.join(publishes)}"
        raise _refused("source_topic", "topic-unknown", why)
    if body.topic in topics() and body.source_topic != body.topic:
        raise _refused(
            "topic", "topic-live", f"carries live facts; take another, or name it as source_topic too: {body.topic}"
        )


def _refused(field: str, code: str, why: str) -> Problem:
    fault = FieldFault(code=code, detail=why, pointer=f"/{field}")
    return Problem(status=422, code="request-malformed", detail=f"/{field}: {why}", errors=[fault])
