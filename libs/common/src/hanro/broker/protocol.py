"""Says what a broker can do, in the words of Kafka: topics of partitions, groups, offsets."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, bytes], ...]
Partition = tuple[str, int]
"""Topic without its prefix, and number."""
OnRevoked = Callable[[Collection[Partition]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Message:
    """Be what is sent. Messages of one key stay in order; `topic` is without prefix."""

    topic: str
    key: bytes
    value: bytes = field(repr=False)
    headers: Headers = field(repr=False)


class Record(NamedTuple):
    """Be what arrived. `topic` is without prefix, `timestamp` is the producer's in milliseconds since 1970.

    A tuple, because it is made for every message: a frozen dataclass takes four times as long.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int

    def __repr__(self) -> str:
        return f"Record({self.topic}/{self.partition}/{self.offset})"


class BrokerAway(Exception):
    """The broker did not answer in time; what was sent may have arrived or not."""


class Refused(Exception):
    """The broker refused one message for good: too large, or malformed. `why` holds nothing of the message."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Producer(Protocol):
    """Send messages, idempotently, acknowledged by all replicas."""

    async def start(self) -> None:
        """Connect; raises BrokerAway."""

    async def send_all(self, messages: Sequence[Message], *, timeout_seconds: float) -> list[Refused | None]:
        """Send all and wait for all; the answer has one entry a message, None where it was taken.

        Raises:
            BrokerAway: not all were answered in time. Call `flush` before the next attempt.
        """

    async def flush(self, *, timeout_seconds: float) -> None:
        """Wait until nothing sent before is under way; raises BrokerAway."""

    async def close(self) -> None:
        """Disconnect."""


class Consumer(Protocol):
    """Read the partitions that the group gives this member."""

    async def start(self) -> None:
        """Connect, join, and wait for a share; raises BrokerAway. May be cancelled."""

    async def fetch(self, *, limit: int, timeout_seconds: float) -> list[Record]:
        """Give up to `limit` records, in order within a partition; none after the timeout. Raises BrokerAway."""

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the next offset to read for partitions.

        A partition that was taken away meanwhile is passed over: its next owner reads again. Raises BrokerAway.
        """

    async def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Read next from these offsets; partitions that were taken away are passed over."""

    async def lag(self) -> Mapping[Partition, int]:
        """Give how many records lie behind the position of each partition held."""

    async def close(self) -> None:
        """Leave the group at once."""


class Broker(Protocol):
    """Make producers and consumers; adds the prefixes of topics and groups that tell installations apart."""

    def producer(self) -> Producer:
        """Make a producer, not started."""

    def consumer(self, group: str, topics: Sequence[str], on_revoked: OnRevoked) -> Consumer:
        """Make a member of a group, not started; it begins at the oldest record where the group has no offset.

        `on_revoked` is awaited before partitions, one at least, go to another member.
        """

    async def ensure_topics(self, names: Sequence[str], partitions: int = 12) -> None:
        """Make the topics that are missing, kept 30 days. Raises BrokerAway."""

    async def ends(self, topics: Sequence[str]) -> Mapping[Partition, int]:
        """Give the offset behind the newest record of each partition of topics; it never falls unless records are lost.

        Raises:
            BrokerAway: also where one of the topics is not there.
        """
