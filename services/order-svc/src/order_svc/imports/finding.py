"""Finds the rows of a file: where each begins, which order it is of, and what cannot be read."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hanro import failpoints
from hanro.db import Database
from hanro.marketplace.types import CsvLayout
from order_svc.domain.files import Record, Splitter, group_of, read_row
from order_svc.imports.file_bytes import FileBytes
from order_svc.store import import_rows as rows_store
from order_svc.store import import_runs as runs_store
from order_svc.store import imports as store
from order_svc.store.import_rows import Outcome
from order_svc.store.import_runs import Run
from order_svc.store.imports import Import

AT_ONCE = 1000
SLICE = 20


@dataclass(slots=True)
class _Found:
    runs: list[Run] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    row_count: int = 0
    last: Record | None = None


async def find_rows(db: Database, content: FileBytes, held: Import, layout: CsvLayout, *, lease: timedelta) -> Import:
    """Split a little more of a file and store what was found, in one transaction; gives the import as it is then.

    At the end of the file its state is `storing`. Who dies before the commit has found nothing.

    Raises:
        Retryable: another process took the import over, or the file is gone (lease-lost).
    """
    splitter = Splitter(number=held.next_row, start=held.position)
    found, position = _Found(), held.position
    is_full = is_end = False
    while not is_full and not is_end:
        chunk = await content.from_(position)
        position += len(chunk)
        is_end = not chunk
        is_full = await _take(splitter.end() if is_end else splitter.feed(chunk), held, layout, found)
    moved = _moved(held, found)
    if not is_full:
        moved = replace(moved, state="storing", position=held.size_bytes)
    async with db.begin() as tx:
        await store.save_progress(tx, moved, lease)
        await runs_store.save_runs(tx, held.id, found.runs)
        await rows_store.save_outcomes(tx, held.id, found.refused)
        failpoints.reach("imports.before_commit")
    return moved


async def _take(records: Iterator[Record], held: Import, layout: CsvLayout, found: _Found) -> bool:
    """Note rows and tell whether there are enough; what the splitter holds beyond them is split again the next time."""
    places = [held.columns.index(name) for name in layout.group_by]
    for record in records:
        found.last = record
        if record.number == 1:
            continue
        cells, fault = read_row(record, held.columns, held.encoding)
        group_key = group_of(cells, places) if cells else _alone(record)
        if fault is not None:
            found.refused.append(Outcome(number=record.number, outcome="refused", fault=fault))
        _note(found.runs, record, group_key, is_refused=fault is not None)
        found.row_count += 1
        if found.row_count % SLICE == 0:
            await asyncio.sleep(0)
        if found.row_count >= AT_ONCE:
            return True
    return False


def _note(runs: list[Run], record: Record, group_key: bytes, *, is_refused: bool) -> None:
    """Let a row go on with the run before it, or begin one: most orders' rows stand together."""
    before = runs[-1] if runs else None
    if (
        before is not None
        and before.group_key == group_key
        and before.number + before.row_count == record.number
        and not before.is_refused
        and not is_refused
    ):
        runs[-1] = replace(before, row_count=before.row_count + 1, length=before.length + len(record.raw))
    else:
        runs.append(
            Run(
                number=record.number,
                row_count=1,
                start=record.start,
                length=len(record.raw),
                group_key=group_key,
                is_refused=is_refused,
            )
        )


def _moved(held: Import, found: _Found) -> Import:
    last = found.last
    return replace(
        held,
        state="reading",
        position=held.position if last is None else last.start + len(last.raw),
        next_row=held.next_row if last is None else last.number + 1,
        row_count=held.row_count + found.row_count,
        refused_count=held.refused_count + len(found.refused),
        done_count=held.done_count + len(found.refused),
    )


def _alone(record: Record) -> bytes:
    """Give a row that cannot be told from its bytes an order of its own."""
    return record.number.to_bytes(16)
