"""Puts batches of records into the database: what was read, what it changed, what could not be handled."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hanro import dead_letters, failpoints
from hanro.broker import Consumer, Partition, Record
from hanro.db import Database, Transaction, is_passing, state_of
from hanro.effects import Effect, put
from hanro.errors import ContractBroken, Retryable
from hanro.events.envelope import Received, decode
from hanro.log import logger
from hanro.subscriptions import Observer, Subscription

Known = TypeVar("Known")
Change = TypeVar("Change")

SLICE = 250
# 42: our SQL is wrong, or the schema is not the one that it was written for: no record's fault.
_OUR_FAULT = "42"

Failed = tuple[Record, Exception]

log = logger(__name__)


class Delayed(Exception):
    """The batch must come again; `seconds` is how long to wait at least, None where nobody said."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds


@dataclass(slots=True)
class Batch:
    """Hold the newest fact of each aggregate with its record, and what could not be read.

    `generation` is that of the share of partitions which the records were read from.
    """

    records: Sequence[Record]
    generation: int
    facts: dict[str, tuple[Received, Record]] = field(default_factory=dict)
    superseded: dict[str, int] = field(default_factory=dict)
    failed: list[Failed] = field(default_factory=list)
    skipped: int = 0

    def first_offsets(self) -> dict[Partition, int]:
        """Give where the batch begins."""
        return {(record.topic, record.partition): record.offset for record in reversed(self.records)}

    def next_offsets(self) -> dict[Partition, int]:
        """Give what to read when the batch is done: records of a partition are in order, the last one wins."""
        return {(record.topic, record.partition): record.offset + 1 for record in self.records}


class Handler(Generic[Known, Change]):
    """Put batches into the database."""

    def __init__(self, db: Database, subscription: Subscription[Known, Change], observer: Observer | None) -> None:
        self.subscription = subscription
        self._db = db
        self._observer = observer
        self._wanted = subscription.wanted

    async def read(self, records: Sequence[Record], generation: int) -> Batch:
        """Decode records one by one, letting others run between slices."""
        batch = Batch(records=records, generation=generation)
        for start in range(0, len(records), SLICE):
            self._read_slice(batch, records[start : start + SLICE])
            await asyncio.sleep(0)
        return batch

    async def store(self, batch: Batch) -> None:
        """Store the effect of a batch, and dead letters for what has none.

        Raises:
            Delayed: the same batch must come again.
        """
        if batch.facts or batch.failed:
            await self._store(list(batch.facts.values()), batch.failed, batch.superseded)
        failpoints.reach("consume.after_commit")
        if self._observer is not None and batch.skipped:
            self._observer.handled(self.subscription.name, applied=0, stale=0, skipped=batch.skipped, dead=0)

    def note_paused(self, why: str) -> None:
        """Note that nothing can be handled for now."""
        if self._observer is not None:
            self._observer.paused(self.subscription.name, why)

    async def note_lag(self, consumer: Consumer) -> None:
        """Note how far behind each partition is."""
        if self._observer is not None:
            for (topic, partition), count in (await consumer.lag()).items():
                self._observer.lag(self.subscription.name, topic, partition, count)

    def _read_slice(self, batch: Batch, records: Sequence[Record]) -> None:
        facts = batch.facts
        for record in records:
            try:
                if record.value is None:
                    raise ContractBroken("the message has no value", code="unreadable")  # noqa: TRY301  handled as the rest
                received = decode(record.headers, record.value, self._wanted)
            except Exception as error:  # noqa: BLE001  whatever it is, it names its culprit: that record's dead letter
                batch.failed.append((record, error))
                continue
            if received is None:
                batch.skipped += 1
                continue
            aggregate_id = received.fact.id
            known = facts.get(aggregate_id)
            if known is None:
                facts[aggregate_id] = (received, record)
                continue
            batch.superseded[aggregate_id] = batch.superseded.get(aggregate_id, 0) + 1
            if known[0].fact.version < received.fact.version:
                facts[aggregate_id] = (received, record)

    async def _store(
        self, facts: Sequence[tuple[Received, Record]], failed: Sequence[Failed], superseded: dict[str, int]
    ) -> None:
        try:
            await self._store_again_after_conflicts(facts, failed, superseded)
        except Retryable as error:
            raise Delayed("retryable", error.after.total_seconds() if error.after else None) from error
        except Exception as error:
            if is_passing(error):
                raise Delayed("database") from error
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
        received = [received for received, _ in facts]

        async def work(tx: Transaction) -> tuple[Effect | None, Sequence[Failed]]:
            effect = await put(tx, self.subscription, received, superseded) if received else None
            dead = [*failed, *_blamed(facts, effect.failures)] if effect and effect.failures else failed
            await dead_letters.save(tx, self.subscription.name, dead)
            return effect, dead

        effect, dead = await self._db.run(work)
        self._note_handled(effect, dead)

    def _note_handled(self, effect: Effect | None, dead: Sequence[Failed]) -> None:
        name = self.subscription.name
        for record, error in dead:
            code, cause = dead_letters.describe(error)
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            log.error("consume.dead_letter", consumer=name, code=code, why=cause, **place)
        if self._observer is None:
            return
        applied, stale, gaps = (effect.applied, effect.stale, effect.gaps) if effect else (0, 0, 0)
        self._observer.handled(name, applied=applied, stale=stale, skipped=0, dead=len(dead))
        if gaps:
            self._observer.gaps(name, gaps)


def _blamed(facts: Sequence[tuple[Received, Record]], failures: Mapping[str, Exception]) -> list[Failed]:
    records = {received.fact.id: record for received, record in facts}
    return [(records[culprit], error) for culprit, error in failures.items()]
