"""Reads what a shop's calls looked like from the marketplace's side, and moves time for all of them together."""

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fault_shop import Shop
from fault_stack import FaultStack

from hanro_local.databases import SCHEMAS

ORDERS = "/es/2.0/order/"
MOST = 10_000


@dataclass(frozen=True)
class Call:
    """Be one request of a shop, as the marketplace's journal has it."""

    path: str
    status: int | None
    at: datetime

    @property
    def is_refused(self) -> bool:
        """Tell whether the gateway refused the key."""
        return self.status in {400, 401}


async def sequence(shop: Shop) -> int:
    """Give the journal's present end."""
    return int((await shop.simulator.call("GET", "/_sim/health")).json()["sequence"])


async def calls(shop: Shop, *, after: int = 0, path: str = ORDERS) -> list[Call]:
    """Give the requests of a shop below a path behind a place in the journal, oldest first."""
    found: list[dict[str, Any]] = []
    while True:
        query = f"/_sim/journal?kind=request&path={path}&limit={MOST}&after={after}"
        page = (await shop.simulator.call("GET", query)).json()
        if not page["entries"]:
            break
        found += [entry for entry in page["entries"] if entry.get("shop") == shop.number]
        after = page["next"]
    return [Call(one["path"], one["status"], datetime.fromisoformat(one["received_at"])) for one in found]


def longest_gap(found: list[Call]) -> float:
    """Give the seconds of the longest time without a call."""
    times = [one.at for one in found]
    return max((after - before).total_seconds() for before, after in itertools.pairwise(times))


async def advance(stack: FaultStack, shop: Shop, seconds: float) -> None:
    """Move time together: the marketplace's, the services' and that of their schemas."""
    clock = (await shop.simulator.call("PUT", "/_sim/clock", {"advance_seconds": seconds})).json()
    offset = clock["offset_seconds"]
    stack.clock.write_text(str(offset))
    async with stack.database() as connection:
        for schema in SCHEMAS:
            await connection.execute(f'update "{schema}".clock_offset set seconds = $1', offset)  # noqa: S608  ours
