"""Runs a subscription: fetch, put into the database, then move the offsets; the next batch is read meanwhile."""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from hanro.broker import Broker, BrokerAway, Consumer, Partition, Record
from hanro.clock import Clock
from hanro.consume.handling import Batch, Delayed, Handler
from hanro.db import Database
from hanro.subscriptions import Observer, Subscription
from hanro.waiting import Backoff, rest

Known = TypeVar("Known")
Change = TypeVar("Change")
Result = TypeVar("Result")

BATCH = 500
FETCH_SECONDS = 0.5
HANDLER_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 5.0


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
    handler = Handler(db, subscription, observer)
    backoff = Backoff()
    while not stop.is_set():
        try:
            await _Reader(broker, handler, clock, stop).run()
        except BrokerAway:
            handler.note_paused("broker")
            await rest(clock, backoff.pause(), stop)


class _Reader(Generic[Known, Change]):
    """Hold one membership of the group."""

    def __init__(self, broker: Broker, handler: Handler[Known, Change], clock: Clock, stop: asyncio.Event) -> None:
        self._broker = broker
        self._handler = handler
        self._clock = clock
        self._stop = stop
        self._hand = asyncio.Lock()
        self._generation = 0
        self._backoff = Backoff()
        self._stopping: asyncio.Future[Any] = asyncio.Future()

    async def run(self) -> None:
        topics = self._handler.subscription.topics
        await self._broker.ensure_topics(topics)
        consumer = self._broker.consumer(self._handler.subscription.name, topics, self._on_revoked)
        self._stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await self._unless_stopped(consumer.start())
            batch: Batch | None = None
            while batch is not None or not self._stop.is_set():
                batch = await self._store_and_read(consumer, batch)
        finally:
            self._stopping.cancel()
            await consumer.close()

    async def _store_and_read(self, consumer: Consumer, batch: Batch | None) -> Batch | None:
        """Store a batch while the next is read, and give that; None where there is none, or both must come again."""
        async with asyncio.TaskGroup() as group:
            # What fails does not end the other half: its outcome says so.
            reading = group.create_task(_outcome(self._read(consumer)))
            pause = await _outcome(self._store(consumer, batch))
        ahead = reading.result()
        if isinstance(pause, Exception):
            raise pause
        if isinstance(ahead, Exception):
            raise ahead
        if batch is None or not pause:
            return ahead
        await consumer.seek((ahead.first_offsets() if ahead else {}) | batch.first_offsets())
        await rest(self._clock, pause, self._stop)
        return None

    async def _read(self, consumer: Consumer) -> Batch | None:
        if self._stop.is_set():
            return None
        fetched = await self._unless_stopped(self._fetch(consumer))
        if not fetched or self._stop.is_set():
            return None
        generation, records = fetched
        return await self._handler.read(records, generation) if records else None

    async def _fetch(self, consumer: Consumer) -> tuple[int, Sequence[Record]]:
        records = await consumer.fetch(limit=BATCH, timeout_seconds=FETCH_SECONDS)
        # Not before: a fetch may wait through a rebalance, and gives what belongs to the share behind it.
        return self._generation, records

    async def _store(self, consumer: Consumer, batch: Batch | None) -> float:
        """Store a batch and move the offsets; give the pause until it must come again, 0 where it is done."""
        if batch is None:
            return 0.0
        async with self._hand:
            if batch.generation != self._generation:
                # Its partitions went to somebody, perhaps to us: they are read again from the committed offset.
                return 0.0
            try:
                async with asyncio.timeout(HANDLER_SECONDS):
                    await self._handler.store(batch)
            except TimeoutError:
                delayed = Delayed("handler")
            except Delayed as error:
                delayed = error
            else:
                await consumer.commit(batch.next_offsets())
                self._backoff.reset()
                await self._handler.note_lag(consumer)
                return 0.0
            self._handler.note_paused(delayed.why)
            return min(delayed.seconds or self._backoff.pause(), LONGEST_PAUSE_SECONDS)

    async def _on_revoked(self, _partitions: Collection[Partition]) -> None:
        # The batch in hand and its commit come first; what was read ahead is dropped.
        self._generation += 1
        async with self._hand:
            return

    async def _unless_stopped(self, work: Awaitable[Result]) -> Result | None:
        """Wait for something, but not when the process is told to stop: joining may last as long as another's batch."""
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait([working, self._stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
        with suppress(asyncio.CancelledError):
            return await working
        return None


async def _outcome(work: Awaitable[Result]) -> Result | Exception:
    try:
        return await work
    except Exception as error:  # noqa: BLE001  handed to who waits for both
        return error
