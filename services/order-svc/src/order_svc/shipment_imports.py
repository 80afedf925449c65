"""Reads files of parcels in: each row is asked for as if it had come alone, and a file that comes twice acts once."""

import csv
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hanro.db import Transaction
from hanro.errors import NeedsSeller, Rejected, Unsupported
from hanro.ids import new_id
from hanro.marketplace import CsvFile, read_csv
from hanro.marketplace.tracking import normalised
from order_svc import shipments
from order_svc.domain.accounts import Account
from order_svc.domain.carriers import folded
from order_svc.domain.shipment_files import ORDER, ParcelRow, column_of, kinds_for, parcel_of
from order_svc.domain.shipments import UNDER_WAY, Wanted
from order_svc.shipments import Desk, Parcel
from order_svc.store import shipment_imports as store
from order_svc.store import shipments as shipments_store
from order_svc.store.shipment_imports import ImportRow, ShipmentImport

PREFIX = "sim"
MOST_ROWS = 1000
MOST_WARNINGS = 100
LONGEST_HEADING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Be a file as it is brought: `headings` name its columns, `carrier` that of all its parcels; None: as its kind."""

    account_id: str
    content: bytes
    layout: str | None
    headings: Mapping[str, str]
    carrier: str | None
    is_dry_run: bool


async def bring_in(
    tx: Transaction, desk: Desk, file: File, *, account: Account, by: str
) -> tuple[ShipmentImport, bool]:
    """Ask for the parcel of each row, or with `is_dry_run` only say what would be refused; one stops no other.

    Gives the import, and whether it was there before: the same file for the same account, in the same way.

    Raises:
        Rejected: a header that is not known (layout-unknown, column-missing,
            column-doubled), a file that cannot be read (file-malformed) or is too long (rows-too-many).
    """
    digest = _digest(file)
    await store.lock_digest(tx, account.id, digest)
    if not file.is_dry_run and (before := await store.find_done(tx, account.id, digest)):
        return before, True
    kinds = kinds_for(file.layout, file.headings, file.carrier)
    read = read_csv([kind.layout for kind in kinds.values()], file.content)
    kind = kinds[read.layout.name]
    rows = [row for group in read.groups for row in group]
    if len(rows) + len(read.faults) > MOST_ROWS:
        raise Rejected(f"a file has at most {MOST_ROWS} rows", code="rows-too-many")
    names = _columns(file.content, read)
    outcomes = [ImportRow(number=fault.row, code=fault.failure.code, detail=fault.failure.why) for fault in read.faults]
    parcels: list[ParcelRow] = []
    for row in rows:
        try:
            parcels.append(parcel_of(row, kind))
        except Rejected as refused:
            outcomes.append(_refused(ImportRow(number=row.number), refused, names))
    await tx.execute("savepoint file")
    outcomes += await _ask(tx, desk, file, sorted(parcels, key=lambda one: one.number), names=names, by=by)
    if file.is_dry_run:
        await tx.execute("rollback to savepoint file")
        outcomes = [replace(one, shipment_id=None, operation_id=None) for one in outcomes]
    made = ShipmentImport(
        id=new_id(PREFIX),
        account_id=account.id,
        digest=digest,
        layout=kind.layout.name,
        is_dry_run=file.is_dry_run,
        row_count=len(outcomes),
        refused_count=sum(one.code is not None for one in outcomes),
        warnings=tuple(map(_printable, read.unknown_columns[:MOST_WARNINGS])),
        created_by=by,
        created_at=desk.clock.now(),
    )
    await store.insert_import(tx, made, sorted(outcomes, key=lambda one: one.number))
    return made, False


async def get_(tx: Transaction, import_id: str, *, account_ids: Sequence[str] | None) -> ShipmentImport:
    """Give one import.

    Raises:
        Rejected: there is none for this caller (not-found).
    """
    found = await store.find_import(tx, import_id)
    if found is None or (account_ids is not None and found.account_id not in account_ids):
        raise Rejected("there is no such import", code="not-found")
    return found


@dataclass(frozen=True, slots=True)
class _Columns:
    """Give each column's heading and place, the first is 1."""

    places: Mapping[str, tuple[str, int]]


async def _ask(
    tx: Transaction, desk: Desk, file: File, parcels: Sequence[ParcelRow], *, names: _Columns, by: str
) -> list[ImportRow]:
    orders = await store.find_orders(tx, file.account_id, [one.external_id for one in parcels])
    await shipments.lock_all(tx, list(orders.values()))
    left = Counter(one.external_id for one in parcels)
    outcomes = []
    for one in parcels:
        left[one.external_id] -= 1
        outcome = ImportRow(number=one.number, external_id=one.external_id, order_id=orders.get(one.external_id))
        try:
            outcomes.append(await _ask_one(tx, desk, one, outcome, is_more=bool(left[one.external_id]), by=by))
        except (Rejected, Unsupported, NeedsSeller) as refused:
            outcomes.append(_refused(outcome, refused, names))
    return outcomes


async def _ask_one(
    tx: Transaction, desk: Desk, row: ParcelRow, outcome: ImportRow, *, is_more: bool, by: str
) -> ImportRow:
    order_id = outcome.order_id
    if order_id is None:
        raise Rejected("the account has no order of this number", code="order-unknown", field=ORDER)
    known = (await shipments_store.list_of_orders(tx, [order_id]))[order_id]
    for there in known:
        # A file often holds what an earlier one held.
        is_live = there.state == "registered" or there.state in UNDER_WAY
        if is_live and there.tracking.number is not None and folded(there.tracking.number) == _bare(row):
            return replace(outcome, shipment_id=there.id, operation_id=there.operation_id)
    parcel = Parcel(
        carrier=row.carrier,
        number=row.tracking_number,
        shipped_on=row.shipped_on,
        # Of several rows of an order the last one takes what is left.
        wanted=Wanted(package_id=row.package_id, is_last=False if is_more else None),
    )
    asked = await shipments.ship(tx, desk, order_id, parcel, account_ids=None, by=by)
    return replace(outcome, shipment_id=asked.shipment.id, operation_id=asked.operation.id)


def _bare(row: ParcelRow) -> str:
    return folded(normalised(row.tracking_number))


def _refused(outcome: ImportRow, failure: Rejected | Unsupported | NeedsSeller, names: _Columns) -> ImportRow:
    heading, place = names.places.get(column_of(failure.field), (None, None))
    return replace(outcome, code=failure.code, detail=failure.why, column_name=heading, column_number=place)


def _columns(content: bytes, read: CsvFile) -> _Columns:
    """Find where each known column stands in the file's own header."""
    header = content.splitlines()[0].decode(read.encoding, errors="replace").removeprefix("\ufeff")
    known = {heading: column.name for column in read.layout.columns for heading in (column.name, *column.aliases)}
    headings = [one.strip() for one in next(csv.reader([header]), [])]
    return _Columns(
        {known[heading]: (heading, place) for place, heading in enumerate(headings, start=1) if heading in known}
    )


def _printable(heading: str) -> str:
    """Give a heading as a database can hold it."""
    return "".join(one if one.isprintable() else "?" for one in heading[:LONGEST_HEADING])


def _digest(file: File) -> str:
    """Give what makes two files the same: their bytes, and how they are to be read."""
    how = repr((file.layout, sorted(file.headings.items()), file.carrier))
    return hashlib.sha256(how.encode() + b"\0" + file.content).hexdigest()
