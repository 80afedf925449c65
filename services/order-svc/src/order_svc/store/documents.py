"""Keeps documents that were asked for, and their sealed files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from hanro.db import Transaction

if TYPE_CHECKING:
    import asyncpg

Status = Literal["waiting", "ready", "refused"]
_COLUMNS = """
    id, kind, is_invoice, order_ids, account_ids, asked_by, status, printed_count, left_out::text, failure::text,
    attempt_count, created_at, changed_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Be a document that was asked for, without its file.

    `left_out` says of each order that could not be printed `order_id`, `code`, `why` and `remedy`; `failure` why there
    is no file. `attempt_count` names the claim that progress and outcome are for.
    """

    id: str
    kind: str
    is_invoice: bool
    order_ids: tuple[str, ...]
    account_ids: tuple[str, ...]
    asked_by: str
    status: Status
    printed_count: int
    left_out: Sequence[Mapping[str, Any]]
    failure: Mapping[str, Any] | None
    attempt_count: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """Be an encrypted file; `version` is part of what the seal is bound to."""

    version: int
    sealed: bytes = field(repr=False)


async def save_asked(
    tx: Transaction,
    document_id: str,
    *,
    kind: str,
    is_invoice: bool,
    order_ids: Sequence[str],
    account_ids: Sequence[str],
    by: str,
) -> Document:
    """Store what was asked for; it waits to be printed."""
    rows = await tx.fetch(
        f"""
        insert into documents (id, kind, is_invoice, order_ids, account_ids, asked_by, status, created_at, changed_at)
        select $1, $2, $3, $4, $5, $6, 'waiting', now, now from (select {tx.now_sql} as now) clock
        returning {_COLUMNS}
        """,  # noqa: S608  the schema's own clock and fixed texts
        document_id,
        kind,
        is_invoice,
        list(order_ids),
        list(account_ids),
        by,
    )
    return _document(rows[0])


async def find_document(tx: Transaction, document_id: str) -> Document | None:
    """Give a document, or None: there is none, it is too old, or a buyer on it was erased."""
    rows = await tx.fetch(f"select {_COLUMNS} from documents where id = $1", document_id)  # noqa: S608  fixed texts
    return _document(rows[0]) if rows else None


async def find_file(tx: Transaction, document_id: str) -> SealedFile | None:
    """Give the sealed file of a document, or None."""
    rows = await tx.fetch("select version, sealed from document_files where document_id = $1", document_id)
    return SealedFile(**dict(rows[0])) if rows else None


async def claim_document(tx: Transaction, *, lease: timedelta) -> Document | None:
    """Take the oldest document that waits and nobody prints, for `lease`; None: there is none."""
    rows = await tx.fetch(
        f"""
        with found as (
            select id from documents
            where status = 'waiting' and (lease_until is null or lease_until <= {tx.now_sql})
            order by id limit 1 for update skip locked
        )
        update documents set lease_until = {tx.now_sql} + $1::interval, attempt_count = attempt_count + 1
        where id in (select id from found) returning {_COLUMNS}
        """,  # noqa: S608  the schema's own clock and fixed texts
        lease,
    )
    return _document(rows[0]) if rows else None


async def save_progress(tx: Transaction, document: Document, *, printed: int, lease: timedelta) -> bool:
    """Note how many orders are set and go on holding the claim; False: it is another's by now, or deleted."""
    return bool(
        await tx.execute(
            f"""
            update documents set
                printed_count = $3, changed_at = {tx.now_sql}, lease_until = {tx.now_sql} + $4::interval
            where id = $1 and attempt_count = $2 and status = 'waiting'
            """,  # noqa: S608  the schema's own clock
            document.id,
            document.attempt_count,
            printed,
            lease,
        )
    )


async def give_back(tx: Transaction, document: Document) -> None:
    """Let another process begin it anew."""
    await tx.execute(
        "update documents set lease_until = null where id = $1 and attempt_count = $2",
        document.id,
        document.attempt_count,
    )


async def save_outcome(
    tx: Transaction,
    document: Document,
    *,
    status: Status,
    printed: int,
    left_out: Sequence[Mapping[str, Any]],
    failure: Mapping[str, Any] | None,
) -> bool:
    """Store what became of a document that was claimed; False: it is another's by now, or deleted."""
    return bool(
        await tx.execute(
            f"""
            update documents set status = $3, printed_count = $4, left_out = $5::text::json, failure = $6::text::json,
                lease_until = null, changed_at = {tx.now_sql}
            where id = $1 and attempt_count = $2 and status = 'waiting'
            """,  # noqa: S608  the schema's own clock
            document.id,
            document.attempt_count,
            status,
            printed,
            json.dumps(list(left_out)),
            None if failure is None else json.dumps(failure),
        )
    )


async def save_file(tx: Transaction, document_id: str, file: SealedFile) -> None:
    """Store the sealed file of a document."""
    await tx.execute(
        "insert into document_files (document_id, version, sealed) values ($1, $2, $3)",
        document_id,
        file.version,
        file.sealed,
    )


async def delete_of_orders(tx: Transaction, order_ids: Sequence[str]) -> int:
    """Delete the documents that show any of these orders, with their files; give how many."""
    return await tx.execute(
        """
        delete from documents
        where id in (select id from documents where order_ids && $1::text[] order by id for update)
        """,
        list(order_ids),
    )


async def prune_documents(tx: Transaction, kept: timedelta, *, limit: int) -> int:
    """Delete documents that are older than `kept`, at most `limit`, the oldest first; give how many."""
    return await tx.execute(
        f"""
        delete from documents where id in (
            select id from documents where created_at < (select {tx.now_sql}) - $1::interval
            order by created_at limit $2
        )
        """,  # noqa: S608  the schema's own clock
        kept,
        limit,
    )


def _document(row: "asyncpg.Record") -> Document:
    found = dict(row)
    return Document(
        **{
            **found,
            "order_ids": tuple(found["order_ids"]),
            "account_ids": tuple(found["account_ids"]),
            "left_out": json.loads(found["left_out"]),
            "failure": None if found["failure"] is None else json.loads(found["failure"]),
        }
    )
