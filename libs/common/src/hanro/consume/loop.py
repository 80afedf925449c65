"""Runs a subscription: fetch, put into the database, then move the offsets."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from hanro import dead_letters, failpoints
from hanro.broker import Broker, BrokerAway, Consumer, Partition, Record
from hanro.clock import Clock
from hanro.db import Database, Transaction, is_away, is_conflict, state_of
from hanro.effects import Effect, put
from hanro.errors import ContractBroken, Retryable
from hanro.events.envelope import Received, decode
from hanro.subscriptions import Observer, Subscription
from hanro.waiting import Backoff, rest

Known = TypeVar("Known")
Change = TypeVar("Change")

BATCH = 500
FETCH_SECONDS = 0.5
HANDLER_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 5.0
# 42: our SQL is wrong, or the schema is not the one that it was written for: no record's fault.
_OUR_FAULT = "42"

Failed = tuple[Record, Exception]


async def consume(
    db: Database,
    broker: Broker,
    subscription: Subscription[Known, Change],
    *,
    clock: Clock,
    stop: asyncio.Event,
    observer: Observer | None = None,
) -> None:
    """Consume until `stop`; the batch in hand is finished first, then the group is left at once.

    A broker or database that is away is waited for, and never makes a dead letter. A bug in SQL ends the loop; any
    other failure that one record causes is that record's dead letter.
    """
    handler = _Handler(db, subscription, clock, observer)
    backoff = Backoff()
    while not stop.is_set():
        reader = _Reader(broker, handler, clock, stop)
        try:
            await reader.run()
        except BrokerAway:
            handler.note_paused("broker")
            await rest(clock, backoff.pause(), stop)


class _Delayed(Exception):
    """The batch must come again."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds


class _Reader(Generic[Known, Change]):
    """Hold one membership of the group."""

    def __init__(self, broker: Broker, handler: "_Handler[Known, Change]", clock: Clock, stop: asyncio.Event) -> None:
        self._broker = broker
        self._handler = handler
        self._clock = clock
        self._stop = stop
        self._hand = asyncio.Lock()
        self._backoff = Backoff()

    async def run(self) -> None:
        topics = self._handler.subscription.topics
        await self._broker.ensure_topics(topics)
        consumer = self._broker.consumer(self._handler.subscription.name, topics, self._on_revoked)
        try:
            await self._start(consumer)
            while not self._stop.is_set():
                records = await consumer.fetch(limit=BATCH, timeout_seconds=FETCH_SECONDS)
                if records and (pause := await self._handle(consumer, records)):
                    await rest(self._clock, pause, self._stop)
        finally:
            await consumer.close()

    async def _start(self, consumer: Consumer) -> None:
        # Joining lasts as long as the slowest member's batch; a process that is told to stop does not wait for that.
        starting, stopping = asyncio.ensure_future(consumer.start()), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting

    async def _handle(self, consumer: Consumer, records: Sequence[Record]) -> float:
        """Handle a batch and give the pause until the next, 0 where it was stored."""
        async with self._hand:
            try:
                async with asyncio.timeout(HANDLER_SECONDS):
                    await self._handler.handle(records)
            except TimeoutError:
                delayed = _Delayed("handler")
            except _Delayed as error:
                delayed = error
            else:
                # Records of a partition are in order: the last one wins.
                await consumer.commit({(record.topic, record.partition): record.offset + 1 for record in records})
                self._backoff.reset()
                await self._handler.note_lag(consumer)
                return 0.0
            self._handler.note_paused(delayed.why)
            first = {(record.topic, record.partition): record.offset for record in reversed(records)}
            await consumer.seek(first)
            return min(delayed.seconds or self._backoff.pause(), LONGEST_PAUSE_SECONDS)

    async def _on_revoked(self, _partitions: Collection[Partition]) -> None:
        # The batch in hand and its commit come first.
        async with self._hand:
            return


@dataclass(frozen=True, slots=True)
class _Batch:
    """Hold the newest fact of each aggregate with its record, and what could not be read."""

    facts: dict[str, tuple[Received, Record]]
    superseded: dict[str, int]
    failed: list[Failed]
    skipped: int


