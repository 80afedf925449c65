"""Makes reservations equal to what the newest facts say is open, as far as stock goes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from catalog_svc.domain.stock import Stock

LineId = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Be what one line of an order holds; `sku` None: no offer of that key is mapped yet, nothing can be held.

    `shipped` are the units that the newest fact says have left the house, `gone` those of them that left our stock, and
    `restocked` those that came back into it. Of a line that is asked for, the newest fact says how many came back
    (`returned`), and how many left before hanro knew the line (`shipped_before`; None: it does not say).
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
    gone: int = 0
    restocked: int = 0
    returned: int = 0
    shipped_before: int | None = None

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
    """Be the outcome: every reservation and every stock that was looked at, changed or not.

    `restocked` are the units that came back from buyers, by SKU; `stocks` hold them.
    """

    reservations: dict[LineId, Reservation] = field(default_factory=dict)
    stocks: dict[str, Stock] = field(default_factory=dict)
    restocked: dict[str, int] = field(default_factory=dict)


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

    Units that newly left the house leave stock, held here or not, so that it does not matter which facts of an order
    were heard: as many as it has. What was shipped before hanro knew the line is in nobody's count; where the fact does
    not tell, only what was held leaves. So much of it as came back since is in stock again, each unit once. `stocks`
    holds every SKU that the known or asked lines name; of those given back, other lines may hold more than is in the
    house (`available` < 0): `withdraw` settles that.
    """
    left = dict(stocks)
    restocked: dict[str, int] = {}
    lines: list[tuple[Reservation, int]] = []
    for line in asked:
        before = known.get(line.key) or _unheard(line)
        gone, back, still_held = 0, 0, 0
        if sku := before.sku or line.sku:
            stock = left[sku]
            leaving = max(line.shipped - before.shipped, 0)
            if line.shipped_before is None:
                leaving = min(leaving, before.reserved)
            gone = min(leaving, stock.on_hand)
            back = max(min(line.returned, before.gone + gone) - before.restocked, 0)
            still_held = max(before.reserved - leaving, 0) if sku == line.sku else 0
            left[sku] = replace(
                stock,
                on_hand=stock.on_hand - gone + back,
                committed=stock.committed - before.reserved,
                short_count=stock.short_count - before.short_count,
            )
            if back:
                restocked[sku] = restocked.get(sku, 0) + back
        settled = replace(
            line, gone=before.gone + gone, restocked=before.restocked + back, returned=0, shipped_before=None
        )
        lines.append((settled, still_held))
    # What was held stays held: a line that only changes its shipped units must not lose the rest to another one.
    held = [_hold(left, line, still_held) for line, still_held in lines]
    kept = [_hold_more(left, line) for line in sorted(held, key=lambda line: line.reserved == 0)]
    return Allotment(reservations={line.key: line for line in kept}, stocks=left, restocked=restocked)


def fill(stocks: Mapping[str, Stock], short: Iterable[Reservation]) -> Allotment:
    """Give units that are free to the lines that lack some, the oldest order first."""
    left = dict(stocks)
    filled = [(line, _hold_more(left, line)) for line in sorted(short, key=_age)]
    return Allotment(reservations={after.key: after for before, after in filled if after != before}, stocks=left)


def withdraw(stocks: Mapping[str, Stock], holding: Iterable[Reservation]) -> Allotment:
    """Take units that are in the house no more from the lines that hold them, the youngest order first.

    They left for another order: nobody can refuse that any more, and these lines are short from now on.
    """
    left = dict(stocks)
    cut: dict[LineId, Reservation] = {}
    for line in sorted(holding, key=_age, reverse=True):
        if line.sku is None:
            continue
        stock = left[line.sku]
        less = min(line.reserved, -stock.available)
        if less > 0:
            left[line.sku] = replace(stock, committed=stock.committed - less, short_count=stock.short_count + less)
            cut[line.key] = replace(line, reserved=line.reserved - less)
    return Allotment(reservations=cut, stocks=left)


def _age(line: Reservation) -> tuple[datetime, str, str]:
    return (line.placed_at, line.order_id, line.line_id)


def _unheard(line: Reservation) -> Reservation:
    """Give a line as it was when hanro saw it first, which may be long before its first fact is heard here."""
    before = line.shipped if line.shipped_before is None else line.shipped_before
    return replace(line, wanted=0, reserved=0, shipped=before, gone=0, restocked=0)


def _hold(left: dict[str, Stock], line: Reservation, most: int) -> Reservation:
    if line.sku is None:
        return replace(line, reserved=0)
    stock = left[line.sku]
    taken = min(line.wanted, most)
    left[line.sku] = replace(
        stock,
        committed=stock.committed + taken,
        short_count=stock.short_count + line.wanted - taken,
    )
    return replace(line, reserved=taken)


def _hold_more(left: dict[str, Stock], line: Reservation) -> Reservation:
    if line.sku is None:
        return line
    stock = left[line.sku]
    more = max(min(line.short_count, stock.available), 0)
    left[line.sku] = replace(stock, committed=stock.committed + more, short_count=stock.short_count - more)
    return replace(line, reserved=line.reserved + more)
