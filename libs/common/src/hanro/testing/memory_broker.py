"""Is the broker in memory: topics, partitions, groups and rebalancing as Kafka has them, within one event loop."""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hanro.broker import BrokerAway, Consumer, Message, Partition, Producer, Record, Refused
from hanro.broker.protocol import OnRevoked

MOST_BYTES = 1_000_000
MILLISECONDS = 1_777_000_000_000


@dataclass
class _Group:
    committed: dict[Partition, int] = field(default_factory=dict)
    members: list["_MemoryConsumer"] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class MemoryBroker:
    """Be a broker without a process; `is_away` makes every call fail as a stopped broker does."""

    def __init__(self) -> None:
        self.is_away = False
        self.arrived = asyncio.Condition()
        self.logs: dict[str, list[list[Record]]] = {}
        self.groups: dict[str, _Group] = defaultdict(_Group)

    def producer(self) -> Producer:
        """Make a producer, not started."""
        return _MemoryProducer(self)

    def consumer(self, group: str, topics: Sequence[str], on_revoked: OnRevoked) -> Consumer:
        """Make a member of a group, not started."""
        return _MemoryConsumer(self, self.groups[group], topics, on_revoked)

    async def ensure_topics(self, names: Sequence[str], partitions: int = 12) -> None:
        """Make the topics that are missing."""
        self.check()
        for name in names:
            self.logs.setdefault(name, [[] for _ in range(partitions)])

    async def ends(self, topics: Sequence[str]) -> Mapping[Partition, int]:
        """Give the offset behind the newest record of each partition."""
        self.check()
        if missing := set(topics) - set(self.logs):
            raise BrokerAway(f"there is no topic {min(missing)}")
        return {(topic, number): len(log) for topic in topics for number, log in enumerate(self.logs[topic])}

    def check(self) -> None:
        """Raise BrokerAway while it is away."""
        if self.is_away:
            raise BrokerAway("the broker in memory is away")


class _MemoryProducer:
    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def start(self) -> None:
        self._broker.check()

    async def send_all(self, messages: Sequence[Message], *, timeout_seconds: float) -> list[Refused | None]:
        async with asyncio.timeout(timeout_seconds):
            answers = [self._send(message) for message in messages]
            async with self._broker.arrived:
                self._broker.arrived.notify_all()
        return answers

    async def flush(self, *, timeout_seconds: float) -> None:  # noqa: ARG002  nothing here takes time
        """Find nothing under way."""
        self._broker.check()

    async def close(self) -> None:
        """Hold nothing."""

    def _send(self, message: Message) -> Refused | None:
        self._broker.check()
        if message.topic not in self._broker.logs:
            raise BrokerAway(f"there is no topic {message.topic}")
        if len(message.value) > MOST_BYTES:
            return Refused("the message is too large")
        log = self._broker.logs[message.topic]
        partition = zlib.crc32(message.key) % len(log)
        offset = len(log[partition])
        log[partition].append(
            Record(message.topic, partition, offset, message.key, message.value, message.headers, MILLISECONDS + offset)
        )
        return None


class _MemoryConsumer:
    def __init__(self, broker: MemoryBroker, group: _Group, topics: Sequence[str], on_revoked: OnRevoked) -> None:
        self._broker = broker
        self._group = group
        self._topics = topics
        self._on_revoked = on_revoked
        self._positions: dict[Partition, int] = {}
        self._is_rebalancing = False

    async def start(self) -> None:
        self._broker.check()
        await self._rebalance([*self._group.members, self])

    async def fetch(self, *, limit: int, timeout_seconds: float) -> list[Record]:
        try:
            async with asyncio.timeout(timeout_seconds), self._broker.arrived:
                while not (found := self._take(limit)):
                    await self._broker.arrived.wait()
        except TimeoutError:
            return []
        return found

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        self._broker.check()
        kept = {partition: offset for partition, offset in offsets.items() if partition in self._positions}
        self._group.committed |= kept

    async def seek(self, offsets: Mapping[Partition, int]) -> None:
        self._positions |= {partition: offset for partition, offset in offsets.items() if partition in self._positions}

    async def lag(self) -> Mapping[Partition, int]:
        return {
            (topic, number): len(self._broker.logs[topic][number]) - position
            for (topic, number), position in self._positions.items()
        }

    async def close(self) -> None:
        if self in self._group.members:
            await self._rebalance([member for member in self._group.members if member is not self])

    def _take(self, limit: int) -> list[Record]:
        self._broker.check()
        found: list[Record] = []
        if self._is_rebalancing:
            return found
        for (topic, number), position in self._positions.items():
            found += self._broker.logs[topic][number][position : position + limit - len(found)]
        for record in found:
            self._positions[record.topic, record.partition] = record.offset + 1
        return found

    async def _rebalance(self, members: list["_MemoryConsumer"]) -> None:
        # Eager, as Kafka's group protocol with a range of members: all give back, then all are given anew.
        async with self._group.lock:
            for member in self._group.members:
                member._is_rebalancing = True  # noqa: SLF001  members of one group
                if member in members and member._positions:  # noqa: SLF001
                    await member._on_revoked(list(member._positions))  # noqa: SLF001
            self._group.members = members
            self._positions = {}
            everything = [(topic, number) for topic in self._topics for number in range(len(self._broker.logs[topic]))]
            for place, member in enumerate(members):
                member._positions = {  # noqa: SLF001
                    partition: self._group.committed.get(partition, 0)
                    for partition in everything[place :: len(members)]
                }
                member._is_rebalancing = False  # noqa: SLF001
        async with self._broker.arrived:
            self._broker.arrived.notify_all()