class _Handler(Generic[Known, Change]):
    """Put batches into the database."""

    def __init__(
        self, db: Database, subscription: Subscription[Known, Change], clock: Clock, observer: Observer | None
    ) -> None:
        self.subscription = subscription
        self._db = db
        self._clock = clock
        self._observer = observer
        self._wanted = subscription.wanted

    async def handle(self, records: Sequence[Record]) -> None:
        """Store the effect of a batch, and dead letters for what has none; raises _Delayed."""
        batch = self._read(records)
        if batch.facts or batch.failed:
            await self._store(list(batch.facts.values()), batch.failed, batch.superseded)
        failpoints.reach("consume.after_commit")
        if self._observer is not None and batch.skipped:
            self._observer.handled(self.subscription.name, applied=0, stale=0, skipped=batch.skipped, dead=0)

    def note_paused(self, why: str) -> None:
        if self._observer is not None:
            self._observer.paused(self.subscription.name, why)

    async def note_lag(self, consumer: Consumer) -> None:
        if self._observer is not None:
            for (topic, partition), count in (await consumer.lag()).items():
                self._observer.lag(self.subscription.name, topic, partition, count)

    def _read(self, records: Sequence[Record]) -> _Batch:
        facts: dict[str, tuple[Received, Record]] = {}
        superseded: dict[str, int] = {}
        failed: list[Failed] = []
        skipped = 0
        for record in records:
            try:
                if record.value is None:
                    raise ContractBroken("the message has no value", code="unreadable")  # noqa: TRY301  handled as the rest
                received = decode(record.headers, record.value, self._wanted)
            except Exception as error:  # noqa: BLE001  whatever it is, it names its culprit: that record's dead letter
                failed.append((record, error))
                continue
            if received is None:
                skipped += 1
                continue
            aggregate_id = received.fact.id
            known = facts.get(aggregate_id)
            if known is None:
                facts[aggregate_id] = (received, record)
                continue
            superseded[aggregate_id] = superseded.get(aggregate_id, 0) + 1
            if known[0].fact.version < received.fact.version:
                facts[aggregate_id] = (received, record)
        return _Batch(facts, superseded, failed, skipped)

    async def _store(
        self, facts: Sequence[tuple[Received, Record]], failed: Sequence[Failed], superseded: dict[str, int]
    ) -> None:
        try:
            await self._store_again_after_conflicts(facts, failed, superseded)
        except Retryable as error:
            raise _Delayed("retryable", error.after.total_seconds() if error.after else None) from error
        except Exception as error:
            if is_away(error) or is_conflict(error):
                raise _Delayed("database") from error
            if not facts or state_of(error).startswith(_OUR_FAULT):
                raise
            if len(facts) == 1:
                await self._store([], [*failed, (facts[0][1], error)], superseded)
                return
            middle = len(facts) // 2
            await self._store(facts[:middle], failed, superseded)
            await self._store(facts[middle:], [], superseded)

    async def _store_again_after_conflicts(
        self, facts: Sequence[tuple[Received, Record]], failed: Sequence[Failed], superseded: dict[str, int]
    ) -> None:
        records = {received.fact.id: record for received, record in facts}
        received = [received for received, _ in facts]

        async def work(tx: Transaction) -> tuple[Effect | None, int]:
            effect = await put(tx, self.subscription, received, superseded) if received else None
            culprits = effect.failures if effect else {}
            dead = [*failed, *((records[culprit], error) for culprit, error in culprits.items())]
            await dead_letters.save(tx, self.subscription.name, dead)
            return effect, len(dead)

        effect, dead = await self._db.run(work)
        self._note_handled(effect, dead)

    def _note_handled(self, effect: Effect | None, dead: int) -> None:
        if self._observer is None:
            return
        name = self.subscription.name
        applied, stale, gaps = (effect.applied, effect.stale, effect.gaps) if effect else (0, 0, 0)
        self._observer.handled(name, applied=applied, stale=stale, skipped=0, dead=dead)
        if gaps:
            self._observer.gaps(name, gaps)
