"""Stores what changed in what sellers set up at marketplaces, and when."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from account_svc.domain.market import Change, What
from hanro.db import Transaction
from hanro.marketplace.types import MarketKind

if TYPE_CHECKING:
    import asyncpg

CHANGE_COLUMNS = "position, kind, what, external_id, name, old_name, fields, changed_at, changed_by"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChange:
    """Be a change of the history; `position` grows."""

    position: int
    change: Change
    changed_at: datetime
    changed_by: str


async def save_changes(tx: Transaction, account_id: str, changes: Sequence[Change], *, at: datetime, by: str) -> None:
    """Add to an account's history, in one statement."""
    await tx.execute(
        """
        insert into market_changes (account_id, kind, what, external_id, name, old_name, fields, changed_at, changed_by)
        select $1, kind, what, external_id, name, old_name,
            array(select jsonb_array_elements_text(named::jsonb)), $8, $9
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) with ordinality
            as t (kind, what, external_id, name, old_name, named, place)
        order by place
        """,
        account_id,
        [change.kind.value for change in changes],
        [change.what.value for change in changes],
        [change.external_id for change in changes],
        [change.name for change in changes],
        [change.old_name for change in changes],
        [json.dumps(change.fields) for change in changes],
        at,
        by,
    )


async def list_changes(
    tx: Transaction, account_id: str, *, limit: int, before: int | None = None, kind: MarketKind | None = None
) -> list[StoredChange]:
    """Give an account's changes, newest first, at most `limit` before a position; `kind` None: of all."""
    rows = await tx.fetch(
        f"""
        select {CHANGE_COLUMNS} from market_changes
        where account_id = $1 and ($2::bigint is null or position < $2) and ($3::text is null or kind = $3)
        order by position desc limit $4
        """,  # noqa: S608  columns of ours
        account_id,
        before,
        kind.value if kind else None,
        limit,
    )
    return [_change(row) for row in rows]


async def prune_changes(tx: Transaction, kept: timedelta, *, limit: int) -> int:
    """Forget changes that are older than `kept`, at most `limit`; give how many."""
    return await tx.execute(
        f"""
        delete from market_changes where position in (
            select position from market_changes where changed_at < (select {tx.now_sql}) - $1::interval limit $2
        )
        """,  # noqa: S608  the schema's own clock
        kept,
        limit,
    )


def _change(row: "asyncpg.Record") -> StoredChange:
    return StoredChange(
        position=row["position"],
        change=Change(
            kind=MarketKind(row["kind"]),
            what=What(row["what"]),
            external_id=row["external_id"],
            name=row["name"],
            old_name=row["old_name"],
            fields=tuple(row["fields"]),
        ),
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
    )
