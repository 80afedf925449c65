"""Is the broker on Apache Kafka, by aiokafka."""

import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hanro.broker.answers import answered
from hanro.broker.kafka_consumer import KafkaConsumer
from hanro.broker.kafka_producer import KafkaProducer
from hanro.broker.protocol import BrokerAway, Consumer, OnRevoked, Partition, Producer

DAYS_KEPT = 30
ANSWER_SECONDS = 10.0
TOPIC_EXISTS = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSecurity:
    """Say how to reach a protected Kafka: TLS by a mounted CA, and SCRAM-SHA-512 where a user is named."""

    ca_file: Path
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class KafkaBroker:
    """Be the broker behind bootstrap addresses (`host:port`, comma between); None for security is plain text.

    `replica_count` is for topics that `ensure_topics` makes; a cluster's own are made by its operator.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        topic_prefix: str = "",
        group_prefix: str = "",
        security: KafkaSecurity | None = None,
        replica_count: int = 1,
    ) -> None:
        self._topic_prefix = topic_prefix
        self._group_prefix = group_prefix
        self._replica_count = replica_count
        self._connection: dict[str, Any] = {"bootstrap_servers": bootstrap, **_secured(security)}

    def producer(self) -> Producer:
        """Make a producer, not started."""
        return KafkaProducer(self._connection, self._topic_prefix)

    def consumer(self, group: str, topics: Sequence[str], on_revoked: OnRevoked) -> Consumer:
        """Make a member of a group, not started."""
        return KafkaConsumer(self._connection, self._topic_prefix, self._group_prefix + group, topics, on_revoked)

    async def ensure_topics(self, names: Sequence[str], partitions: int = 12) -> None:
        """Make the topics that are missing, kept 30 days; those that are there stay as they are."""
        wanted = [self._topic_prefix + name for name in names]
        admin = AIOKafkaAdminClient(**self._connection, request_timeout_ms=int(ANSWER_SECONDS * 1000))
        try:
            refused = await answered("looking at topics", self._make_missing(admin, wanted, partitions), ANSWER_SECONDS)
        finally:
            with suppress(BrokerAway):
                await answered("closing", admin.close(), ANSWER_SECONDS)
        if refused:
            raise BrokerAway(f"the broker refuses to make topics, by error number: {refused}")

    async def ends(self, topics: Sequence[str]) -> Mapping[Partition, int]:
        """Give the offset behind the newest record of each partition."""
        wanted = [self._topic_prefix + name for name in topics]
        # Without a group it may read all of them; it begins behind the newest, and is not asked for any record.
        reader = AIOKafkaConsumer(
            *wanted, **self._connection, auto_offset_reset="latest", request_timeout_ms=int(ANSWER_SECONDS * 1000)
        )
        try:
            found = await answered("asking for ends", _ends(reader), ANSWER_SECONDS)
        finally:
            with suppress(BrokerAway):
                await answered("closing", reader.stop(), ANSWER_SECONDS)
        if missing := set(wanted) - {partition.topic for partition in found}:
            raise BrokerAway(f"there is no topic {min(missing)}")
        strip = len(self._topic_prefix)
        return {(partition.topic[strip:], partition.partition): end for partition, end in found.items()}

    async def _make_missing(self, admin: AIOKafkaAdminClient, wanted: Sequence[str], partitions: int) -> dict[str, int]:
        await admin.start()
        there = set(await admin.list_topics())
        configuration = {"cleanup.policy": "delete", "retention.ms": str(DAYS_KEPT * 24 * 3600 * 1000)}
        missing = [
            NewTopic(
                name,
                num_partitions=partitions,
                replication_factor=self._replica_count,
                topic_configs=configuration,
            )
            for name in wanted
            if name not in there
        ]
        if not missing:
            return {}
        answer = await admin.create_topics(missing)
        # A twin may have been faster.
        return {row[0]: row[1] for row in answer.topic_errors if row[1] not in (0, TOPIC_EXISTS)}


async def _ends(reader: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    await reader.start()
    ends: dict[TopicPartition, int] = await reader.end_offsets(reader.assignment())
    return ends


def _secured(security: KafkaSecurity | None) -> dict[str, Any]:
    if security is None:
        return {}
    protected: dict[str, Any] = {
        "security_protocol": "SSL",
        "ssl_context": ssl.create_default_context(cafile=str(security.ca_file)),
    }
    if security.username is not None:
        protected |= {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": security.username,
            "sasl_plain_password": security.password,
        }
    return protected
