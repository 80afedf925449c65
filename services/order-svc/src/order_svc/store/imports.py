"""Keeps imports of files: what was asked, how far each is, and the file's bytes, sealed, until it is done."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hanro.db import Transaction
from hanro.errors import Retryable
from order_svc.domain.merging import Mode
from order_svc.store.import_rows import delete_outcomes
from order_svc.store.import_runs import delete_runs

if TYPE_CHECKING:
    import asyncpg

OPEN = ("accepted", "reading", "storing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """Be one file that is taken in, or was.

    `state`: uploading, accepted, reading (its rows are found), storing, done, failed. `columns` are the layout's names
    of the file's columns, in the file's order. `position` is up to where the file was split, in bytes; `row_count` rows
    were found up to there, `next_row` is the number of the next one. `fence` names the claim that changes are for.
    """

    id: str
    account_id: str
    account_epoch: int
    marketplace_id: str
    asked_by: str
    mode: Mode
    is_dry_run: bool
    reserves_stock: bool
    state: str
    layout: str
    layout_version: str
    encoding: str
    columns: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    absent_columns: tuple[str, ...]
    size_bytes: int
    position: int
    next_row: int
    row_count: int
    done_count: int
    refused_count: int
    new_count: int
    changed_count: int
    unchanged_count: int
    failure: Mapping[str, Any] | None
    created_at: datetime
    changed_at: datetime
    finished_at: datetime | None
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Be a piece of a file, sealed."""

    import_id: str
    number: int
    sealed: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Give what the piece is sealed for."""
        return chunk_id(self.import_id, self.number)


COLUMNS = ", ".join("failure::text" if one.name == "failure" else one.name for one in fields(Import))


def chunk_id(import_id: str, number: int) -> str:
    """Give the id of a piece of a file, from 0."""
    return f"{import_id}/{number}"


async def begin_upload(tx: Transaction, import_id: str) -> None:
    """Make room for the pieces of a file that comes; until it is accepted nobody sees it."""
    await tx.execute(
        f"""
        insert into imports (id, state, created_at, changed_at) select $1, 'uploading', at, at
        from (select {tx.now_sql} as at) clock
        """,  # noqa: S608  the schema's own clock
        import_id,
    )


async def save_chunk(tx: Transaction, chunk: Chunk) -> None:
    """Store a piece."""
    await tx.execute(
        "insert into import_chunks (id, import_id, number, sealed) values ($1, $2, $3, $4)",
        chunk.id,
        chunk.import_id,
        chunk.number,
        chunk.sealed,
    )


async def find_chunk(tx: Transaction, import_id: str, number: int) -> bytes | None:
    """Give a sealed piece, or None behind the last one."""
    rows = await tx.fetch("select sealed from import_chunks where id = $1", chunk_id(import_id, number))
    return rows[0]["sealed"] if rows else None


async def delete_upload(tx: Transaction, import_id: str) -> None:
    """Forget a file that was not accepted."""
    await tx.execute("delete from imports where id = $1 and state = 'uploading'", import_id)


async def accept(tx: Transaction, wanted: Mapping[str, object], import_id: str) -> Import:
    """Let a file that has come be taken in; `wanted` are its columns by name."""
    names = list(wanted)
    places = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, start=2))
    rows = await tx.fetch(
        f"""
        update imports set {places}, state = 'accepted', changed_at = {tx.now_sql}
        where id = $1 and state = 'uploading' returning {COLUMNS}
        """,  # noqa: S608  columns of ours
        import_id,
        *wanted.values(),
    )
    if not rows:
        raise Retryable("The upload took too long and was forgotten; send the file again.", code="busy")
    return _import(rows[0])


async def find_import(tx: Transaction, import_id: str) -> Import | None:
    """Give an import that was accepted, or None."""
    rows = await tx.fetch(f"select {COLUMNS} from imports where id = $1 and state <> 'uploading'", import_id)  # noqa: S608  columns of ours
    return _import(rows[0]) if rows else None


async def list_imports(
    tx: Transaction, *, account_ids: Sequence[str] | None, before_id: str | None, limit: int
) -> list[Import]:
    """Give imports, the last one first; `account_ids` None: of all."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from imports
        where state <> 'uploading' and ($1::text[] is null or account_id = any($1)) and ($2::text is null or id < $2)
        order by id desc limit $3
        """,  # noqa: S608  columns of ours
        None if account_ids is None else list(account_ids),
        before_id,
        limit,
    )
    return [_import(row) for row in rows]


async def claim(tx: Transaction, lease: timedelta) -> Import | None:
    """Take the import that waits longest, or whose taker died, for `lease`; None: there is none."""
    rows = await tx.fetch(
        f"""
        update imports set lease_until = {tx.now_sql} + $1::interval, fence = nextval('due_fence')
        where id = (
            select id from imports
            where state = any($2::text[]) and (lease_until is null or lease_until <= {tx.now_sql})
            order by id limit 1 for update skip locked
        )
        returning {COLUMNS}
        """,  # noqa: S608  columns of ours
        lease,
        list(OPEN),
    )
    return _import(rows[0]) if rows else None


async def release(tx: Transaction, held: Import) -> None:
    """Give a claim back, so that another may go on at once; one that was lost stays lost."""
    await tx.execute("update imports set lease_until = null where id = $1 and fence = $2", held.id, held.fence)


async def save_progress(tx: Transaction, held: Import, lease: timedelta) -> None:
    """Store how far a claimed import is, and hold it for another `lease`; one that is done or failed is given back.

    Raises:
        Retryable: another process took it over, or it was closed (lease-lost); nothing is to be committed.
    """
    touched = await tx.execute(
        f"""
        update imports set state = $3, position = $4, next_row = $5, row_count = $6, done_count = $7,
            refused_count = $8, new_count = $9, changed_count = $10, unchanged_count = $11, failure = $12::text::jsonb,
            changed_at = {tx.now_sql},
            lease_until = case when $3 = any($14::text[]) then {tx.now_sql} + $13::interval end,
            finished_at = case when $3 <> all($14::text[]) then {tx.now_sql} end
        where id = $1 and fence = $2
        """,  # noqa: S608  the schema's own clock
        held.id,
        held.fence,
        held.state,
        held.position,
        held.next_row,
        held.row_count,
        held.done_count,
        held.refused_count,
        held.new_count,
        held.changed_count,
        held.unchanged_count,
        None if held.failure is None else json.dumps(held.failure),
        lease,
        list(OPEN),
    )
    if not touched:
        raise Retryable(f"another process took the import {held.id} over", code="lease-lost")


async def forget_file(tx: Transaction, import_ids: Sequence[str]) -> None:
    """Forget files' bytes, and where their rows stand."""
    await tx.execute("delete from import_chunks where import_id = any($1::text[])", list(import_ids))
    await delete_runs(tx, import_ids)


