"""Keeps files of parcels that were read in, and what became of each row."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hanro.db import Transaction

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentImport:
    """Be a file that was read in. `warnings` are the columns that nobody knows."""

    id: str
    account_id: str
    digest: str
    layout: str
    is_dry_run: bool
    row_count: int
    refused_count: int
    warnings: tuple[str, ...]
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """Be what became of one row, `number` as a spreadsheet counts; `code` None: it was taken."""

    number: int
    external_id: str | None = None
    order_id: str | None = None
    shipment_id: str | None = None
    operation_id: str | None = None
    code: str | None = None
    detail: str | None = None
    column_name: str | None = None
    column_number: int | None = None


_IMPORT = """
    select id, account_id, digest, layout, is_dry_run, row_count, refused_count, warnings::text as warnings, created_by,
        created_at from shipment_imports
"""


async def lock_digest(tx: Transaction, account_id: str, digest: str) -> None:
    """Let two that bring the same file take turns."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{account_id} {digest}")


async def find_done(tx: Transaction, account_id: str, digest: str) -> ShipmentImport | None:
    """Give the import of a file that was read in for good, or None."""
    rows = await tx.fetch(
        f"{_IMPORT} where account_id = $1 and digest = $2 and not is_dry_run",
        account_id,
        digest,
    )
    return _import(rows[0]) if rows else None


async def find_import(tx: Transaction, import_id: str) -> ShipmentImport | None:
    """Give one import, or None."""
    rows = await tx.fetch(f"{_IMPORT} where id = $1", import_id)
    return _import(rows[0]) if rows else None


async def insert_import(tx: Transaction, made: ShipmentImport, rows: Sequence[ImportRow]) -> None:
    """Store an import and what became of its rows, in two statements."""
    await tx.execute(
        f"""
        insert into shipment_imports (
            id, account_id, digest, layout, is_dry_run, row_count, refused_count, warnings, created_by, created_at
        ) values ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, {tx.now_sql})
        """,  # noqa: S608  the schema's own clock
        made.id,
        made.account_id,
        made.digest,
        made.layout,
        made.is_dry_run,
        made.row_count,
        made.refused_count,
        json.dumps(made.warnings),
        made.created_by,
    )
    await tx.execute(
        """
        insert into shipment_import_rows (
            import_id, number, external_id, order_id, shipment_id, operation_id, code, detail, column_name,
            column_number
        ) select $1, t.* from unnest(
            $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[]
        ) as t
        """,
        made.id,
        [row.number for row in rows],
        [row.external_id for row in rows],
        [row.order_id for row in rows],
        [row.shipment_id for row in rows],
        [row.operation_id for row in rows],
        [row.code for row in rows],
        [row.detail for row in rows],
        [row.column_name for row in rows],
        [row.column_number for row in rows],
    )


async def list_rows(tx: Transaction, import_id: str, *, after: int, limit: int) -> list[ImportRow]:
    """Give rows behind a number, at most `limit`."""
    rows = await tx.fetch(
        """
        select number, external_id, order_id, shipment_id, operation_id, code, detail, column_name, column_number
        from shipment_import_rows where import_id = $1 and number > $2 order by number limit $3
        """,
        import_id,
        after,
        limit,
    )
    return [ImportRow(**dict(row)) for row in rows]


async def find_orders(tx: Transaction, account_id: str, external_ids: Sequence[str]) -> dict[str, str]:
    """Give the ids of an account's orders by their numbers; those that are not there are left out."""
    rows = await tx.fetch(
        "select id, external_id from orders where account_id = $1 and external_id = any($2::text[])",
        account_id,
        sorted(set(external_ids)),
    )
    return {row["external_id"]: row["id"] for row in rows}


def _import(row: "asyncpg.Record") -> ShipmentImport:
    return ShipmentImport(**{**dict(row), "warnings": tuple(json.loads(row["warnings"]))})
