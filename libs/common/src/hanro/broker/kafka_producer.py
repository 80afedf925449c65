"""Sends to Kafka: idempotent, acknowledged by all replicas in sync."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from aiokafka.partitioner import DefaultPartitioner

from hanro.broker.answers import answered
from hanro.broker.protocol import BrokerAway, Message, Refused

BATCH_BYTES = 256 * 1024
CLOSE_SECONDS = 5.0
ANSWER_SECONDS = 10.0
# Flushes in a row that may fail before the producer is taken for broken.
PATIENCE = 3
# What Kafka takes by default is 1,048,588 bytes a batch, with what stands around a message.
MOST_BYTES = 1_000_000
_PARTITIONER = DefaultPartitioner()
_FOR_GOOD = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTopicError)


class KafkaProducer:
    """Be a producer on aiokafka; made anew after a refusal, which leaves a gap in the numbers of its batches."""

    def __init__(self, connection: Mapping[str, Any], topic_prefix: str) -> None:
        self._connection = connection
        self._topic_prefix = topic_prefix
        self._inner: AIOKafkaProducer | None = None
        self._stuck_count = 0

    async def start(self) -> None:
        """Connect."""
        if self._inner is not None:
            return
        inner = AIOKafkaProducer(
            **self._connection,
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=10_000,
        )
        try:
            await answered("connecting", inner.start(), ANSWER_SECONDS)
        except (BrokerAway, asyncio.CancelledError):
            await _disconnect(inner)
            raise
        self._inner = inner
        self._stuck_count = 0

    async def send_all(self, messages: Sequence[Message], *, timeout_seconds: float) -> list[Refused | None]:
        """Send all and wait for all."""
        await self.start()
        return _answers(await answered("sending", self._send_or_blame(messages), timeout_seconds))

    async def flush(self, *, timeout_seconds: float) -> None:
        """Wait until nothing sent before is under way; a producer that stays stuck is made anew."""
        await self.start()
        try:
            await answered("flushing", self._started().flush(), timeout_seconds)
        except BrokerAway:
            self._stuck_count += 1
            if self._stuck_count >= PATIENCE:
                await self._renew()
            raise
        self._stuck_count = 0

    async def close(self) -> None:
        """Disconnect; what the broker does not take within 5 s is given up."""
        inner, self._inner = self._inner, None
        if inner is not None:
            await _disconnect(inner)

    async def _send_or_blame(self, messages: Sequence[Message]) -> list[object]:
        results = await self._send(messages)
        failed = [place for place, result in enumerate(results) if isinstance(result, KafkaError)]
        if failed:
            await self._renew()
        if any(isinstance(results[place], _FOR_GOOD) for place in failed):
            # A batch is refused as a whole: one by one shows whose fault it is.
            for place in failed:
                results[place] = await self._send_alone(messages[place])
        return results

    async def _send(self, messages: Sequence[Message]) -> list[object]:
        """Send a batch a partition: a third of the work of one future a message."""
        inner = self._started()
        results: list[object] = [None] * len(messages)
        places: dict[TopicPartition, list[int]] = defaultdict(list)
        partitions: dict[str, list[int]] = {}
        for topic in {message.topic for message in messages}:
            partitions[topic] = sorted(await inner.partitions_for(self._topic_prefix + topic))
        for place, message in enumerate(messages):
            if _size(message) > MOST_BYTES:
                results[place] = Refused(f"over {MOST_BYTES} bytes")
                continue
            number = _PARTITIONER(message.key, partitions[message.topic], [])
            places[TopicPartition(self._topic_prefix + message.topic, number)].append(place)
        await asyncio.gather(
            *(self._send_partition(inner, partition, messages, mine, results) for partition, mine in places.items())
        )
        return results

    async def _send_partition(
        self,
        inner: AIOKafkaProducer,
        partition: TopicPartition,
        messages: Sequence[Message],
        places: Sequence[int],
        results: list[object],
    ) -> None:
        waiting = list(places)
        while waiting:
            batch = inner.create_batch()
            count = 0
            for place in waiting:
                message = messages[place]
                if not batch.append(
                    timestamp=None, key=message.key, value=message.value, headers=list(message.headers)
                ):
                    break
                count += 1
            batch.close()
            try:
                await (await inner.send_batch(batch, partition.topic, partition=partition.partition))
            except KafkaError as error:
                # Those behind it must not overtake it.
                for place in waiting:
                    results[place] = error
                return
            waiting = waiting[count:]

    async def _send_alone(self, message: Message) -> object:
        (result,) = await self._send([message])
        if isinstance(result, _FOR_GOOD):
            await self._renew()
        return result

    async def _renew(self) -> None:
        await self.close()
        await self.start()

    def _started(self) -> AIOKafkaProducer:
        if self._inner is None:
            raise BrokerAway("the producer is closed")
        return self._inner


async def _disconnect(inner: AIOKafkaProducer) -> None:
    try:
        await answered("disconnecting", inner.stop(), CLOSE_SECONDS)
    except BrokerAway:
        # aiokafka waits for its buffers as long as it takes; without its sender it gives them up.
        sender = inner._sender.sender_task  # noqa: SLF001  it has no public way
        if sender is not None:
            sender.cancel()
        with suppress(BrokerAway):
            await answered("closing", inner.client.close(), CLOSE_SECONDS)


def _answers(results: Sequence[object]) -> list[Refused | None]:
    answers: list[Refused | None] = []
    for result in results:
        match result:
            case Refused():
                answers.append(result)
            case MessageSizeTooLargeError() | RecordListTooLargeError() | InvalidTopicError():
                answers.append(Refused(f"the broker says {type(result).__name__}"))
            case KafkaError() | OSError():
                raise BrokerAway(f"{type(result).__name__} while sending") from result
            case BaseException():
                raise result
            case _:
                answers.append(None)
    return answers


def _size(message: Message) -> int:
    return len(message.key) + len(message.value) + sum(len(name) + len(value) for name, value in message.headers)
