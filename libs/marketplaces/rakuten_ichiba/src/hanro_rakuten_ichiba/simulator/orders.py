"""Keeps a shop's orders: the newest tree of each, and what the tree does not tell."""

import bisect
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hanro_rakuten_ichiba.simulator import overrides

Tree = dict[str, object]

UNDECIDED = -9999
NEW, PROCESSING, READY, CHANGING, SHIPPED, BILLING, SETTLED = 100, 200, 300, 400, 500, 600, 700
CANCELLING, CANCELLED = 800, 900
# The two ways on which clients look for orders: by order date in any state, and by states.
ROUTES = ("placed", "open")


def members(holder: object, key: str) -> list[Tree]:
    """Give the objects of a list member; nothing when it is null, absent or broken on purpose."""
    values = holder.get(key) if isinstance(holder, Mapping) else None
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def member(holder: object, key: str) -> Tree:
    """Give an object member; empty when it is null, absent or broken on purpose."""
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value if isinstance(value, dict) else {}


@dataclass
class StoredOrder:
    """Hold one order; `placed_at` is aware, whole seconds, and stands even when the tree's own time is broken.

    `moves` counts changes of state: a timer that was set before a move has no say after it. `settled_at` is the time
    of the settlement's fix, which the tree does not show (dateType 6), `billed_at` that of the bill. `payment_status`
    is what a test set (7.8), None follows from the state; `refunds` are the RefundModelList of its payment.
    `hidden_from` names ROUTES.
    """

    number: str
    placed_at: datetime
    tree: Tree
    hidden_from: frozenset[str] = frozenset()
    is_paid: bool = False
    settled_at: datetime | None = None
    billed_at: datetime | None = None
    payment_status: int | None = None
    is_cancelled_by_rakuten: bool = False
    refunds: list[Tree] = field(default_factory=list)
    moves: int = 0
    sound_tree: Tree | None = field(default=None, repr=False)

    @property
    def progress(self) -> object:
        """Give orderProgress as the tree has it: a state of 7.1, or anything that a test put there."""
        return self.tree.get("orderProgress")

    @property
    def is_undecided(self) -> bool:
        """Tell whether an amount is still open. Source: rakuten-ichiba-orders 4.3 [1], 8.4."""
        return any(self.tree.get(key) == UNDECIDED for key in ("postagePrice", "totalPrice", "requestPrice"))

    @property
    def settlement_method(self) -> object:
        """Give the code of 7.4."""
        return member(self.tree, "SettlementModel").get("settlementMethodCode")

    def packages(self) -> list[Tree]:
        """Give the destinations."""
        return members(self.tree, "PackageModelList")

    def shipping_rows(self) -> list[Tree]:
        """Give the shipping rows of all destinations."""
        return [row for package in self.packages() for row in members(package, "ShippingModelList")]

    def override(self, raw: Mapping[str, object], removed: Sequence[str]) -> None:
        """Put values into the tree whatever they are; `mend` undoes all of it."""
        if not raw and not removed:
            return
        if self.sound_tree is None:
            self.sound_tree = copy.deepcopy(self.tree)
        overrides.apply(self.tree, raw, removed)

    def mend(self) -> None:
        """Return the tree to what it was before the first override."""
        if self.sound_tree is not None:
            self.tree, self.sound_tree = self.sound_tree, None

    def to_json(self) -> dict[str, object]:
        """Give all that is known of the order."""
        return {
            "external_id": self.number,
            "placed_at": self.placed_at.isoformat(),
            "progress": self.progress,
            "hidden_from": sorted(self.hidden_from),
            "is_paid": self.is_paid,
            "settled_at": None if self.settled_at is None else self.settled_at.isoformat(),
            "billed_at": None if self.billed_at is None else self.billed_at.isoformat(),
            "payment_status": self.payment_status,
            "refunds": self.refunds,
            "tree": self.tree,
        }


class Orders:
    """Hold orders by number and by the time of their placing."""

    def __init__(self) -> None:
        self._by_number: dict[str, StoredOrder] = {}
        self._by_time: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        """Count the orders."""
        return len(self._by_number)

    def __iter__(self) -> Iterator[StoredOrder]:
        """Give the orders, oldest first, equal times by number."""
        return (self._by_number[number] for _, number in self._by_time)

    def add(self, order: StoredOrder) -> None:
        """Keep a new order.

        Raises:
            ValueError: the number is taken.
        """
        if order.number in self._by_number:
            raise ValueError(f"there is an order {order.number} already")
        self._by_number[order.number] = order
        bisect.insort(self._by_time, (order.placed_at, order.number))

    def find(self, number: str) -> StoredOrder | None:
        """Give the order of that number, None when there is none."""
        return self._by_number.get(number)

    def between(self, start: datetime, end: datetime) -> Iterator[StoredOrder]:
        """Give the orders placed from `start` to `end`, bounds included, oldest first."""
        first = bisect.bisect_left(self._by_time, (start, ""))
        for placed_at, number in self._by_time[first:]:
            if placed_at > end:
                return
            yield self._by_number[number]
