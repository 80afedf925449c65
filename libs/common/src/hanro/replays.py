"""Publishes facts again, from the archive to a topic of the caller's choice: how a new consumer catches up.

A replay is an operation: asked for in a transaction, done by a worker piece by piece, and taken up where it stood when
its process dies. What is sent twice then is harmless, as everything in it: the same events, acted on by version.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro import archive, operations
from hanro.archive import ArchivedEvent
from hanro.broker import Broker, BrokerAway, Message, Producer, Refused
from hanro.clock import Clock
from hanro.db import Database, Transaction, is_passing
from hanro.errors import Retryable
from hanro.log import logger
from hanro.operations import Mark, Operation, OperationStatus
from hanro.waiting import Backoff, rest

KIND = "replay"
BATCH = 500
SEND_SECONDS = 10.0
LOOK_SECONDS = 1.0
LEASE = timedelta(seconds=60)
# Then others may have it, and whoever looks at the operation sees how far it is.
PIECE_SECONDS = 15.0

LOG = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Be what is asked for: facts behind `after` (0: from the oldest kept) until `until` (None: the newest now).

    `topic` is where they go, `source_topic` the only one whose facts are meant; None: all that the service publishes.
    """

    topic: str
    source_topic: str | None
    after: int
    until: int | None


async def request(tx: Transaction, wish: Wish, *, by: str) -> Operation:
    """Record a replay; a worker begins with it within a second. Replays to one topic are done one after the other."""
    newest = await archive.newest_position(tx)
    # Fixed: with the facts that are recorded meanwhile it might never end.
    until = newest if wish.until is None else min(wish.until, newest)
    return await operations.accept(
        tx,
        kind=KIND,
        subject_id=wish.topic,
        account_id=None,
        asked={"topic": wish.topic, "source_topic": wish.source_topic, "after": wish.after, "until": until},
        by=by,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """Be how far a replay is: the last position that was looked at, and how many facts were published."""

    position: int
    published_count: int

    def answer(self) -> dict[str, object]:
        return {"position": self.position, "published_count": self.published_count}


class Replayer:
    """Do the replays that were asked for, `batch` facts in one go; every worker of a service runs one."""

    def __init__(self, db: Database, broker: Broker, clock: Clock, *, batch: int = BATCH) -> None:
        self._db = db
        self._broker = broker
        self._clock = clock
        self._batch = batch
        self._backoff = Backoff()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, finishing the batch in hand."""
        producer = self._broker.producer()
        try:
            while not stop.is_set():
                operation = await self._claim()
                if operation is None:
                    await rest(self._clock, LOOK_SECONDS, stop)
                else:
                    await self._work(producer, operation, stop)
        finally:
            await producer.close()

    async def _claim(self) -> Operation | None:
        try:
            found = await operations.claim_unsure(self._db, [KIND], limit=1, lease=LEASE)
            found = found or await operations.claim_sendable(self._db, [KIND], limit=1, lease=LEASE)
        except Exception as error:
            if not is_passing(error):
                raise
            return None
        return found[0] if found else None

    async def _work(self, producer: Producer, operation: Operation, stop: asyncio.Event) -> None:
        """Do a piece of a replay; what keeps it from going on is written where its asker looks."""
        try:
            try:
                await self._piece(producer, operation, stop)
            except BrokerAway as error:
                LOG.warning("replay.waits", operation_id=operation.id, topic=operation.subject_id, why=str(error))
                await self._put_off(operation, stop)
            else:
                self._backoff.reset()
        except Retryable:
            # Somebody else has it.
            LOG.info("replay.lease_lost", operation_id=operation.id)
        except Exception as error:
            if not is_passing(error):
                raise
            # The lease runs out, and whoever claims it then goes on from what is written.
            LOG.warning("replay.database_away", operation_id=operation.id, error_type=type(error).__name__)
            await rest(self._clock, self._backoff.pause(), stop)

    async def _piece(self, producer: Producer, operation: Operation, stop: asyncio.Event) -> None:
        asked, progress = operation.asked, _progress(operation)
        until, source = _number(asked, "until"), asked.get("source_topic")
        if progress is None:
            progress = _Progress(position=_number(asked, "after"), published_count=0)
            await self._mark(operation, OperationStatus.SENT, progress)
        ends_at = self._clock.monotonic() + PIECE_SECONDS
        await self._broker.ensure_topics([operation.subject_id])
        # Where a send was not answered it may still be under way: what is sent again must not overtake it.
        await producer.flush(timeout_seconds=SEND_SECONDS)
        while True:
            oldest = await archive.oldest_position(self._db)
            if progress.position and progress.position + 1 < oldest <= until + 1:
                why = f"Facts behind {progress.position} are no longer kept; the oldest that is kept is {oldest}."
                await self._mark(
                    operation, OperationStatus.REJECTED, progress, failure=_failure("Rejected", "events-gone", why)
                )
                return
            events = await archive.events_after(
                self._db, progress.position, self._batch, until=until, topic=None if source is None else str(source)
            )
            if refusal := await _send(producer, operation.subject_id, events):
                why = f"Kafka refuses a fact behind {progress.position} for good: {refusal.why}."
                await self._mark(
                    operation, OperationStatus.REJECTED, progress, failure=_failure("Rejected", "refused", why)
                )
                return
            if len(events) < self._batch:
                done = _Progress(position=until, published_count=progress.published_count + len(events))
                await self._mark(operation, OperationStatus.APPLIED, done)
                return
            progress = _Progress(position=events[-1].position, published_count=progress.published_count + len(events))
            if stop.is_set() or self._clock.monotonic() >= ends_at:
                await self._mark(operation, OperationStatus.SENT, progress, next_at=self._clock.now())
                return
            await self._mark(operation, OperationStatus.SENT, progress)

    async def _put_off(self, operation: Operation, stop: asyncio.Event) -> None:
        pause = self._backoff.pause()
        await self._mark(
            operation,
            OperationStatus.SENT,
            failure=_failure(
                "Retryable", "unavailable", "Kafka does not take facts now; the replay goes on by itself."
            ),
            next_at=self._clock.now() + timedelta(seconds=pause),
        )
        await rest(self._clock, pause, stop)

    async def _mark(
        self,
        operation: Operation,
        status: OperationStatus,
        progress: _Progress | None = None,
        *,
        failure: Mapping[str, object] | None = None,
        next_at: datetime | None = None,
    ) -> None:
        made = Mark(
            id=operation.id,
            fence=operation.fence,
            status=status,
            failure=failure,
            answer=progress.answer() if progress else None,
            next_at=next_at,
        )
        await self._db.run(lambda tx: operations.mark(tx, made))


async def _send(producer: Producer, topic: str, events: Sequence[ArchivedEvent]) -> Refused | None:
    """Publish events in their order; gives the first refusal."""
    messages = [
        Message(topic=topic, key=event.key.encode(), value=event.data.encode(), headers=event.headers)
        for event in events
    ]
    answers = await producer.send_all(messages, timeout_seconds=SEND_SECONDS) if messages else []
    return next((answer for answer in answers if answer is not None), None)


def _progress(operation: Operation) -> _Progress | None:
    said = operation.answer
    if said is None:
        return None
    return _Progress(position=_number(said, "position"), published_count=_number(said, "published_count"))


def _number(said: Mapping[str, object], name: str) -> int:
    found = said[name]
    if not isinstance(found, int):
        raise TypeError(f"{name} of a replay is no number")
    return found


def _failure(error: str, code: str, why: str) -> dict[str, object]:
    return {"error": error, "code": code, "why": why}
