"""Stores who did what."""

from collections.abc import Sequence
from datetime import timedelta

from account_svc.domain.audit import Entry
from hanro.db import Transaction


async def save_entry(
    tx: Transaction,
    *,
    subject: str,
    action: str,
    account_id: str | None,
    shop_ids: Sequence[str],
    changed: Sequence[str],
    correlation_id: str | None,
) -> None:
    """Keep one deed, at the time of the schema's clock."""
    await tx.execute(
        f"""
        insert into audit_entries (at, subject, action, account_id, shop_ids, changed, correlation_id)
        values ({tx.now_sql}, $1, $2, $3, $4, $5, $6)
        """,  # noqa: S608  the schema's own clock
        subject,
        action,
        account_id,
        sorted(set(shop_ids)),
        list(changed),
        correlation_id,
    )


async def list_entries(
    tx: Transaction, *, shop_ids: Sequence[str] | None, account_id: str | None, before: int | None, limit: int
) -> list[Entry]:
    """Give deeds about what these shops may see (None: all), newest first, those before a position."""
    rows = await tx.fetch(
        """
        select position, at, subject, action, account_id, shop_ids, changed, correlation_id from audit_entries
        where ($1::text[] is null or shop_ids && $1) and ($2::text is null or account_id = $2)
            and ($3::bigint is null or position < $3)
        order by position desc limit $4
        """,
        None if shop_ids is None else list(shop_ids),
        account_id,
        before,
        limit,
    )
    return [
        Entry(**{**dict(row), "shop_ids": tuple(row["shop_ids"]), "changed": tuple(row["changed"])}) for row in rows
    ]


async def prune_entries(tx: Transaction, kept: timedelta, *, limit: int) -> int:
    """Forget deeds that are older than `kept`, at most `limit`; give how many."""
    return await tx.execute(
        f"""
        delete from audit_entries where position in (
            select position from audit_entries where at < (select {tx.now_sql}) - $1::interval limit $2
        )
        """,  # noqa: S608  the schema's own clock
        kept,
        limit,
    )
