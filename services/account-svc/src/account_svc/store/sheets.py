"""Stores accounts' application sheets, sealed."""

from dataclasses import dataclass, field
from datetime import datetime

from hanro.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSheet:
    """Be a sheet as it is kept; `sent_version` is the version that was sent last, None: none was."""

    account_id: str
    version: int
    sealed: bytes = field(repr=False)
    changed_at: datetime
    changed_by: str
    sent_version: int | None = None
    sent_at: datetime | None = None
    sent_by: str | None = None


async def save_sheet(tx: Transaction, sheet: StoredSheet) -> None:
    """Put a sheet in the place of the one before; when one was sent stays."""
    await tx.execute(
        """
        insert into application_sheets (account_id, version, sealed, changed_at, changed_by)
        values ($1, $2, $3, $4, $5)
        on conflict (account_id) do update set version = excluded.version, sealed = excluded.sealed,
            changed_at = excluded.changed_at, changed_by = excluded.changed_by
        """,
        sheet.account_id,
        sheet.version,
        sheet.sealed,
        sheet.changed_at,
        sheet.changed_by,
    )


async def save_sent(tx: Transaction, account_id: str, *, version: int, at: datetime, by: str) -> None:
    """Note that a version of the sheet was sent."""
    await tx.execute(
        "update application_sheets set sent_version = $2, sent_at = $3, sent_by = $4 where account_id = $1",
        account_id,
        version,
        at,
        by,
    )


async def find_sheet(tx: Transaction, account_id: str) -> StoredSheet | None:
    """Give an account's sheet, sealed; None where none is stored."""
    rows = await tx.fetch(
        """
        select account_id, version, sealed, changed_at, changed_by, sent_version, sent_at, sent_by
        from application_sheets where account_id = $1
        """,
        account_id,
    )
    return StoredSheet(**dict(rows[0])) if rows else None
