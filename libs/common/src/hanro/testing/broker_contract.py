"""Says what every broker must do; a test module inherits the suite and gives a `broker` fixture.

Topics are made by the suite, with names of their own, so that one real broker serves all cases.
"""

# ruff: noqa: S101, PLR2004  a suite of tests: it asserts, and its values stand in the test

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import pytest

from hanro.broker import Broker, BrokerAway, Consumer, Message, Partition, Record, Refused

SECONDS = 10.0
HEADERS = (("ce_id", b"evt_1"), ("raw", b"\xff\x00"))


async def _pass(_partitions: Collection[Partition]) -> None:
    """Let partitions go at once."""


def messages(topic: str, count: int, keys: int = 7) -> list[Message]:
    """Make messages numbered in their value, spread over some keys."""
    return [Message(topic, f"key-{number % keys}".encode(), str(number).encode(), HEADERS) for number in range(count)]


async def send(broker: Broker, sent: Sequence[Message]) -> list[Refused | None]:
    """Send with a producer of its own."""
    producer = broker.producer()
    await producer.start()
    try:
        return await producer.send_all(sent, timeout_seconds=SECONDS)
    finally:
        await producer.close()


async def read(consumer: Consumer, count: int) -> list[Record]:
    """Fetch until so many records are there; fails after 10 s."""
    found: list[Record] = []
    async with asyncio.timeout(SECONDS):
        while len(found) < count:
            found += await consumer.fetch(limit=500, timeout_seconds=0.2)
    return found


@asynccontextmanager
async def member(
    broker: Broker, group: str, topic: str, on_revoked: Callable[..., object] = _pass
) -> AsyncIterator[Consumer]:
    """Join a group for a block."""
    consumer = broker.consumer(group, [topic], on_revoked)  # type: ignore[arg-type]  # tests pass coroutine functions
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.close()


def offsets_behind(records: Sequence[Record]) -> dict[Partition, int]:
    """Give the offsets that say: all of these are done."""
    return {(record.topic, record.partition): record.offset + 1 for record in records}


