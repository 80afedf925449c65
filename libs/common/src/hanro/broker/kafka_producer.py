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

from hanro.broker.protocol import BrokerAway, Message, Refused

BATCH_BYTES = 256 * 1024
CLOSE_SECONDS = 5.0
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
            await inner.start()
        except (KafkaError, OSError) as error:
            await inner.stop()
            raise BrokerAway(f"{type(error).__name__} while connecting") from error
        self._inner = inner

    async def send_all(self, messages: Sequence[Message], *, timeout_seconds: float) -> list[Refused | None]:
        """Send all and wait for all."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.start()
                results = await self._send(messages)
                failed = [place for place, result in enumerate(results) if isinstance(result, KafkaError)]
                if any(isinstance(results[place], _FOR_GOOD) for place in failed):
                    # A batch is refused as a whole: one by one shows whose fault it is.
                    await self._renew()
                    for place in failed:
                        results[place] = await self._send_alone(messages[place])
                elif failed:
                    await self._renew()
        except TimeoutError as error:
            raise BrokerAway(f"not all of {len(messages)} messages were answered in {timeout_seconds} s") from error
        return _answers(results)

    async def flush(self, *, timeout_seconds: float) -> None:
        """Wait until nothing sent before is under way."""
        await self.start()
        try:
            async with asyncio.timeout(timeout_seconds):
                if self._inner is not None:
                    await self._inner.flush()
        except (KafkaError, OSError) as error:
            raise BrokerAway(f"{type(error).__name__} while flushing") from error

    async def close(self) -> None:
        """Disconnect; what the broker does not take within 5 s is given up."""
        inner, self._inner = self._inner, None
        if inner is None:
            return
        stopping = asyncio.ensure_future(inner.stop())
        done, _ = await asyncio.wait([stopping], timeout=CLOSE_SECONDS)
        if not done:
            # aiokafka waits for its buffers as long as it takes; without its sender it gives them up.
            inner._sender.sender_task.cancel()  # noqa: SLF001  it has no public way
        with suppress(KafkaError, asyncio.CancelledError):
            await stopping

    async def _send(self, messages: Sequence[Message]) -> list[object]:
        """Send a batch a partition: a third of the work of one future a message."""
        if self._inner is None:
            raise BrokerAway("the producer is closed")
        results: list[object] = [None] * len(messages)
        places: dict[TopicPartition, list[int]] = defaultdict(list)
        partitions: dict[str, list[int]] = {}
        for topic in {message.topic for message in messages}:
            try:
                partitions[topic] = sorted(await self._inner.partitions_for(self._topic_prefix + topic))
            except KafkaError as error:
                raise BrokerAway(f"{type(error).__name__} while asking for partitions") from error
        for place, message in enumerate(messages):
            if _size(message) > MOST_BYTES:
                results[place] = Refused(f"over {MOST_BYTES} bytes")
                continue
            number = _PARTITIONER(message.key, partitions[message.topic], [])
            places[TopicPartition(self._topic_prefix + message.topic, number)].append(place)
        await asyncio.gather(
            *(
                self._send_partition(self._inner, partition, messages, mine, results)
                for partition, mine in places.items()
            )
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
