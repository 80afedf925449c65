"""Finds the partitions of topics, as any client of Kafka may ask."""

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


async def partitions(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> list[TopicPartition]:
    """List the partitions of topics that exist; one that does not has none.

    Raises:
        aiokafka.errors.KafkaError: Kafka does not answer.
    """
    found = await admin.describe_topics(sorted(topics))
    return [
        TopicPartition(topic["topic"], place["partition"]) for topic in found for place in topic.get("partitions", [])
    ]
