"""Brings facts again, and in the wrong order: whatever was published once may come twice, or after a newer one."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

SECONDS = 30.0


async def bring_again(bootstrap: str, topic: str) -> int:
    """Append every record of a topic once more, byte for byte, those of each partition from the last to the first.

    Gives how many they were.

    Raises:
        TimeoutError: the topic cannot be read within 30 s.
        aiokafka.errors.KafkaError: Kafka refuses.
    """
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        await producer.start()
        ends = await consumer.end_offsets(consumer.assignment())
        found = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=int(SECONDS * 1000))
            if not batches:
                raise TimeoutError(f"{topic} cannot be read")
            found += [record for records in batches.values() for record in records]
        for record in reversed(found):
            await producer.send(
                topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
            )
        await producer.flush()
        return len(found)
    finally:
        await producer.stop()
        await consumer.stop()
