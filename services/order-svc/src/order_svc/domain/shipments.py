"""Decides whether a parcel may be registered, which units it takes along, and what of it the order tells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast

from hanro.errors import Rejected
from hanro.events.orders import OrderChanged, OrderFact, OrderShipment, OrderShipped, ShipmentRejected, ShipmentState
from hanro.marketplace.types import LinePart, Support, Supported, Tracking
from hanro.marketplace.types import Shipment as AskedShipment
from order_svc.domain.cancellations import Cancellation
from order_svc.domain.decisions import check_held, check_readable, check_supported, ref_of
from order_svc.domain.orders import LEFT_THE_HOUSE, Order, restate
from order_svc.domain.units import check_units, find_line

UNDER_WAY: frozenset[ShipmentState] = frozenset({"waiting", "sent", "in_doubt"})
TOLD: frozenset[ShipmentState] = frozenset({"registered", "rejected", "in_doubt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """Be one parcel that somebody asked to be registered, and how far that is.

    `lines` are units by the marketplace's line id; empty: not told, and more parcels follow. `parcel_id` is what the
    marketplace calls it. `replaces_id` is the shipment that it corrects, `replaces_parcel` the marketplace's id of it.
    `is_unconfirmed`: it was sent some time ago, and no read has shown it.
    """

    id: str
    order_id: str
    account_id: str
    operation_id: str
    package_id: str | None
    lines: Mapping[str, int]
    tracking: Tracking
    shipped_on: date | None
    is_last: bool
    replaces_id: str | None
    replaces_parcel: str | None
    created_by: str
    created_at: datetime
    state: ShipmentState
    failure: Mapping[str, object] | None
    parcel_id: str | None
    is_unconfirmed: bool

    @property
    def counts(self) -> bool:
        """Tell whether its units are taken: a correction takes those of the one that it replaces."""
        return self.state == "registered" or (self.state in UNDER_WAY and self.replaces_id is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Be what of an order is to go into a parcel; None: whatever is left, of the one package there is."""

    package_id: str | None = None
    lines: Mapping[str, int] | None = None
    is_last: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """Be what goes into a parcel. `lines` empty: not told, and more parcels follow."""

    package_id: str | None
    lines: Mapping[str, int]
    is_last: bool


def check_shippable(order: Order) -> None:
    """Let parcels of an order be registered only while it waits for that and nothing holds it.

    Raises:
        Rejected: order-quarantined, order-cancelled, order-held, not-accepted, already-shipped.
    """
    check_readable(order)
    check_held(order)
    if order.status in LEFT_THE_HOUSE:
        raise Rejected("the marketplace shows the order as shipped", code="already-shipped")
    if order.status == "new":
        raise Rejected("accept the order first", code="not-accepted")
    if order.status not in {"accepted", "ready"}:
        raise Rejected(f"an order that is {order.status} is not to be shipped", code="order-held")


def arrange(order: Order, wanted: Wanted, known: Sequence[Shipment], *, ship_line: Support | None) -> Arranged:
    """Say which units a parcel takes along; by default all that are left of its package.

    `wanted.lines` name lines by our id or the marketplace's. Where single lines cannot be shipped all that is left of
    the package goes, or, with `is_last` False, the units are not told and more parcels follow.

    Raises:
        Rejected: package-needed, package-unknown, line-unknown, line-cancelled, too-many-units, lines-needed,
            nothing-left.
        Unsupported: single lines or units cannot be told there (absent).
    """
    package_id, lines_there = _package(order, wanted.package_id)
    taken = _taken(known)
    left = {
        line.external_id: line.quantity - taken.get(line.external_id, 0)
        for line in order.lines
        if line.status != "cancelled" and line.quantity > taken.get(line.external_id, 0)
    }
    here = {line_id: count for line_id, count in left.items() if lines_there is None or line_id in lines_there}
    if wanted.lines is None and wanted.is_last is False:
        _check_untold(ship_line)
        return Arranged(package_id=package_id, lines={}, is_last=False)
    if not here:
        raise Rejected("every unit is in a parcel already", code="nothing-left")
    lines = here if wanted.lines is None else _named(order, wanted.lines, here)
    if lines != here:
        check_supported(ship_line)
    is_all = all(lines.get(line_id, 0) == count for line_id, count in left.items())
    return Arranged(package_id=package_id, lines=lines, is_last=is_all if wanted.is_last is None else wanted.is_last)


def check_not_cancelling(undone: Sequence[Cancellation]) -> None:
    """Let nothing be shipped of an order of whose cancellations (`undone`) one is under way.

    Raises:
        Rejected: order-cancelled.
    """
    if any(one.state in UNDER_WAY for one in undone):
        raise Rejected("the order is being cancelled", code="order-cancelled")


def still_shippable(
    order: Order, shipment: Shipment, known: Sequence[Shipment], undone: Sequence[Cancellation]
) -> Rejected | None:
    """Say why a parcel is not registered any more; None: send it. `undone` are the order's cancellations of ours."""
    try:
        check_not_cancelling(undone)
        check_readable(order)
        if shipment.replaces_id is not None:
            return None
        check_held(order)
    except Rejected as refused:
        return refused
    # Others that count were arranged beside it: what is too much now was cancelled since.
    taken = _taken(known)
    there = {line.external_id: line.quantity for line in order.lines if line.status != "cancelled"}
    if any(taken.get(line_id, 0) > there.get(line_id, 0) for line_id in shipment.lines):
        return Rejected("units of this parcel were cancelled since it was asked for", code="too-many-units")
    if not shipment.lines and not _standing(order, shipment.package_id):
        return Rejected("all units of this parcel were cancelled since it was asked for", code="order-cancelled")
    return None