async def close_past(tx: Transaction, account_id: str, epoch: int, *, failure: Mapping[str, object]) -> None:
    """Close what an older link of an account has not taken in, and forget those files; who works on one stops."""
    rows = await tx.fetch(
        f"""
        update imports set state = 'failed', failure = $3::text::jsonb, fence = nextval('due_fence'),
            lease_until = null, changed_at = {tx.now_sql}, finished_at = {tx.now_sql}
        where id in (
            select id from imports where account_id = $1 and account_epoch < $2 and state = any($4::text[])
            order by id for update
        )
        returning id
        """,  # noqa: S608  the schema's own clock
        account_id,
        epoch,
        json.dumps(failure),
        list(OPEN),
    )
    await forget_file(tx, [row["id"] for row in rows])


async def prune(tx: Transaction, *, uploads_kept: timedelta, kept: timedelta, limit: int) -> int:
    """Forget uploads that never ended and imports that ended long ago, with their rows; give how many."""
    # Materialized: looked for again for each row, the next one would be found behind one that is gone, past the limit.
    gone = await tx.fetch(
        f"""
        with old as materialized (
            select id from imports
            where (state = 'uploading' and changed_at < (select {tx.now_sql}) - $1::interval)
                or finished_at < (select {tx.now_sql}) - $2::interval
            order by id limit $3 for update skip locked
        )
        delete from imports using old where imports.id = old.id returning imports.id
        """,  # noqa: S608  the schema's own clock
        uploads_kept,
        kept,
        limit,
    )
    await delete_outcomes(tx, [row["id"] for row in gone])
    return len(gone)


def _import(row: "asyncpg.Record") -> Import:
    lists = {name: tuple(row[name]) for name in ("columns", "unknown_columns", "absent_columns")}
    failure = None if row["failure"] is None else json.loads(row["failure"])
    return Import(**{**dict(row), **lists, "failure": failure})
