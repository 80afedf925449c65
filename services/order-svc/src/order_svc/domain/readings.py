"""Turns a sighting into what is stored of it: lines, totals, the sheet without the buyer, and the buyer's part."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import field
from typing import Any, cast

from pydantic import TypeAdapter

from hanro.events.orders import OrderClaim, OrderLine, OrderRefund, OrderState, StatedAmount
from hanro.ids import new_id
from hanro.marketplace.types import Detail, Line, OrderStatus, OrderTime, SeenOrder
from hanro.value import value
from order_svc.domain import payments, states
from order_svc.domain.amounts import stated
from order_svc.domain.orders import LEFT_THE_HOUSE, UNSHIPPED, Order
from order_svc.domain.parts import part_writer
from order_svc.domain.terms import BuyerKind, buyer_terms_of

LARGEST_SHEET_BYTES = 512 * 1024
TOTALS = ("goods", "postage", "total", "payable")
_RANK = {cast("OrderState", status.value): rank for rank, status in enumerate(OrderStatus)}
_PAYMENT = ("method", "code", "status", "is_run_by_marketplace", "amount", "due_on", "external_id")
BUYERS_PART: Any = {
    "buyer": True,
    # Refunds stand in the order itself, also once its buyer is erased.
    "payments": {"__all__": {*_PAYMENT, "details"}},
    "gift": True,
    "notes": True,
    "packages": {"__all__": {"external_id", "address", "label"}},
    "claims": {"__all__": {"external_id", "reason"}},
}
# What may be shown without the scope for buyers is listed: what the port gets later stays out until it stands here.
SHEET: Any = {
    **dict.fromkeys(("placed", "lines", "totals", "taxes", "discounts", "wrappings", "wish", "times"), True),
    **dict.fromkeys(("differences", "details"), True),
    "packages": {
        "__all__": {
            **dict.fromkeys(("external_id", "parcels", "postage", "cash_on_delivery_fee", "total", "noshi"), True),
            **dict.fromkeys(("carrier_code", "drop_off", "details"), True),
            "address": {
                "kind": True,
                "country": True,
                "is_remote_island": True,
                "pickup": {"network", "external_id"},
            },
        }
    },
    "gift": {"is_wished", "management_id", "address_due_on"},
    "payments": {"__all__": {*_PAYMENT}},
    "claims": {
        "__all__": {
            *("external_id", "kind", "stage", "status_text", "order", "line_id", "quantity"),
            *("by", "requested", "completed", "amount"),
        }
    },
}
# By compiled code: walking the values in Python would cost more than storing them.
SEEN = TypeAdapter(SeenOrder)
_write_buyers_part = part_writer(SEEN, BUYERS_PART)
_write_sheet = part_writer(SEEN, SHEET)


@value
class Reading:
    """Be a sighting as it is stored. `personal` is the buyer's part as JSON, to be encrypted; None: not told.

    `found_by` are the texts by which the buyer is found.
    """

    status: OrderState
    lines: tuple[OrderLine, ...]
    claims: tuple[OrderClaim, ...]
    refunds: tuple[OrderRefund, ...]
    totals: dict[str, StatedAmount]
    holds: tuple[str, ...]
    sheet: str = field(repr=False)
    personal: bytes | None = field(repr=False)
    found_by: frozenset[tuple[BuyerKind, str]] = field(repr=False)
    hash: bytes = field(repr=False)


def read(seen: SeenOrder, known: Order | None) -> Reading:
    """Join a sighting with what is known: what it does not tell stays as it was.

    Absent lines stay unless it has all lines; a shipped line stays shipped where the way it was seen cannot tell
    (it lacks DISPATCH); totals that it does not state stay where it lacks POSTAGE, refunds and payments where it lacks
    PAYMENT; so does the buyer without CONTACT.
    Of an order whose buyer was erased nothing is told of a buyer.

    Raises:
        ValueError: a text that UTF-8 cannot hold, or more than a fact can tell.
    """
    seen = payments.with_known(seen, known)
    known_lines = {line.external_id: line for line in known.lines} if known else {}
    claims = states.join_claims(known.claims if known else (), seen)
    # A file tells how an order stood one day: what the marketplace shows outranks it.
    is_final = known is not None and not known.is_from_file
    # As long as an order moves no stock, it is for stock as if nobody had known it yet.
    is_counted = known is not None and known.reserves_stock
    lines = [
        _line(line, known_lines.get(line.external_id), seen, claims, is_final=is_final, is_counted=is_counted)
        for line in seen.lines
    ]
    if not seen.has_all_lines:
        told = {line.external_id for line in lines}
        lines += [line for line in known_lines.values() if line.external_id not in told]
    totals = {name: stated(amount) for name in TOTALS if (amount := getattr(seen.totals, name)) is not None}
    if known and Detail.POSTAGE in seen.lacks:
        totals = {**known.totals, **totals}
    is_erased = known is not None and known.erased_at is not None
    is_buyer_told = not is_erased and (seen.buyer is not None or Detail.CONTACT not in seen.lacks)
    personal = _write_buyers_part(seen) if is_buyer_told else None
    holds = tuple(sorted(hold.value for hold in seen.holds))
    refunds = payments.refunds_of(seen, known)
    told_of_refunds = payments.bytes_of(refunds)
    sheet = _write_sheet(seen)
    if is_erased:
        sheet = without_buyer(sheet.decode()).encode()
    if len(sheet) + len(told_of_refunds) > LARGEST_SHEET_BYTES:
        raise ValueError("the order is too large to be told by a fact")
    return Reading(
        status=status_of_lines(lines),
        lines=tuple(lines),
        claims=claims,
        refunds=refunds,
        totals=totals,
        holds=holds,
        sheet=sheet.decode(),
        personal=personal,
        found_by=buyer_terms_of(seen) if is_buyer_told else frozenset(),
        hash=_hash(
            sheet, personal or b"", repr((holds, seen.is_test)).encode(), *([told_of_refunds] if refunds else ())
        ),
    )


def hash_of(raw: bytes) -> bytes:
    """Give the digest by which equal bytes are known without being read again."""
    return hashlib.sha256(raw).digest()


def without_buyer(sheet: str) -> str:
    """Give a sheet without what the buyer wrote or chose: an option may hold a name to be engraved, so may the noshi.

    The gift and the shop where it is fetched go too; how it is paid, in general, stays.
    """
    stated_besides = json.loads(sheet)
    for line in stated_besides.get("lines", ()):
        line["options_text"] = None
    for package in stated_besides.get("packages", ()):
        package |= {"noshi": None, "drop_off": None}
        if package.get("address"):
            package["address"]["pickup"] = None
    if stated_besides:
        stated_besides["gift"] = None
    return json.dumps(stated_besides, separators=(",", ":"))


def status_of_lines(lines: Sequence[OrderLine]) -> OrderState:
    """Give the least advanced status of the lines that are not cancelled; `cancelled` where none is."""
    live = [line.status for line in lines if line.status != "cancelled"]
    return min(live, key=_RANK.__getitem__, default="cancelled")


def _line(
    line: Line,
    known: OrderLine | None,
    seen: SeenOrder,
    claims: Sequence[OrderClaim],
    *,
    is_final: bool,
    is_counted: bool,
) -> OrderLine:
    shown = states.status_shown(line.external_id, line.quantity, line.status, seen.claims)
    if shown == "on_hold" and OrderTime.REPORTED in seen.times:
        # A change of what left the house is decided too, and it may be seen there first; the hold tells of the change.
        shown = "shipped"
    status = states.believed(
        known.status if known and is_final else None,
        shown,
        is_withdrawn=states.is_withdrawn(line.external_id, seen.claims),
    )
    if known and known.status in LEFT_THE_HOUSE and status == "ready" and Detail.DISPATCH in seen.lacks:
        status = known.status
    # What left the house stays counted, also when it is cancelled afterwards: it comes back as a return or not.
    shipped = max(known.shipped_quantity if known else 0, line.quantity if status in LEFT_THE_HOUSE else 0)
    return OrderLine(
        id=known.id if known else new_id("lin"),
        external_id=line.external_id,
        keys=dict(line.keys),
        title=line.title,
        quantity=line.quantity,
        # A cancellation that runs for what left the house takes no stock a second time.
        open_quantity=max(line.quantity - shipped, 0) if status in UNSHIPPED else 0,
        shipped_quantity=shipped,
        status=status,
        unit_price=stated(line.unit_price),
        is_tax_included=line.is_tax_included,
        cancelled_quantity=states.cancelled_units(
            known, line_id=line.external_id, quantity=line.quantity, status=status, claims=claims
        ),
        returned_quantity=states.returned_units(line.external_id, shipped, claims),
        shipped_before=known.shipped_before if known and is_counted else shipped,
        decide_by=line.decide_by,
    )


def _hash(*parts: bytes) -> bytes:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return whole.digest()