def asked(shipment: Shipment, order: Order) -> AskedShipment:
    """Give a shipment as the port takes it; units that are not told are all of the package."""
    # Of what was cancelled since it was sent nothing stands, and it is looked for all the same.
    lines = shipment.lines or _standing(order, shipment.package_id) or _inside(order, shipment.package_id)
    return AskedShipment(
        id=shipment.operation_id,
        order=ref_of(order),
        package_id=shipment.package_id,
        lines=tuple(LinePart(line_id=line_id, quantity=count) for line_id, count in lines.items()),
        tracking=shipment.tracking,
        shipped_on=shipment.shipped_on,
        is_last=shipment.is_last,
        replaces=shipment.replaces_parcel,
        claim_id=None,
    )


def tell(order: Order, known: Sequence[Shipment], at: datetime) -> tuple[Order, OrderFact] | None:
    """Say what an order's parcels change about it, and the fact that tells it; None: nothing that is not told.

    All registered: the order is shipped, whatever its marketplace shows until its nightly run.
    """
    parcels = tuple(_told(one) for one in known if one.state in TOLD)
    if parcels == order.shipments:
        return None
    before = {one.id: one.state for one in order.shipments}
    kind: type[OrderFact] = OrderChanged
    changed = replace(order, version=order.version + 1, shipments=parcels)
    if any(one.state == "rejected" and before.get(one.id) != "rejected" for one in parcels):
        kind = ShipmentRejected
    elif "shipped" not in order.milestones and is_all_registered(order, known):
        kind = OrderShipped
        changed = replace(changed, work_state="shipped", milestones={**order.milestones, "shipped": at})
    return changed, restate(kind, changed, at)


def is_all_registered(order: Order, known: Sequence[Shipment]) -> bool:
    """Tell whether the marketplace shows all parcels of an order, the last one among them."""
    counted = [one for one in known if one.counts]
    if order.status == "cancelled" or not counted or any(one.state != "registered" for one in counted):
        return False
    taken = _taken(counted)
    standing = [line for line in order.lines if line.status != "cancelled"]
    return any(one.is_last for one in counted) or all(
        taken.get(line.external_id, 0) >= line.quantity for line in standing
    )


def parcel_of(order: Order, shipment: Shipment) -> str | None:
    """Find what the marketplace calls a parcel: as it said itself, or by its number among those it shows."""
    if shipment.parcel_id is not None:
        return shipment.parcel_id
    found = [
        str(parcel["external_id"])
        for package in _sheet(order, "packages")
        for parcel in cast("list[dict[str, object]]", package.get("parcels", []))
        if parcel.get("number") == shipment.tracking.number and parcel.get("external_id")
    ]
    return found[0] if len(found) == 1 else None


def _told(shipment: Shipment) -> OrderShipment:
    code = (shipment.failure or {}).get("code")
    return OrderShipment(
        id=shipment.id,
        package_id=shipment.package_id,
        carrier_code=shipment.tracking.carrier_code,
        tracking_number=shipment.tracking.number,
        tracking_url=shipment.tracking.url,
        shipped_on=shipment.shipped_on,
        lines=dict(shipment.lines),
        state=shipment.state,
        failure_code=code if isinstance(code, str) and shipment.state != "registered" else None,
    )


def _taken(known: Sequence[Shipment]) -> dict[str, int]:
    taken: dict[str, int] = {}
    for one in known:
        if one.counts:
            for line_id, count in one.lines.items():
                taken[line_id] = taken.get(line_id, 0) + count
    return taken


def _named(order: Order, wanted: Mapping[str, int], here: Mapping[str, int]) -> dict[str, int]:
    named: dict[str, int] = {}
    for line_id, count in wanted.items():
        line = find_line(order, line_id)
        named[line.external_id] = named.get(line.external_id, 0) + count
        check_units(line, named[line.external_id], here.get(line.external_id, 0))
    return {line_id: named[line_id] for line_id in here if line_id in named}


def _check_untold(ship_line: Support | None) -> None:
    if isinstance(ship_line, Supported):
        raise Rejected("name the lines that are in this parcel", code="lines-needed", field="lines")


def _package(order: Order, wanted: str | None) -> tuple[str | None, frozenset[str] | None]:
    """Give the package and the lines in it; None: the marketplace names none, so all lines are in it."""
    names = [str(one["external_id"]) for one in _sheet(order, "packages") if one.get("external_id")]
    if wanted is None and len(names) > 1:
        raise Rejected("the order goes to several destinations: name the package", code="package-needed")
    if wanted is not None and wanted not in names:
        raise Rejected("the order has no such package", code="package-unknown", field="package_id")
    if not names:
        return None, None
    name = wanted or names[0]
    if len(names) == 1:
        return name, None
    return name, frozenset(str(one["external_id"]) for one in _sheet(order, "lines") if one.get("package_id") == name)


def _standing(order: Order, package_id: str | None) -> dict[str, int]:
    cancelled = {line.external_id for line in order.lines if line.status == "cancelled"}
    return {line_id: count for line_id, count in _inside(order, package_id).items() if line_id not in cancelled}


def _inside(order: Order, package_id: str | None) -> dict[str, int]:
    _, there = _package(order, package_id)
    lines = [line for line in order.lines if there is None or line.external_id in there]
    return {line.external_id: max(line.quantity, 1) for line in lines}


def _sheet(order: Order, name: str) -> Sequence[Mapping[str, object]]:
    found = json.loads(order.sheet).get(name, ())
    return found if isinstance(found, list) else ()
