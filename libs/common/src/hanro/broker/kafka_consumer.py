"""Reads from Kafka as a member of a group, with offsets that move only when told."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, UnknownMemberIdError

from hanro.broker.answers import answered
from hanro.broker.protocol import BrokerAway, OnRevoked, Partition, Record

FETCH_BYTES = 4 * 1024 * 1024
PARTITION_BYTES = 1024 * 1024
COMMIT_SECONDS = 10.0
# The slowest member's batch, and the broker's own patience.
JOIN_SECONDS = 60.0
CLOSE_SECONDS = 5.0
REBALANCE_SECONDS = 0.02
# A member that joined while its topic was missing has no share, and learns of the topic by this alone.
METADATA_SECONDS = 10


class KafkaConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Be a member of a group on aiokafka: dynamic membership, a heartbeat each half second."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        topic_prefix: str,
        group: str,
        topics: Sequence[str],
        on_revoked: OnRevoked,
    ) -> None:
        self._topic_prefix = topic_prefix
        self._topics = [topic_prefix + topic for topic in topics]
        self._on_revoked = on_revoked
        self._is_rebalancing = False
        self._share = 0
        self._positions: dict[Partition, int] = {}
        self._connection = connection
        self._group = group
        self._inner: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Connect and join."""
        inner = AIOKafkaConsumer(
            **self._connection,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # A restart costs 0.1 s; static membership under changing names cost 10 s of silence.
            heartbeat_interval_ms=500,
            session_timeout_ms=10_000,
            rebalance_timeout_ms=45_000,
            max_poll_interval_ms=120_000,
            metadata_max_age_ms=METADATA_SECONDS * 1000,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_BYTES,
        )
        inner.subscribe(self._topics, listener=self)
        try:
            await answered("joining", inner.start(), JOIN_SECONDS)
        except (BrokerAway, asyncio.CancelledError):
            await _leave(inner)
            raise
        self._inner = inner

    async def fetch(self, *, limit: int, timeout_seconds: float) -> list[Record]:
        """Give up to `limit` records."""
        inner = self._started()
        if self._is_rebalancing:
            await asyncio.sleep(REBALANCE_SECONDS)
            return []
        # Where a rebalance begins meanwhile, aiokafka waits for its end: as long as joining may last.
        share, found = await answered(
            "fetching", self._take(inner, limit, timeout_seconds), timeout_seconds + JOIN_SECONDS
        )
        if self._share != share:
            # They may be another member's by now; whoever has them reads again from the committed offset.
            return []
        strip = len(self._topic_prefix)
        records: list[Record] = []
        # Without the constructor that Python generates: that took half as long as the rest of a fetch.
        make = tuple.__new__
        for (prefixed, number), messages in found.items():
            topic = prefixed[strip:]
            records += [
                make(Record, (topic, number, each.offset, each.key, each.value, each.headers, each.timestamp))
                for each in messages
            ]
            self._positions[topic, number] = messages[-1].offset + 1
        return records

    async def _take(
        self, inner: AIOKafkaConsumer, limit: int, timeout_seconds: float
    ) -> tuple[int, dict[TopicPartition, list[Any]]]:
        """Take records, and tell of which share they are.

        Not that in which the fetch began: what comes after a rebalance belongs to the new one. Taken for the old one
        it would be dropped behind a position that has moved on, and be lost.
        """
        found = await inner.getmany(timeout_ms=int(timeout_seconds * 1000), max_records=limit)
        return self._share, found

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the next offset to read for partitions that are held."""
        inner = self._started()
        held = inner.assignment()
        wanted = {self._full(partition): offset for partition, offset in offsets.items()}
        kept = {partition: offset for partition, offset in wanted.items() if partition in held}
        if not kept:
            return
        await answered("committing", _commit(inner, kept), COMMIT_SECONDS)

    async def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Read next from these offsets."""
        inner = self._started()
        held = inner.assignment()
        for partition, offset in offsets.items():
            if self._full(partition) in held:
                inner.seek(self._full(partition), offset)
                self._positions[partition] = offset

    async def lag(self) -> Mapping[Partition, int]:
        """Give how many records lie behind the position of each partition that was read from."""
        inner = self._started()
        ends = {partition: inner.highwater(self._full(partition)) for partition in self._positions}
        return {partition: end - self._positions[partition] for partition, end in ends.items() if end is not None}

    async def close(self) -> None:
        """Leave the group at once."""
        inner, self._inner = self._inner, None
        if inner is not None:
            await _leave(inner)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Wait for the batch in hand before others may have the partitions; aiokafka calls it."""
        self._is_rebalancing = True
        self._share += 1
        strip = len(self._topic_prefix)
        if revoked:
            await self._on_revoked([(partition.topic[strip:], partition.partition) for partition in revoked])
        self._positions.clear()

    async def on_partitions_assigned(self, _assigned: Collection[TopicPartition]) -> None:
        """Read again; aiokafka calls it."""
        self._is_rebalancing = False

    def _full(self, partition: Partition) -> TopicPartition:
        return TopicPartition(self._topic_prefix + partition[0], partition[1])

    def _started(self) -> AIOKafkaConsumer:
        if self._inner is None:
            raise BrokerAway("the consumer is closed")
        return self._inner


async def _commit(inner: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
    # The group went on without us: the next owner reads again, and the inbox knows it already.
    with suppress(CommitFailedError, IllegalStateError, UnknownMemberIdError):
        await inner.commit(offsets)


async def _leave(inner: AIOKafkaConsumer) -> None:
    try:
        await answered("leaving", inner.stop(), CLOSE_SECONDS)
    except BrokerAway:
        # The broker forgets a silent member by itself; what aiokafka still runs must end here.
        for part in (inner._fetcher, inner._client):  # noqa: SLF001  a stop that was cut short leaves them running
            if part is not None:
                with suppress(BrokerAway):
                    await answered("closing", part.close(), CLOSE_SECONDS)
