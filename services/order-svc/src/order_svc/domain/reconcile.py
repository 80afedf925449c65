"""Decides what a sighting of a marketplace order changes. Values in, values out."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime

from hanro.errors import ContractBroken
from hanro.events.orders import (
    BY_FILE,
    CancellationRequested,
    OrderCancelled,
    OrderChanged,
    OrderCompleted,
    OrderConfirmed,
    OrderFact,
    OrderLinesCancelled,
    OrderPlaced,
    OrderQuarantined,
    OrderReleased,
    OrderShipped,
    OrderState,
)
from hanro.ids import new_id
from hanro.marketplace.types import ClaimKind, OrderTime, SeenOrder, Sighting, UnreadableOrder
from hanro.value import value
from order_svc.domain.accounts import Account
from order_svc.domain.orders import CONFIRMED, LEFT_THE_HOUSE, SILENT, Order, restate, work_state_of
from order_svc.domain.payments import after_late_look, refunds_read_at
from order_svc.domain.quarantine import Catalogue, find_unmapped, quarantined
from order_svc.domain.readings import Reading, hash_of, read
from order_svc.domain.states import cancellation_requested_at
from order_svc.domain.terms import BuyerKind

EMPTY_SHEET = "{}"
LONGEST_EXTERNAL_ID = 200


@value
class Change:
    """Be what a sighting changed: the order as it stands now and the one fact that says so.

    `personal` and `raw` are to be encrypted; None: keep what is stored. `found_by` are the texts by which the buyer
    that `personal` tells of is found.
    """

    order: Order
    fact: OrderFact
    personal: bytes | None = field(repr=False)
    raw: bytes | None = field(repr=False)
    found_by: frozenset[tuple[BuyerKind, str]] = field(repr=False)


def external_id_of(sighting: Sighting) -> str:
    """Give the order's number; one that cannot even be told is named by its bytes, so that it stands once."""
    external_id = sighting.external_id
    if external_id and external_id.isprintable() and len(external_id) <= LONGEST_EXTERNAL_ID:
        return external_id
    return f"unreadable-{hash_of(sighting.raw).hex()[:24]}"


def reconcile_or_quarantine(
    known: Order | None,
    sighting: Sighting,
    *,
    account: Account,
    route: str,
    at: datetime,
    catalogue: Catalogue | None = None,
) -> Change | None:
    """Reconcile; an order whose values cannot be told or stored (half a surrogate, no number) is quarantined instead.

    One bad order never stops a page, wherever it is found to be bad.
    """
    try:
        _check_number(sighting)
        return reconcile(known, sighting, account=account, route=route, at=at, catalogue=catalogue)
    except ValueError:
        # The error may quote the value.
        why = "The order holds a value that cannot be told or stored."
        unreadable = UnreadableOrder(
            external_id=sighting.external_id,
            seen_at=sighting.seen_at,
            failure=ContractBroken(why, code="unreadable"),
            raw=sighting.raw,
        )
        return reconcile(known, unreadable, account=account, route=route, at=at)


def reconcile(
    known: Order | None,
    sighting: Sighting,
    *,
    account: Account,
    route: str,
    at: datetime,
    catalogue: Catalogue | None = None,
) -> Change | None:
    """Say what a sighting changes; None: nothing that is not known, or it is older than what is known.

    Of an older one that was asked for payments the refunds count, unless they were read later too.

    One fact a change: where several things changed at once it is the one that tells most, and its milestones hold
    each. `route` is how the order was found, `at` is now, `catalogue` what is mapped of its lines (None: nothing of the
    account is).
    """
    # A file has no time of its own: what the marketplace shows always outranks it. What it showed and nobody could read
    # is newer than what it showed before.
    is_shown = known is not None and not (known.is_from_file and known.is_readable)
    if known is not None and is_shown and sighting.seen_at < known.seen_at:
        late = after_late_look(known, sighting)
        return None if late is None else _of_refunds(late, at)
    if isinstance(sighting, UnreadableOrder):
        return _quarantine(known, sighting, account=account, route=route, at=at)
    reading = read(sighting, known)
    unmapped = find_unmapped(reading.lines, catalogue, known)
    if known is not None and _says_nothing_new(known, reading, unmapped, route):
        return None
    order = _order(known, sighting, reading, account=account, route=route)
    if unmapped:
        order = quarantined(order, unmapped)
    return Change(
        order=order,
        fact=restate(_kind(known, order), order, at),
        personal=reading.personal,
        raw=sighting.raw,
        found_by=reading.found_by,
    )


def _of_refunds(order: Order, at: datetime) -> Change:
    fact = restate(OrderChanged, order, at)
    return Change(order=order, fact=fact, personal=None, raw=None, found_by=frozenset())


def _says_nothing_new(known: Order, reading: Reading, unmapped: Mapping[str, str | None], route: str) -> bool:
    # What the marketplace shows is no file's any more, also where it says the same.
    is_told = known.is_readable and (not known.is_from_file or route == BY_FILE) and known.reading_hash == reading.hash
    return is_told and known.unmapped == unmapped


def _check_number(sighting: Sighting) -> None:
    if isinstance(sighting, SeenOrder) and external_id_of(sighting) != sighting.external_id:
        raise ValueError("the order's number is empty, too long or not printable")


