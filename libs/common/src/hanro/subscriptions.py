"""Says what a consumer wants to hear and what it does then."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from hanro.db import Transaction
from hanro.events.envelope import Received
from hanro.events.fact import Fact

Known = TypeVar("Known")
Change = TypeVar("Change")


@dataclass(frozen=True, kw_only=True)
class Subscription(Generic[Known, Change]):
    """Join what is heard with its effect.

    `name` is the inbox's name and the group's; `facts` are the classes that are registered, one generation of each
    type; their topics follow. A batch holds at most one fact an aggregate, the newest, and only what the inbox has not
    seen. `load` locks what the batch touches, sorted by id, and answers by aggregate id (absent: unknown). `decide` is
    pure: its exception is that fact's dead letter. `apply` stores all changes in set statements and records facts.
    """

    name: str
    facts: tuple[type[Fact], ...]
    load: Callable[[Transaction, Sequence[Received]], Awaitable[Mapping[str, Known]]]
    decide: Callable[[Known | None, Received], Change]
    apply: Callable[[Transaction, Sequence[Change]], Awaitable[None]]

    @property
    def wanted(self) -> dict[str, type[Fact]]:
        """Give the classes by type."""
        return {fact.type: fact for fact in self.facts}

    @property
    def topics(self) -> tuple[str, ...]:
        """Give the topics of the facts, sorted, without prefix."""
        return tuple(sorted({fact.topic for fact in self.facts}))


class Observer(Protocol):
    """Hear what a consumer did, for metrics; calls return at once and never raise."""

    def handled(self, subscription: str, applied: int, stale: int, skipped: int, dead: int) -> None:
        """Note one batch: applied, known already, of an unknown type, dead-lettered."""

    def gaps(self, subscription: str, count: int) -> None:
        """Note how many versions were jumped over; they are counted, never waited for."""

    def paused(self, subscription: str, why: str) -> None:
        """Note that the consumer waits: `database`, `broker` or `retryable`."""

    def lag(self, subscription: str, topic: str, partition: int, count: int) -> None:
        """Note how many records lie behind a partition's position."""
