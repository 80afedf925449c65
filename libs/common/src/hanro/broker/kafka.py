"""Is the broker on Apache Kafka, by aiokafka."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hanro.broker.protocol import Consumer, OnRevoked, Producer


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSecurity:
    """Say how to reach a protected Kafka: TLS by a mounted CA, and SCRAM-SHA-512 where a user is named."""

    ca_file: Path
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class KafkaBroker:
    """Be the broker behind bootstrap addresses (`host:port`, comma between); None for security is plain text."""

    def __init__(
        self, bootstrap: str, *, topic_prefix: str = "", group_prefix: str = "", security: KafkaSecurity | None = None
    ) -> None:
        self._bootstrap = bootstrap
        self._topic_prefix = topic_prefix
        self._group_prefix = group_prefix
        self._security = security

    def producer(self) -> Producer:
        """Make a producer, not started."""
        raise NotImplementedError

    def consumer(self, group: str, topics: Sequence[str], on_revoked: OnRevoked) -> Consumer:
        """Make a member of a group, not started."""
        raise NotImplementedError

    async def ensure_topics(self, names: Sequence[str], partitions: int = 12) -> None:
        """Make the topics that are missing, kept 30 days."""
        raise NotImplementedError
