"""Stores what sellers set up at marketplaces, and which reads of it failed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hanro.db import Transaction
from hanro.errors import Failure, LocalizedText, MenuPath
from hanro.marketplace.types import Absent, MarketEntry, MarketKind

if TYPE_CHECKING:
    import asyncpg

ENTRY_COLUMNS = "account_id, kind, external_id, position, name, is_default, parent_id, details"
KIND_COLUMNS = "account_id, kind, is_typed, known_at, absent, failure, failed_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFailure:
    """Be why something could not be read, as it is kept; `menu` and `remedy` say what to do."""

    code: str
    why: str
    grant_id: str | None = None
    remedy: LocalizedText | None = None
    menu: MenuPath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAbsence:
    """Be why the marketplace does not tell of a kind."""

    reason: LocalizedText
    menu: MenuPath | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKind:
    """Be what is known of one kind of an account.

    `is_typed`: people typed it. `known_at` is when it was read or typed last, None: never. `absent`: the marketplace
    does not tell. `failure`: the last read failed at `failed_at`, the entries are older.
    """

    kind: MarketKind
    is_typed: bool
    known_at: datetime | None
    absent: StoredAbsence | None = None
    failure: StoredFailure | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRead:
    """Be when all was read last, and why the newest attempt failed as a whole; None: it did not."""

    read_at: datetime | None
    failure: StoredFailure | None
    failed_at: datetime | None


def failure_of(failure: Failure) -> StoredFailure:
    """Give what is kept of a failure."""
    return StoredFailure(
        code=failure.code, why=failure.why, grant_id=failure.grant_id, remedy=failure.remedy, menu=failure.menu
    )


def absence_of(absent: Absent) -> StoredAbsence:
    """Give what is kept of why a kind is not told."""
    return StoredAbsence(reason=absent.reason, menu=absent.menu)


async def find_read(tx: Transaction, account_id: str) -> StoredRead:
    """Tell when an account's set-up was read last."""
    rows = await tx.fetch("select read_at, failure, failed_at from market_reads where account_id = $1", account_id)
    if not rows:
        return StoredRead(read_at=None, failure=None, failed_at=None)
    row = rows[0]
    return StoredRead(read_at=row["read_at"], failure=_failure(row["failure"]), failed_at=row["failed_at"])


async def save_read(tx: Transaction, account_id: str, at: datetime, failure: StoredFailure | None = None) -> None:
    """Note a read, or that it failed as a whole: the time of the last success stays."""
    await tx.execute(
        """
        insert into market_reads (account_id, read_at, failure, failed_at)
        values ($1, case when $3::jsonb is null then $2::timestamptz end, $3::jsonb,
            case when $3::jsonb is not null then $2::timestamptz end)
        on conflict (account_id) do update set read_at = coalesce(excluded.read_at, market_reads.read_at),
            failure = excluded.failure, failed_at = excluded.failed_at
        """,
        account_id,
        at,
        _json(failure),
    )


async def list_kinds(tx: Transaction, account_id: str) -> dict[MarketKind, StoredKind]:
    """Give what is known of an account's kinds; a kind that was never read nor typed is not there."""
    rows = await tx.fetch(f"select {KIND_COLUMNS} from market_kinds where account_id = $1", account_id)  # noqa: S608  columns of ours
    return {kind.kind: kind for kind in map(_kind, rows)}


async def save_kinds(tx: Transaction, account_id: str, kinds: Sequence[StoredKind]) -> None:
    """Store what is known of kinds, in one statement."""
    ordered = sorted(kinds, key=lambda kind: kind.kind)
    await tx.execute(
        f"""
        insert into market_kinds ({KIND_COLUMNS})
        select $1, kind, is_typed, known_at, absent::jsonb, failure::jsonb, failed_at
        from unnest($2::text[], $3::boolean[], $4::timestamptz[], $5::text[], $6::text[], $7::timestamptz[])
            as t (kind, is_typed, known_at, absent, failure, failed_at)
        on conflict (account_id, kind) do update set is_typed = excluded.is_typed, known_at = excluded.known_at,
            absent = excluded.absent, failure = excluded.failure, failed_at = excluded.failed_at
        """,  # noqa: S608  columns of ours
        account_id,
        [kind.kind.value for kind in ordered],
        [kind.is_typed for kind in ordered],
        [kind.known_at for kind in ordered],
        [_json(kind.absent) for kind in ordered],
        [_json(kind.failure) for kind in ordered],
        [kind.failed_at for kind in ordered],
    )


