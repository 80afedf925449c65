"""Makes reservations equal to what the newest facts say is open, as far as stock goes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from catalog_svc.domain.stock import Stock

LineId = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Be what one line of an order holds; `sku` None: no offer of that key is mapped yet, nothing can be held.

    `shipped` are the units that the newest fact says have left the house.
    """

    order_id: str
    line_id: str
    account_id: str
    external_id: str
    placed_at: datetime
    match_key: str | None
    title: str
    sku: str | None
    wanted: int
    reserved: int
    shipped: int

    @property
    def key(self) -> LineId:
        """Give what tells one reservation from another."""
        return (self.order_id, self.line_id)

    @property
    def short_count(self) -> int:
        """Give the units that are wanted and not held; an unmapped line is not short of any SKU."""
        return self.wanted - self.reserved if self.sku is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """Be the outcome: every reservation and every stock that was looked at, changed or not."""

    reservations: dict[LineId, Reservation] = field(default_factory=dict)
    stocks: dict[str, Stock] = field(default_factory=dict)


def wishes(known: Sequence[Reservation], wanted: Iterable[Reservation]) -> list[Reservation]:
    """Give what each line of an order should hold: the lines wanted, and nothing for known ones that are gone.

    `wanted` come with `reserved` 0 and the SKU that their key is mapped to; what a known line holds is kept in mind
    by `allot`, not here.
    """
    asked = {line.key: line for line in wanted}
    gone = [replace(line, wanted=0) for line in known if line.key not in asked]
    return [*asked.values(), *gone]


def mapped(line: Reservation, sku: str) -> Reservation:
    """Give a line that asks the same of another SKU, and holds nothing of it yet."""
    return replace(line, sku=sku, reserved=0)


def allot(stocks: Mapping[str, Stock], known: Mapping[LineId, Reservation], asked: Sequence[Reservation]) -> Allotment:
    """Let go of what the asked lines held, then hold what they ask for, each as far as stock goes, in the order given.

    Units that newly left the house leave stock only as far as they were held here: what was shipped before hanro knew
    the order is in nobody's count. `stocks` holds every SKU that the known or asked lines name.
    """
    left = dict(stocks)
    for line in asked:
        before = known.get(line.key)
        if before is None or before.sku is None:
            continue
        stock = left[before.sku]
        gone = min(max(line.shipped - before.shipped, 0), before.reserved)
        left[before.sku] = replace(
            stock,
            on_hand=stock.on_hand - gone,
            committed=stock.committed - before.reserved,
            short_count=stock.short_count - before.short_count,
        )
    # What was held stays held: a line that only changes its shipped units must not lose the rest to another one.
    held = {line.key: known[line.key].reserved for line in asked if line.key in known}
    kept: dict[LineId, Reservation] = {}
    for is_newcomer in (False, True):
        for line in asked:
            if (held.get(line.key, 0) == 0) is is_newcomer:
                kept[line.key] = _hold(left, line)
    return Allotment(reservations=kept, stocks=left)


def fill(stocks: Mapping[str, Stock], short: Iterable[Reservation]) -> Allotment:
    """Give units that are free to the lines that lack some, the oldest order first."""
    left = dict(stocks)
    filled: dict[LineId, Reservation] = {}
    for line in sorted(short, key=lambda found: (found.placed_at, found.order_id, found.line_id)):
        if line.sku is None:
            continue
        stock = left[line.sku]
        more = min(line.short_count, stock.available)
        if more > 0:
            left[line.sku] = replace(stock, committed=stock.committed + more, short_count=stock.short_count - more)
            filled[line.key] = replace(line, reserved=line.reserved + more)
    return Allotment(reservations=filled, stocks=left)


def _hold(left: dict[str, Stock], line: Reservation) -> Reservation:
    if line.sku is None:
        return replace(line, reserved=0)
    stock = left[line.sku]
    taken = min(line.wanted, stock.available)
    left[line.sku] = replace(
        stock,
        committed=stock.committed + taken,
        short_count=stock.short_count + line.wanted - taken,
    )
    return replace(line, reserved=taken)