def _order(known: Order | None, seen: SeenOrder, reading: Reading, *, account: Account, route: str) -> Order:
    status = reading.status
    return Order(
        id=known.id if known else new_id("ord"),
        account_id=account.id,
        account_epoch=account.epoch,
        marketplace_id=account.marketplace_id,
        external_id=seen.external_id,
        version=known.version + 1 if known else 1,
        status=status,
        work_state=work_state_of(status, known.work_state if known else None),
        placed_at=seen.placed.at,
        placed_local=seen.placed.local,
        first_seen_by=known.first_seen_by if known else route,
        seen_at=seen.seen_at,
        lines=reading.lines,
        milestones=_milestones(known, seen, status),
        holds=reading.holds,
        totals=reading.totals,
        is_quarantined=False,
        quarantine_code=None,
        quarantine_why=None,
        unmapped={},
        is_backfilled=(known.first_seen_by if known else route) in SILENT
        or (account.orders_from is not None and seen.placed.at < account.orders_from),
        is_test=seen.is_test,
        erased_at=known.erased_at if known else None,
        sheet=reading.sheet,
        raw_hash=hash_of(seen.raw),
        reading_hash=reading.hash,
        shipments=known.shipments if known else (),
        claims=reading.claims,
        refunds=reading.refunds,
        refunds_read_at=refunds_read_at(seen, known),
    )


def _milestones(known: Order | None, seen: SeenOrder, status: OrderState) -> dict[str, datetime]:
    """Keep what was reached and add what is reached now, by the marketplace's time where it states one.

    Where it states none, an order that was watched reached it by the time of this sighting. Of one that is seen for
    the first time nobody knows: it then counts from the buyer's order, so that nobody is told old news as new.
    """
    watched = known is not None and bool(known.milestones)
    otherwise = seen.seen_at if watched else seen.placed.at
    reached = {"placed": seen.placed.at}
    if status in CONFIRMED:
        reached["confirmed"] = _time(seen, OrderTime.ACCEPTED) or otherwise
    if status in LEFT_THE_HOUSE:
        reached["shipped"] = _time(seen, OrderTime.REPORTED, OrderTime.SHIPPED) or otherwise
    if status == "completed":
        reached["completed"] = otherwise
    if status == "cancelled":
        done = [claim.completed.at for claim in seen.claims if claim.kind is ClaimKind.CANCEL and claim.completed]
        reached["cancelled"] = max(done, default=otherwise)
    # The marketplace may state a day to come; what is reached lies not after it was seen.
    reached = {name: min(moment, seen.seen_at) for name, moment in reached.items()}
    return {**reached, **(known.milestones if watched and known else {})}


def _time(seen: SeenOrder, *names: OrderTime) -> datetime | None:
    return next((seen.times[name].at for name in names if name in seen.times), None)


def _kind(known: Order | None, order: Order) -> type[OrderFact]:
    if order.quarantine_code != (known.quarantine_code if known else None):
        return OrderQuarantined if order.is_quarantined else OrderReleased
    if known is None:
        return OrderPlaced
    is_new = {state: order.status == state != known.status for state in ("cancelled", "completed", "shipped")}
    is_asked = cancellation_requested_at(order.status, order.claims) is not None
    kinds: tuple[tuple[bool, type[OrderFact]], ...] = (
        (is_new["cancelled"], OrderCancelled),
        (is_new["completed"], OrderCompleted),
        # Told when its parcels were registered: the marketplace may show it only at night.
        (is_new["shipped"] and "shipped" not in known.milestones, OrderShipped),
        (_has_cancelled_units(known, order), OrderLinesCancelled),
        (is_asked and cancellation_requested_at(known.status, known.claims) is None, CancellationRequested),
        ("confirmed" in order.milestones and "confirmed" not in known.milestones, OrderConfirmed),
    )
    return next((kind for is_so, kind in kinds if is_so), OrderChanged)


def _has_cancelled_units(known: Order, order: Order) -> bool:
    now = {line.external_id: 0 if line.status == "cancelled" else line.quantity for line in order.lines}
    return any(line.status != "cancelled" and now.get(line.external_id, 0) < line.quantity for line in known.lines)


def _quarantine(
    known: Order | None, unreadable: UnreadableOrder, *, account: Account, route: str, at: datetime
) -> Change | None:
    raw_hash = hash_of(unreadable.raw)
    if known is not None and not known.is_readable and known.raw_hash == raw_hash:
        return None
    if known is None:
        known = _unseen(unreadable, account=account, route=route)
    order = replace(
        known,
        version=known.version + 1,
        account_epoch=account.epoch,
        seen_at=unreadable.seen_at,
        is_quarantined=True,
        quarantine_code=unreadable.failure.code,
        quarantine_why=unreadable.failure.why,
        unmapped={},
        raw_hash=raw_hash,
    )
    fact = restate(OrderQuarantined, order, at)
    return Change(order=order, fact=fact, personal=None, raw=unreadable.raw, found_by=frozenset())


def _unseen(unreadable: UnreadableOrder, *, account: Account, route: str) -> Order:
    """Give the empty order that a quarantine needs to stand on; nobody can read when the buyer ordered."""
    return Order(
        id=new_id("ord"),
        account_id=account.id,
        account_epoch=account.epoch,
        marketplace_id=account.marketplace_id,
        external_id=external_id_of(unreadable),
        version=0,
        status="pending",
        work_state="new",
        placed_at=unreadable.seen_at,
        placed_local="",
        first_seen_by=route,
        seen_at=unreadable.seen_at,
        lines=(),
        milestones={},
        holds=(),
        totals={},
        is_quarantined=True,
        quarantine_code=None,
        quarantine_why=None,
        unmapped={},
        is_backfilled=False,
        is_test=False,
        erased_at=None,
        sheet=EMPTY_SHEET,
        raw_hash=b"",
        reading_hash=b"",
    )
