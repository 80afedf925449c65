"""Publishes what the outbox holds: one lane a service, however many processes there are."""

import asyncio
import random
from collections.abc import Sequence
from typing import Protocol

import asyncpg

from hanro import archive, failpoints
from hanro.broker import Broker, BrokerAway, Message, Producer, Refused
from hanro.clock import Clock
from hanro.db import Database, Transaction, is_passing
from hanro.log import logger
from hanro.outbox.recording import RECORDED
from hanro.waiting import Backoff, rest

BATCH = 500
SEND_SECONDS = 10.0
POLL_SECONDS = 0.5
REFUSED_SECONDS = 0.015
# A new topic, then a missing day: more than that is a bug.
PREPARATIONS = 2

_log = logger(__name__)

_LANE = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
_LANE_AWAITED = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
# A statement of its own behind the lock: its snapshot sees what the last holder deleted.
_HEAD = "select id, event_id, topic, type, key, headers, value from outbox order by id limit $1 for update"
_BURY = """
    with dead as (
        delete from outbox using unnest($1::bigint[], $2::text[]) as given (dead_id, why)
        where id = dead_id returning outbox.*, why
    )
    insert into outbox_dead (id, event_id, topic, type, key, headers, value, why)
    select id, event_id, topic, type, key, headers, value, why from dead
"""


class RelayObserver(Protocol):
    """Hear what a relay did, for metrics and alarms; calls return at once and never raise."""

    def published(self, count: int) -> None:
        """Note rows that the broker has taken and that are archived now."""

    def refused(self, fact_type: str, why: str) -> None:
        """Note a row that the broker will never take: it stands in `outbox_dead`. Somebody must look."""

    def waiting(self, why: str) -> None:
        """Note that nothing can be published for now: `broker` or `database`."""


class Relay:
    """Publish the facts of one schema; `source` names the service, for example `/order-svc`.

    Every process of a service runs one; whoever has the lane publishes. Each fact comes at least once, those of a key
    in the order in which they were recorded.
    """

    def __init__(
        self, db: Database, broker: Broker, *, source: str, clock: Clock, observer: RelayObserver | None = None
    ) -> None:
        self._db = db
        self._broker = broker
        self._source = source
        self._clock = clock
        self._observer = observer
        self._woken = asyncio.Event()
        self._backoff = Backoff()
        self._topics: set[str] = set()

    def wake(self) -> None:
        """Look at once instead of at the next poll."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`, finishing the batch in hand; a broker or database that is away is waited for."""
        producer = self._broker.producer()
        with self._db.signals.listening(RECORDED, self.wake):
            try:
                await self._until_there(producer.start, stop)
                while not stop.is_set():
                    await self._turn(producer, stop)
            finally:
                await producer.close()

    async def _turn(self, producer: Producer, stop: asyncio.Event) -> None:
        self._woken.clear()
        try:
            count = await self._publish_prepared(producer)
        except BrokerAway:
            # A broker that comes back may have lost its topics.
            self._topics.clear()
            self._note_waiting("broker")
            await rest(self._clock, self._backoff.pause(), stop)
            # What was sent may still be under way: the next batch must not overtake it.
            await self._until_there(lambda: producer.flush(timeout_seconds=SEND_SECONDS), stop)
        except Exception as error:
            if not is_passing(error):
                raise
            self._note_waiting("database")
            await rest(self._clock, self._backoff.pause(), stop)
        else:
            self._backoff.reset()
            if count is None:
                # Who holds the lane may have looked before our commit: ask until it was ours once.
                await rest(self._clock, REFUSED_SECONDS, stop)
            elif count < BATCH:
                await rest(self._clock, POLL_SECONDS * random.uniform(0.8, 1.2), stop, self._woken)  # noqa: S311  no secret

    async def _publish_prepared(self, producer: Producer) -> int | None:
        for _ in range(PREPARATIONS):
            try:
                return await self._publish(producer)
            except _UnknownTopics as unknown:
                # Outside of the transaction: it may take as long as sending.
                await self._broker.ensure_topics(unknown.names)
                self._topics.update(unknown.names)
            except asyncpg.CheckViolationError:
                # The only checked thing that a pass writes is the archive's day: its partition is missing.
                async with self._db.begin() as tx:
                    await archive.prune(tx)
        return await self._publish(producer)

    async def _publish(self, producer: Producer) -> int | None:
        """Send one batch and count it; None where another process has the lane."""
        async with self._db.begin() as tx:
            if not (await tx.fetch(_LANE, _lane(tx)))[0][0]:
                return None
            rows = await tx.fetch(_HEAD, BATCH)
            if not rows:
                return 0
            messages = [
                Message(
                    topic=row["topic"],
                    key=row["key"].encode(),
                    value=row["value"],
                    headers=archive.unpack_headers(row["headers"], self._source),
                )
                for row in rows
            ]
            if unknown := {message.topic for message in messages} - self._topics:
                raise _UnknownTopics(sorted(unknown))
            answers = await producer.send_all(messages, timeout_seconds=SEND_SECONDS)
            failpoints.reach("relay.after_ack")
            refused = {
                row["id"]: answer.why for row, answer in zip(rows, answers, strict=True) if isinstance(answer, Refused)
            }
            if refused:
                await tx.execute(_BURY, list(refused), list(refused.values()))
            await archive.move(tx, [row["id"] for row in rows if row["id"] not in refused], self._source)
        self._note(rows, refused)
        return len(rows)

    async def _until_there(self, attempt: "Attempt", stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await attempt()
            except BrokerAway:
                self._note_waiting("broker")
                await rest(self._clock, self._backoff.pause(), stop)
            else:
                return

    def _note(self, rows: Sequence[asyncpg.Record], refused: dict[int, str]) -> None:
        for row in rows:
            if row["id"] in refused:
                _log.error("relay.refused", event_id=row["event_id"], type=row["type"], why=refused[row["id"]])
        if self._observer is None:
            return
        self._observer.published(len(rows) - len(refused))
        for row in rows:
            if row["id"] in refused:
                self._observer.refused(row["type"], refused[row["id"]])

    def _note_waiting(self, why: str) -> None:
        if self._observer is not None:
            self._observer.waiting(why)


async def wait_for_lane(tx: Transaction) -> None:
    """Wait until no relay publishes: what it had sent is archived; none publishes until this transaction ends."""
    await tx.fetch(_LANE_AWAITED, _lane(tx))


def _lane(tx: Transaction) -> str:
    return f"hanro outbox {tx.schema}"


class Attempt(Protocol):
    """Try to reach the broker; raises BrokerAway."""

    async def __call__(self) -> None:
        """Try once."""


class _UnknownTopics(Exception):
    def __init__(self, names: list[str]) -> None:
        super().__init__(*names)
        self.names = names
