"""Says how an order is written into its row, and read out of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field, TypeAdapter

from hanro.events.fact import Part
from hanro.events.orders import OrderClaim, OrderLine, OrderRefund, OrderShipment, StatedAmount
from order_svc.domain.orders import Order
from order_svc.domain.parts import part_writer
from order_svc.domain.spans import is_apart

if TYPE_CHECKING:
    import asyncpg


# JSON as text: the driver's own reading would make Python values of it.
READ = """
    select id, account_id, account_epoch, marketplace_id, external_id, version, status, work_state, placed_at,
        placed_local, first_seen_by, seen_at, is_quarantined, quarantine_code, quarantine_why, is_backfilled, is_test,
        erased_at, reserves_stock, is_from_file, refunds_read_at,
        document::text as document, sheet::text as sheet, raw_hash, reading_hash, created_at, changed_at,
        coalesce(decide_told = decide_by, false) as is_decision_due
    from orders
"""
# Most of an order's bytes are its sheet, which no list shows.
READ_WITHOUT_SHEET = READ.replace("sheet::text as sheet", "'{}' as sheet")


class Document(Part):
    """Be the part of an order that is stored as one JSON value."""

    lines: tuple[OrderLine, ...]
    milestones: dict[str, AwareDatetime]
    holds: tuple[str, ...]
    totals: dict[str, StatedAmount]
    shipments: tuple[OrderShipment, ...] = ()
    claims: tuple[OrderClaim, ...] = ()
    refunds: tuple[OrderRefund, ...] = ()
    unmapped: dict[str, str | None] = Field(default_factory=dict)


_write_document = part_writer(TypeAdapter(Order), frozenset(Document.model_fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """Be an order with the times of its row; `is_decision_due`: it was told that its deadline is near."""

    order: Order
    is_decision_due: bool
    created_at: datetime
    changed_at: datetime
    sheet: str = field(repr=False)


def document_of(order: Order) -> str:
    """Give the part of an order that is stored as one JSON value."""
    return _write_document(order).decode()


def order_of(row: "asyncpg.Record") -> Order:
    """Read an order out of its row."""
    document = Document.model_validate_json(row["document"])
    return Order(
        id=row["id"],
        account_id=row["account_id"],
        account_epoch=row["account_epoch"],
        marketplace_id=row["marketplace_id"],
        external_id=row["external_id"],
        version=row["version"],
        status=row["status"],
        work_state=row["work_state"],
        placed_at=row["placed_at"],
        placed_local=row["placed_local"],
        first_seen_by=row["first_seen_by"],
        seen_at=row["seen_at"],
        lines=document.lines,
        milestones=document.milestones,
        holds=document.holds,
        totals=document.totals,
        shipments=document.shipments,
        claims=document.claims,
        refunds=document.refunds,
        refunds_read_at=row["refunds_read_at"],
        is_quarantined=row["is_quarantined"],
        quarantine_code=row["quarantine_code"],
        quarantine_why=row["quarantine_why"],
        unmapped=document.unmapped,
        is_backfilled=row["is_backfilled"],
        is_test=row["is_test"],
        erased_at=row["erased_at"],
        reserves_stock=row["reserves_stock"],
        is_from_file=row["is_from_file"],
        sheet=row["sheet"],
        raw_hash=row["raw_hash"],
        reading_hash=row["reading_hash"],
    )


def stored_of(row: "asyncpg.Record") -> StoredOrder:
    """Read an order and the times of its row."""
    return StoredOrder(
        order=order_of(row),
        is_decision_due=row["is_decision_due"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        sheet=row["sheet"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Be a column that an order is written into: where it comes from, and for an update of many the type that is sent.

    `value` makes the column of what is sent, in SQL. `is_for_good`: it is told of a new order alone.
    """

    name: str
    type: str
    of: Callable[[Order], object]
    value: str
    is_for_good: bool = False

    def sent(self, order: Order) -> object:
        """Give what an update sends; a list as one text, since arrays of arrays must be of equal length."""
        found = self.of(order)
        return "\n".join(found) if isinstance(found, list) else found


def _plain(type_: str, *names: str, is_for_good: bool = False) -> tuple[Column, ...]:
    return tuple(
        Column(name=name, type=type_, of=attrgetter(name), value=f"t.{name}", is_for_good=is_for_good) for name in names
    )


def _unmapped_keys(order: Order) -> list[str]:
    """Give the keys that lines wait for; in a key no line ends."""
    return sorted({key for key in order.unmapped.values() if key})


def _is_placed_apart(order: Order) -> bool:
    return is_apart(order.id, order.placed_at)


COLUMNS = (
    *_plain("text", "id", "account_id", "marketplace_id", "external_id", "first_seen_by", is_for_good=True),
    *_plain("text", "status", "work_state", "placed_local", "quarantine_code", "quarantine_why"),
    *_plain("bigint", "account_epoch", "version"),
    *_plain("timestamptz", "placed_at", "seen_at", "erased_at", "decide_by", "refunds_read_at"),
    *_plain("boolean", "is_quarantined", "is_backfilled", "is_test", "reserves_stock", "is_from_file"),
    *_plain("json", "sheet"),
    *_plain("bytea", "raw_hash", "reading_hash"),
    Column(name="document", type="json", of=document_of, value="t.document"),
    Column(name="is_placed_apart", type="boolean", of=_is_placed_apart, value="t.is_placed_apart"),
    Column(name="unmapped_keys", type="text", of=_unmapped_keys, value=r"string_to_array(t.unmapped_keys, E'\n')"),
)
