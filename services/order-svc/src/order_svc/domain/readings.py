"""Turns a sighting into what is stored of it: lines, totals, the sheet without the buyer, and the buyer's part."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import TypeAdapter

from hanro.events.orders import OrderLine, OrderState, StatedAmount
from hanro.ids import new_id
from hanro.marketplace.types import Amount, ClaimKind, ClaimStage, Detail, Line, OrderStatus, SeenOrder
from order_svc.domain.orders import LEFT_THE_HOUSE, UNSHIPPED, Order

LARGEST_SHEET_BYTES = 512 * 1024
TOTALS = ("goods", "postage", "total", "payable")
_RANK = {cast("OrderState", status.value): rank for rank, status in enumerate(OrderStatus)}
# A dump by compiled code: walking the values in Python would cost more than storing them.
_SEEN = TypeAdapter(SeenOrder)
_BUYERS_PART: Any = {
    "buyer": True,
    "payments": True,
    "gift": True,
    "notes": True,
    "packages": {"__all__": {"external_id", "address", "label"}},
}
_NOT_IN_SHEET: Any = {
    "raw": True,
    "seen_at": True,
    "holds": True,
    "lacks": True,
    "has_all_lines": True,
    "external_id": True,
    "is_test": True,
    "buyer": True,
    "payments": True,
    "gift": True,
    "notes": True,
    "packages": {"__all__": {"address", "label"}},
    "claims": {"__all__": {"reason"}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Be a sighting as it is stored. `personal` is the buyer's part as JSON, to be encrypted; None: not told."""

    status: OrderState
    lines: tuple[OrderLine, ...]
    totals: dict[str, StatedAmount]
    holds: tuple[str, ...]
    sheet: str = field(repr=False)
    personal: bytes | None = field(repr=False)
    hash: bytes = field(repr=False)


def read(seen: SeenOrder, known: Order | None) -> Reading:
    """Join a sighting with what is known: what it does not tell stays as it was.

    Absent lines stay unless it has all lines; a shipped line stays shipped where the way it was seen cannot tell
    (it lacks DISPATCH); totals that it does not state stay where it lacks POSTAGE; so does the buyer without CONTACT.

    Raises:
        ValueError: a text that UTF-8 cannot hold, or more than a fact can tell.
    """
    known_lines = {line.external_id: line for line in known.lines} if known else {}
    lines = [_line(line, known_lines.get(line.external_id), seen) for line in seen.lines]
    if not seen.has_all_lines:
        told = {line.external_id for line in lines}
        lines += [line for line in known_lines.values() if line.external_id not in told]
    totals = {name: stated(amount) for name in TOTALS if (amount := getattr(seen.totals, name)) is not None}
    if known and Detail.POSTAGE in seen.lacks:
        totals = {**known.totals, **totals}
    is_buyer_told = seen.buyer is not None or Detail.CONTACT not in seen.lacks
    personal = _SEEN.dump_json(seen, include=_BUYERS_PART) if is_buyer_told else None
    holds = tuple(sorted(hold.value for hold in seen.holds))
    sheet = _SEEN.dump_json(seen, exclude=_NOT_IN_SHEET)
    if len(sheet) > LARGEST_SHEET_BYTES:
        raise ValueError("the order is too large to be told by a fact")
    return Reading(
        status=status_of_lines(lines),
        lines=tuple(lines),
        totals=totals,
        holds=holds,
        sheet=sheet.decode(),
        personal=personal,
        hash=_hash(sheet, personal or b"", repr((holds, seen.is_test)).encode()),
    )


def hash_of(raw: bytes) -> bytes:
    """Give the digest by which equal bytes are known without being read again."""
    return hashlib.sha256(raw).digest()


def stated(amount: Amount) -> StatedAmount:
    """Give an amount as facts tell it: verbatim, and as a decimal string where it is decided."""
    money = amount.money
    return StatedAmount(
        text=amount.text, amount=f"{money.amount:f}" if money else None, currency=money.currency if money else None
    )


def status_of_lines(lines: Sequence[OrderLine]) -> OrderState:
    """Give the least advanced status of the lines that are not cancelled; `cancelled` where none is."""
    live = [line.status for line in lines if line.status != "cancelled"]
    return min(live, key=_RANK.__getitem__, default="cancelled")


def _line(line: Line, known: OrderLine | None, seen: SeenOrder) -> OrderLine:
    status = _status_of_line(line, seen)
    if known and known.status in LEFT_THE_HOUSE and status == "ready" and Detail.DISPATCH in seen.lacks:
        status = known.status
    has_left = status in LEFT_THE_HOUSE
    return OrderLine(
        id=known.id if known else new_id("lin"),
        external_id=line.external_id,
        keys=dict(line.keys),
        title=line.title,
        quantity=line.quantity,
        open_quantity=line.quantity if status in UNSHIPPED else 0,
        # What left the house stays counted, also when it is cancelled afterwards: it comes back as a return or not.
        shipped_quantity=line.quantity if has_left else known.shipped_quantity if known else 0,
        status=status,
        unit_price=stated(line.unit_price),
        is_tax_included=line.is_tax_included,
    )


def _status_of_line(line: Line, seen: SeenOrder) -> OrderState:
    for claim in seen.claims:
        if (
            claim.kind is ClaimKind.CANCEL
            and claim.line_id == line.external_id
            and claim.quantity in {None, line.quantity}
        ):
            if claim.stage is ClaimStage.DONE:
                return "cancelled"
            if claim.stage is ClaimStage.RUNNING and line.status is not OrderStatus.CANCELLED:
                return "cancelling"
    return cast("OrderState", line.status.value)


def _hash(*parts: bytes) -> bytes:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return whole.digest()