async def list_entries(tx: Transaction, account_id: str, *, most_each: int | None = None) -> list[MarketEntry]:
    """Give an account's entries by kind, each in its order; `most_each` None: all."""
    rows = await tx.fetch(
        f"""
        select {ENTRY_COLUMNS} from market_entries
        where account_id = $1 and ($2::int is null or position < $2) order by kind, position
        """,  # noqa: S608  columns of ours
        account_id,
        most_each,
    )
    return [_entry(row) for row in rows]


async def page_entries(
    tx: Transaction, account_id: str, kind: MarketKind, *, limit: int, start: int
) -> list[MarketEntry]:
    """Give at most `limit` entries of one kind from a place on, in their order."""
    rows = await tx.fetch(
        f"""
        select {ENTRY_COLUMNS} from market_entries
        where account_id = $1 and kind = $2 and position >= $3 order by position limit $4
        """,  # noqa: S608  columns of ours
        account_id,
        kind.value,
        start,
        limit,
    )
    return [_entry(row) for row in rows]


async def count_entries(tx: Transaction, account_id: str) -> dict[MarketKind, int]:
    """Count an account's entries by kind."""
    rows = await tx.fetch(
        "select kind, count(*) as found from market_entries where account_id = $1 group by kind", account_id
    )
    return {MarketKind(row["kind"]): row["found"] for row in rows}


async def replace_entries(
    tx: Transaction, account_id: str, kinds: Sequence[MarketKind], entries: Sequence[MarketEntry]
) -> None:
    """Hold exactly these entries of some kinds of an account that is locked, in their order: two statements."""
    places: dict[MarketKind, int] = {}
    positions = []
    for entry in entries:
        positions.append(places.get(entry.kind, 0))
        places[entry.kind] = positions[-1] + 1
    await tx.execute(
        "delete from market_entries where account_id = $1 and kind = any($2::text[])",
        account_id,
        [kind.value for kind in kinds],
    )
    await tx.execute(
        f"""
        insert into market_entries ({ENTRY_COLUMNS})
        select $1, kind, external_id, position, name, is_default, parent_id, details::jsonb
        from unnest($2::text[], $3::text[], $4::int[], $5::text[], $6::boolean[], $7::text[], $8::text[])
            as t (kind, external_id, position, name, is_default, parent_id, details)
        """,  # noqa: S608  columns of ours
        account_id,
        [entry.kind.value for entry in entries],
        [entry.external_id for entry in entries],
        positions,
        [entry.name for entry in entries],
        [entry.is_default for entry in entries],
        [entry.parent_id for entry in entries],
        [json.dumps(dict(entry.details), ensure_ascii=False) for entry in entries],
    )


async def erase(tx: Transaction, account_id: str) -> int:
    """Erase all that is known of an account's set-up, its history too; give how many rows that were."""
    tables = ("market_reads", "market_kinds", "market_entries", "market_changes")
    return sum([await tx.execute(f"delete from {table} where account_id = $1", account_id) for table in tables])  # noqa: S608  tables of ours


def _entry(row: "asyncpg.Record") -> MarketEntry:
    return MarketEntry(
        kind=MarketKind(row["kind"]),
        external_id=row["external_id"],
        name=row["name"],
        is_default=row["is_default"],
        parent_id=row["parent_id"],
        details=row["details"],
    )


def _kind(row: "asyncpg.Record") -> StoredKind:
    absent = row["absent"]
    return StoredKind(
        kind=MarketKind(row["kind"]),
        is_typed=row["is_typed"],
        known_at=row["known_at"],
        absent=StoredAbsence(reason=LocalizedText(**absent["reason"]), menu=_menu(absent["menu"])) if absent else None,
        failure=_failure(row["failure"]),
        failed_at=row["failed_at"],
    )


def _failure(stored: Mapping[str, Any] | None) -> StoredFailure | None:
    if not stored:
        return None
    remedy = stored["remedy"]
    return StoredFailure(
        code=stored["code"],
        why=stored["why"],
        grant_id=stored["grant_id"],
        remedy=LocalizedText(**remedy) if remedy else None,
        menu=_menu(stored["menu"]),
    )


def _menu(stored: Mapping[str, Any] | None) -> MenuPath | None:
    return MenuPath(**{**stored, "steps": tuple(stored["steps"])}) if stored else None


def _json(value: StoredFailure | StoredAbsence | None) -> str | None:
    return None if value is None else json.dumps(asdict(value), ensure_ascii=False)
