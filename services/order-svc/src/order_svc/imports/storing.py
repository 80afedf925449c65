"""Stores the orders of a file, some at a time, each batch in one transaction with what became of its rows."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hanro import failpoints
from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.errors import LocalizedText, Rejected
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import CsvLayout, CsvRow, SeenOrder
from order_svc import buyers
from order_svc.domain.accounts import Account
from order_svc.domain.files import RowFault, cells_of, lacking
from order_svc.domain.imports import ROUTE, decider
from order_svc.domain.merging import Terms, bytes_of, merged
from order_svc.domain.reconcile import Change, external_id_of
from order_svc.imports.file_bytes import FileBytes
from order_svc.orders.ingestion import lock_sighted, take_in
from order_svc.store import cursors as cursors_store
from order_svc.store import import_rows as rows_store
from order_svc.store import import_runs as runs_store
from order_svc.store import imports as store
from order_svc.store.import_rows import Outcome
from order_svc.store.import_runs import Run
from order_svc.store.imports import Import

MOST_ORDERS = 200
"""Orders in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """Be an order that a file tells of, and the numbers of its rows."""

    seen: SeenOrder = field(repr=False)
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Be whose file it is, and how it is read."""

    account: Account
    plugin: Plugin
    layout: CsvLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Be some orders of a file that were read, and what is known already of rows that could not be.

    `last` is the first row of the last of its orders; 0: it is empty, no order waits.
    """

    orders: tuple[_Order, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    group_keys: tuple[bytes, ...] = ()
    last: int = 0


async def read_batch(
    db: Database, content: FileBytes, held: Import, source: Source, *, at: datetime, limit: int, after: int = 0
) -> Batch:
    """Read the next `limit` orders of a file, those that begin behind the row `after`; empty once there is none.

    Raises:
        Retryable: the file is gone (lease-lost).
    """
    async with db.begin() as tx:
        runs = await runs_store.list_behind(tx, held.id, after=after, limit=limit)
    groups: dict[bytes, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.group_key, []).append(run)
    orders: list[_Order] = []
    outcomes: list[Outcome] = []
    terms = terms_of(held, source)
    for group in groups.values():
        broken = next((run.number for run in group if run.is_refused), None)
        if broken is None:
            read = await _read(content, group, held, source.layout, terms, at=at)
            if isinstance(read, _Order):
                orders.append(read)
            else:
                outcomes += read
        else:
            rows = [number for run in group if not run.is_refused for number in run.numbers]
            outcomes += [Outcome(number=number, outcome="refused", fault=lacking(broken)) for number in rows]
        # In turn with who stores the batch before: one order at a time, or all would be read while that one still
        # decides, and nothing be left to do while it waits for the database.
        await asyncio.sleep(0)
    return Batch(
        orders=tuple(orders),
        outcomes=tuple(outcomes),
        group_keys=tuple(groups),
        last=max((group[0].number for group in groups.values()), default=0),
    )


async def store_batch(
    db: Database, keyring: Keyring, held: Import, source: Source, batch: Batch, *, at: datetime, lease: timedelta
) -> Import:
    """Take orders of a file in; gives the import as it is then, `done` where the batch is empty.

    A dry run finds out the same, and stores nothing but what became of the rows.

    Raises:
        Retryable: another process took the import over (lease-lost); nothing of the batch is stored.
    """
    orders, terms = batch.orders, terms_of(held, source)
    async with db.begin() as tx:
        await cursors_store.plan_cursors(tx, held.account_id, [route.name for route in source.plugin.routes])
        await cursors_store.lock_cursors(tx, held.account_id)
        changes = await _take_in(tx, keyring, orders, source, terms, at=at, is_dry_run=held.is_dry_run)
        outcomes = [*batch.outcomes, *_outcomes(orders, changes, is_dry_run=held.is_dry_run)]
        moved = _counted(held, outcomes, orders, changes, is_last=not batch.group_keys)
        await rows_store.save_outcomes(tx, held.id, outcomes)
        await runs_store.delete_orders(tx, held.id, batch.group_keys)
        await store.save_progress(tx, moved, lease)
        if moved.state == "done":
            await store.forget_file(tx, [held.id])
        failpoints.reach("imports.before_commit")
    failpoints.reach("imports.after_commit")
    return moved


def terms_of(held: Import, source: Source) -> Terms:
    """Say on what terms a file is taken in."""
    return Terms(mode=held.mode, reserves_stock=held.reserves_stock, covers=source.layout.covers)


async def _read(
    content: FileBytes, runs: Sequence[Run], held: Import, layout: CsvLayout, terms: Terms, *, at: datetime
) -> _Order | list[Outcome]:
    """Read an order out of its rows, or say of each of them why it cannot be read."""
    rows: list[CsvRow] = []
    for run in runs:
        cells = cells_of(await content.between(run.start, run.length), held.columns, held.encoding)
        rows += [CsvRow(number=number, cells=one) for number, one in zip(run.numbers, cells, strict=True)]
    numbers = tuple(row.number for row in rows)
    try:
        return _Order(seen=_seen(layout, rows, terms, at), numbers=numbers)
    except Rejected as failure:
        return _refused(numbers, failure)


def _seen(layout: CsvLayout, group: Sequence[CsvRow], terms: Terms, at: datetime) -> SeenOrder:
    if layout.read is None:
        raise AssertionError(f"unreachable: an import was accepted whose layout {layout.name} is not read")
    seen = layout.read(tuple(group))
    seen = replace(seen, seen_at=at, raw=bytes_of(seen, terms))
    if external_id_of(seen) != seen.external_id:
        raise Rejected(
            "The order's number is empty, too long or not printable.",
            code="cell-malformed",
            field=f"rows.{group[0].number}.{layout.group_by[0]}",
        )
    return seen


async def _take_in(
    tx: Transaction,
    keyring: Keyring,
    orders: Sequence[_Order],
    source: Source,
    terms: Terms,
    *,
    at: datetime,
    is_dry_run: bool,
) -> dict[str, Change]:
    """Give what orders change, by number; it is stored unless it is a dry run."""
    locked = await lock_sighted(tx, source.account, {order.seen.external_id: order.seen for order in orders})
    told = [order for order in locked.known.values() if order.is_from_file]
    personal = await buyers.personal_of(tx, keyring, [order.id for order in told]) if told else {}
    before = {order.external_id: order for order in told}
    sightings = [
        merged(seen, before[seen.external_id], personal.get(before[seen.external_id].id), terms)
        if seen.external_id in before
        else seen
        for seen in (order.seen for order in orders)
    ]
    changes = await take_in(
        tx,
        keyring,
        sightings,
        account=source.account,
        plugin=source.plugin,
        route=ROUTE,
        at=at,
        decide=decider(terms),
        locked=locked,
        is_dry_run=is_dry_run,
    )
    return {change.order.external_id: change for change in changes}


def _outcomes(orders: Sequence[_Order], changes: Mapping[str, Change], *, is_dry_run: bool) -> list[Outcome]:
    found = []
    for order in orders:
        change = changes.get(order.seen.external_id)
        outcome = _outcome(change)
        # An order that a dry run would make is not there.
        order_id = change.order.id if change and not (is_dry_run and outcome == "new") else None
        found += [Outcome(number=number, outcome=outcome, order_id=order_id) for number in order.numbers]
    return found


def _outcome(change: Change | None) -> str:
    if change is None:
        return "unchanged"
    return "new" if change.order.version == 1 else "changed"


def _counted(
    held: Import, outcomes: Sequence[Outcome], orders: Sequence[_Order], changes: Mapping[str, Change], *, is_last: bool
) -> Import:
    counts = Counter(_outcome(changes.get(order.seen.external_id)) for order in orders)
    return replace(
        held,
        state="done" if is_last else "storing",
        done_count=held.done_count + len(outcomes),
        refused_count=held.refused_count + sum(one.outcome == "refused" for one in outcomes),
        new_count=held.new_count + counts["new"],
        changed_count=held.changed_count + counts["changed"],
        unchanged_count=held.unchanged_count + counts["unchanged"],
    )


def _refused(numbers: Sequence[int], failure: Rejected) -> list[Outcome]:
    """Say of the row at fault what is wrong, and of the others of its order which one that is."""
    _, number, column = (*(failure.field or "").split(".", 2), "", "")[:3]
    at_fault = int(number) if number.isdecimal() else numbers[0]
    fault = RowFault(code=failure.code, message=_told(failure, column), column=column or None)
    return [
        Outcome(number=one, outcome="refused", fault=fault if one == at_fault else lacking(at_fault)) for one in numbers
    ]


def _told(failure: Rejected, column: str) -> LocalizedText:
    where = f"項目「{column}」: " if column else ""
    return LocalizedText(ja=where + _JAPANESE.get(failure.code, "内容を読み取れません。"), en=failure.why)


_JAPANESE = {
    "cell-malformed": "値の形式が正しくありません。",
    "unknown-status": "仕様にないステータスです。",
}
