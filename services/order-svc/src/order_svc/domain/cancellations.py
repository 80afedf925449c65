"""Decides what of an order may be cancelled, and which capabilities of its marketplace that takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from hanro.errors import Rejected
from hanro.events.orders import OrderLine
from hanro.marketplace.types import Cancellation as AskedCancellation
from hanro.marketplace.types import CancelReason, Capability, LinePart, Party
from hanro.money import Money
from order_svc.domain.decisions import check_readable, ref_of
from order_svc.domain.orders import LEFT_THE_HOUSE, Order
from order_svc.domain.units import check_units, find_line

CancellationState = Literal["waiting", "sent", "applied", "rejected", "in_doubt", "observed"]
BY_BUYER = frozenset({CancelReason.BUYER_WISH, CancelReason.UNPAID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Be units of a line to cancel; none with a refund: the price alone is cut."""

    line_id: str
    count: int
    refund: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Be one cancellation that somebody asked for, and how far that is.

    `units` by the marketplace's line id. `comment` may be about the buyer: it is forgotten once it is over.
    """

    id: str
    order_id: str
    account_id: str
    operation_id: str
    units: tuple[Units, ...]
    is_whole: bool
    is_shipped: bool
    reason: CancelReason
    comment: str | None = field(repr=False)
    is_restocked: bool | None
    created_by: str
    created_at: datetime
    state: CancellationState
    failure: Mapping[str, object] | None


def check_cancellable(order: Order) -> None:
    """Let an order be cancelled only while it stands.

    Raises:
        Rejected: order-quarantined, order-cancelled.
    """
    check_readable(order)


def units_of(order: Order, wanted: Sequence[Units] | None) -> tuple[tuple[Units, ...], bool]:
    """Give the units to cancel by the marketplace's line id, and whether those are all that is left.

    `wanted` None: all. Lines are named by our id or the marketplace's.

    Raises:
        Rejected: line-unknown, line-cancelled, line-doubled, too-many-units.
    """
    standing = {line.external_id: line.quantity for line in order.lines if line.status != "cancelled"}
    if wanted is None:
        return tuple(Units(line_id=line_id, count=count) for line_id, count in standing.items()), True
    named: dict[str, Units] = {}
    for one in wanted:
        line = find_line(order, one.line_id)
        if line.external_id in named:
            raise Rejected("a line stands there twice", code="line-doubled", field="lines")
        check_units(line, one.count, standing.get(line.external_id, 0))
        named[line.external_id] = Units(line_id=line.external_id, count=one.count, refund=one.refund)
    is_whole = all(line_id in named and named[line_id].count == count for line_id, count in standing.items())
    return tuple(named.values()), is_whole and not any(one.refund for one in named.values())


def takes(order: Order, units: Sequence[Units], *, is_whole: bool) -> tuple[Capability, ...]:
    """Give the capabilities that a cancellation takes, the one that names it best first."""
    quantity = {line.external_id: line.quantity for line in order.lines}
    found: list[Capability] = []
    if is_whole:
        found.append(Capability.CANCEL_ORDER)
    else:
        if any(0 < one.count < quantity.get(one.line_id, 0) for one in units):
            found.append(Capability.CANCEL_QUANTITY)
        if any(one.count and one.count == quantity.get(one.line_id, 0) for one in units):
            found.append(Capability.CANCEL_LINE)
        if any(one.refund for one in units):
            found.append(Capability.REFUND_AMOUNT)
    if is_shipped(order):
        found.append(Capability.CANCEL_SHIPPED)
    return tuple(found)


def is_shipped(order: Order) -> bool:
    """Tell whether the marketplace shows the order as shipped."""
    return order.status in LEFT_THE_HOUSE


def still_cancellable(order: Order, cancellation: Cancellation) -> Rejected | None:
    """Say why a cancellation is not sent any more; None: send it."""
    try:
        check_cancellable(order)
    except Rejected as refused:
        return refused
    standing = {line.external_id: line.quantity for line in order.lines if line.status != "cancelled"}
    if any(one.count > standing.get(one.line_id, 0) for one in cancellation.units):
        return Rejected("units of this were cancelled already", code="too-many-units")
    if is_shipped(order) is not cancellation.is_shipped:
        return Rejected("the order was shipped since this was asked for", code="already-shipped")
    return None


def left_by(cancellation: Cancellation, order: Order) -> dict[str, dict[str, object]]:
    """Say what lines show once a cancellation of parts stands, by the marketplace's line id: units, or a unit's price.

    It is to be kept: once the order is read again nobody knows how much there was.
    """
    if cancellation.is_whole:
        return {}
    lines = {line.external_id: line for line in order.lines}
    return {
        one.line_id: {"units": lines[one.line_id].quantity - one.count, **_price_left(one, lines[one.line_id])}
        for one in cancellation.units
        if one.line_id in lines
    }


def _price_left(units: Units, line: OrderLine) -> dict[str, object]:
    price = line.unit_price
    if (
        price is None
        or price.amount is None
        or units.refund is None
        or units.count
        or units.refund.amount % line.quantity
    ):
        return {}
    left = Decimal(price.amount) - units.refund.amount / line.quantity
    return {"price": f"{left:f}", "currency": units.refund.currency}


def asked(cancellation: Cancellation, order: Order, left: Mapping[str, Mapping[str, object]]) -> AskedCancellation:
    """Give a cancellation as the port takes it; `left` as `left_by` gave it before it was sent."""
    return AskedCancellation(
        id=cancellation.operation_id,
        order=ref_of(order),
        lines=tuple(_part(one, left.get(one.line_id, {})) for one in cancellation.units),
        is_whole=cancellation.is_whole,
        is_shipped=cancellation.is_shipped,
        reason=cancellation.reason,
        by=Party.BUYER if cancellation.reason in BY_BUYER else Party.SELLER,
        comment=cancellation.comment,
        is_restocked=cancellation.is_restocked,
    )


def _part(units: Units, left: Mapping[str, object]) -> LinePart:
    count, price = left.get("units"), left.get("price")
    return LinePart(
        line_id=units.line_id,
        quantity=units.count,
        refund=units.refund,
        left=count if isinstance(count, int) else None,
        left_price=Money(Decimal(str(price)), str(left["currency"])) if price is not None else None,
    )