class BrokerContract:
    """Prove a broker; a subclass's module gives the fixture `broker`."""

    @pytest.fixture
    async def topic(self, broker: Broker) -> str:
        """Make a topic of 12 partitions for one test."""
        name = f"hanro.test.{secrets.token_hex(4)}"
        await broker.ensure_topics([name])
        return name

    async def test_a_message_arrives_as_it_was_sent(self, broker: Broker, topic: str) -> None:
        """Key, bytes and headers are the same; the topic has no prefix."""
        await send(broker, [Message(topic, b"ord_1", b"\x00\xff", HEADERS)])
        async with member(broker, "g", topic) as consumer:
            (record,) = await read(consumer, 1)
        assert (record.topic, record.key, record.value, tuple(record.headers)) == (
            topic,
            b"ord_1",
            b"\x00\xff",
            HEADERS,
        )
        assert record.offset == 0

    async def test_messages_of_one_key_stay_in_order(self, broker: Broker, topic: str) -> None:
        """Order is kept within a key, and a key has one partition."""
        await send(broker, messages(topic, 300))
        async with member(broker, "g", topic) as consumer:
            found = await read(consumer, 300)
        for key in {record.key for record in found}:
            mine = [record for record in found if record.key == key]
            assert [int(record.value or b"") for record in mine] == sorted(int(record.value or b"") for record in mine)
            assert len({record.partition for record in mine}) == 1

    async def test_two_groups_each_read_everything(self, broker: Broker, topic: str) -> None:
        """Groups do not take from each other."""
        await send(broker, messages(topic, 20))
        async with member(broker, "g", topic) as one, member(broker, "h", topic) as other:
            assert len(await read(one, 20)) == len(await read(other, 20)) == 20

    async def test_a_fetch_gives_no_more_than_its_limit(self, broker: Broker, topic: str) -> None:
        """The rest comes with the next fetch, once."""
        await send(broker, messages(topic, 30))
        async with member(broker, "g", topic) as consumer:
            found: list[Record] = []
            async with asyncio.timeout(SECONDS):
                while len(found) < 30:
                    part = await consumer.fetch(limit=10, timeout_seconds=0.2)
                    assert len(part) <= 10
                    found += part
        assert sorted(int(record.value or b"") for record in found) == list(range(30))

    async def test_a_fetch_without_records_ends_by_itself(self, broker: Broker, topic: str) -> None:
        """Nothing is an empty list, not an error."""
        async with member(broker, "g", topic) as consumer:
            assert await consumer.fetch(limit=10, timeout_seconds=0.05) == []

    async def test_what_was_committed_does_not_come_again(self, broker: Broker, topic: str) -> None:
        """The next member begins behind it."""
        await send(broker, messages(topic, 10, keys=1))
        async with member(broker, "g", topic) as consumer:
            await consumer.commit(offsets_behind((await read(consumer, 10))[:4]))
        async with member(broker, "g", topic) as consumer:
            assert [int(record.value or b"") for record in await read(consumer, 6)] == [4, 5, 6, 7, 8, 9]

    async def test_what_was_not_committed_comes_again(self, broker: Broker, topic: str) -> None:
        """A member that dies leaves its work to the next."""
        await send(broker, messages(topic, 10))
        async with member(broker, "g", topic) as consumer:
            assert len(await read(consumer, 10)) == 10
        async with member(broker, "g", topic) as consumer:
            assert len(await read(consumer, 10)) == 10

    async def test_seeking_back_reads_again(self, broker: Broker, topic: str) -> None:
        """A batch that could not be stored is fetched anew by the same member."""
        await send(broker, messages(topic, 10, keys=1))
        async with member(broker, "g", topic) as consumer:
            first = await read(consumer, 10)
            await consumer.seek({(topic, first[0].partition): 3})
            assert [int(record.value or b"") for record in await read(consumer, 7)] == [3, 4, 5, 6, 7, 8, 9]

    async def test_the_lag_counts_what_lies_behind_the_position(self, broker: Broker, topic: str) -> None:
        """Read all: no lag; seek back: lag."""
        await send(broker, messages(topic, 10, keys=1))
        async with member(broker, "g", topic) as consumer:
            (partition,) = {(record.topic, record.partition) for record in await read(consumer, 10)}
            assert (await consumer.lag())[partition] == 0
            await consumer.seek({partition: 3})
            assert (await consumer.lag())[partition] == 7

    async def test_a_second_member_takes_over_a_share(self, broker: Broker, topic: str) -> None:
        """Both read, nobody reads the other's, together they read all."""
        async with member(broker, "g", topic) as one:
            await one.fetch(limit=10, timeout_seconds=0.05)
            async with member(broker, "g", topic) as other:
                await _settle(one, other)
                await send(broker, messages(topic, 200, keys=100))
                mine, theirs = await _read_both(one, other, 200)
        assert mine
        assert theirs
        assert not {record.partition for record in mine} & {record.partition for record in theirs}

    async def test_a_partition_goes_over_after_the_batch_in_hand(self, broker: Broker, topic: str) -> None:
        """What is committed while `on_revoked` waits does not come to the next member."""
        await send(broker, messages(topic, 100, keys=50))
        is_done, is_asked = asyncio.Event(), asyncio.Event()

        async def wait_for_batch(_partitions: Collection[Partition]) -> None:
            is_asked.set()
            await is_done.wait()

        async with member(broker, "g", topic, wait_for_batch) as one:
            in_hand = await read(one, 100)
            joining = asyncio.ensure_future(_join_and_read(broker, topic))
            async with asyncio.timeout(SECONDS):
                await is_asked.wait()
                await one.commit(offsets_behind(in_hand))
                is_done.set()
                assert await joining == []

    async def test_a_fetch_that_waits_through_a_rebalance_loses_nothing(self, broker: Broker, topic: str) -> None:
        """What it is given then is nobody else's, and its position has moved on: dropped, it would never come again."""
        revoked: asyncio.Queue[int] = asyncio.Queue()

        async def note(partitions: Collection[Partition]) -> None:
            revoked.put_nowait(len(partitions))

        async with member(broker, "g", topic, note) as one:
            waiting = asyncio.ensure_future(one.fetch(limit=500, timeout_seconds=SECONDS))
            await asyncio.sleep(0.1)
            async with asyncio.timeout(SECONDS):
                async with member(broker, "g", topic):
                    await revoked.get()
                await revoked.get()
            await send(broker, messages(topic, 60, keys=50))
            found = await waiting
            found += await read(one, 60 - len(found))
        assert sorted(int(record.value or b"") for record in found) == list(range(60))

    async def test_a_message_over_the_limit_is_refused_and_the_others_are_taken(
        self, broker: Broker, topic: str
    ) -> None:
        """One bad message in a batch names itself; those before and behind it arrive."""
        good, bad = messages(topic, 4, keys=1), Message(topic, b"key-0", b"x" * 2_000_000, ())
        answers = await send(broker, [*good[:2], bad, *good[2:]])
        assert [isinstance(answer, Refused) for answer in answers] == [False, False, True, False, False]
        async with member(broker, "g", topic) as consumer:
            found = await read(consumer, 4)
        assert [int(record.value or b"") for record in found if record.value is not None] == [0, 1, 2, 3]

    async def test_large_messages_arrive_in_order_with_small_ones(self, broker: Broker, topic: str) -> None:
        """900 KB, the most that a fact may have, is no trouble."""
        large = [Message(topic, b"key-0", bytes([number]) * 900 * 1024, ()) for number in range(3)]
        small = messages(topic, 3, keys=1)
        sent = [message for pair in zip(large, small, strict=True) for message in pair]
        assert await send(broker, sent) == [None] * 6
        async with member(broker, "g", topic) as consumer:
            assert [record.value for record in await read(consumer, 6)] == [message.value for message in sent]

    async def test_making_a_topic_twice_changes_nothing(self, broker: Broker, topic: str) -> None:
        """What was sent is still there."""
        await send(broker, messages(topic, 3))
        await broker.ensure_topics([topic])
        async with member(broker, "g", topic) as consumer:
            assert len(await read(consumer, 3)) == 3

    async def test_the_ends_of_topics_count_what_each_partition_ever_held(self, broker: Broker, topic: str) -> None:
        """Partitions without a record end at 0; of a topic that is not there nothing can be told."""
        assert set((await broker.ends([topic])).values()) == {0}
        await send(broker, messages(topic, 20))
        ends = await broker.ends([topic])
        assert sum(ends.values()) == 20
        async with member(broker, "g", topic) as consumer:
            offsets = offsets_behind(await read(consumer, 20))
        assert {place: end for place, end in ends.items() if end} == offsets
        with pytest.raises(BrokerAway):
            await broker.ends([topic, f"{topic}.missing"])


async def _join_and_read(broker: Broker, topic: str) -> list[Record]:
    async with member(broker, "g", topic) as other:
        return await other.fetch(limit=100, timeout_seconds=1.0)


async def _settle(one: Consumer, other: Consumer) -> None:
    # A member learns of a rebalance by its heartbeat, each half second.
    for _ in range(10):
        await asyncio.gather(
            one.fetch(limit=1, timeout_seconds=0.1),
            other.fetch(limit=1, timeout_seconds=0.1),
        )


async def _read_both(one: Consumer, other: Consumer, count: int) -> tuple[list[Record], list[Record]]:
    mine: list[Record] = []
    theirs: list[Record] = []
    async with asyncio.timeout(SECONDS):
        while len(mine) + len(theirs) < count:
            mine += await one.fetch(limit=500, timeout_seconds=0.1)
            theirs += await other.fetch(limit=500, timeout_seconds=0.1)
    return mine, theirs
