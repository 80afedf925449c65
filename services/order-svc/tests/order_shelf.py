"""Replays facts about orders as the catalogue does: its own rules, over a shelf that never runs out."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog_svc.domain.reservations import LineId, Reservation, allot, wishes
from catalog_svc.domain.stock import Stock
from hanro.events.orders import UNMAPPED_LINE

SKU = "sku"
START = 1_000_000


@dataclass
class Shelf:
    """Be the stock of all that is sold; `versions` are the newest that were heard of, by order."""

    stock: Stock = field(
        default_factory=lambda: Stock(
            id=SKU, sku=SKU, version=1, on_hand=START, committed=0, safety_buffer=0, short_count=0
        )
    )
    lines: dict[LineId, Reservation] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    heard: list[dict[str, Any]] = field(default_factory=list, repr=False)

    def hear(self, fact: dict[str, Any]) -> None:
        """Follow a fact, as often and as late as it comes."""
        if fact["version"] <= self.versions.get(fact["id"], 0):
            return
        self.versions[fact["id"]] = fact["version"]
        if fact["quarantine_code"] not in {None, UNMAPPED_LINE} or fact["is_test"] or not fact["reserves_stock"]:
            return
        known = {key: line for key, line in self.lines.items() if key[0] == fact["id"]}
        asked = wishes(list(known.values()), [_wanted(fact, line) for line in fact["lines"]])
        allotted = allot({SKU: self.stock}, known, asked)
        self.stock = allotted.stocks[SKU]
        self.lines |= allotted.reservations


def _wanted(fact: dict[str, Any], line: dict[str, Any]) -> Reservation:
    return Reservation(
        order_id=fact["id"],
        line_id=line["id"],
        account_id=fact["account_id"],
        external_id=fact["external_id"],
        placed_at=datetime.fromisoformat(fact["placed_at"]),
        match_key=None,
        title="",
        sku=SKU,
        wanted=line["open_quantity"],
        reserved=0,
        shipped=line["shipped_quantity"],
    )
