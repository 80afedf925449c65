"""Stores what preflights found, and what other services report of grants in use."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from account_svc.domain.happenings import Standing
from account_svc.domain.reports import Use
from account_svc.store.json_texts import read_rows, write_rows
from hanro.db import Transaction
from hanro.errors import Rejected
from hanro.marketplace.types import PreflightRow

if TYPE_CHECKING:
    import asyncpg


# Never a star: a column that a later version brings must not reach the code of this one.
COLUMNS = """
    id, account_id, credential_version, standing, total_count, started_at, expected_at, finished_at, found
"""
USE_COLUMNS = ", ".join(one.name for one in fields(Use))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """Be one preflight; `rows` are in the plug-in's order: those so far while it runs, at the end one for each grant.

    While it runs `standing` and `finished_at` are None, and `expected_at` is when it ends if nothing is in its way. An
    account has one that runs at most.
    """

    id: str
    account_id: str
    credential_version: int
    standing: Standing | None
    total_count: int
    started_at: datetime
    expected_at: datetime | None
    finished_at: datetime | None
    rows: tuple[PreflightRow, ...]


async def save_preflight(tx: Transaction, preflight: Preflight) -> None:
    """Store a preflight, new or as far as it has come; the account is locked."""
    await tx.execute(
        f"""
        insert into preflights ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)
        on conflict (id) do update set standing = excluded.standing, total_count = excluded.total_count,
            expected_at = excluded.expected_at, finished_at = excluded.finished_at, found = excluded.found
        """,  # noqa: S608  columns of ours
        preflight.id,
        preflight.account_id,
        preflight.credential_version,
        preflight.standing.value if preflight.standing else None,
        preflight.total_count,
        preflight.started_at,
        preflight.expected_at,
        preflight.finished_at,
        write_rows(preflight.rows),
    )


async def get_preflight(tx: Transaction, account_id: str, preflight_id: str) -> Preflight:
    """Give one preflight of an account.

    Raises:
        Rejected: it has none of that id; code "not-found".
    """
    rows = await tx.fetch(
        f"select {COLUMNS} from preflights where account_id = $1 and id = $2",  # noqa: S608  columns of ours
        account_id,
        preflight_id,
    )
    if not rows:
        raise Rejected("The account has no such preflight.", code="not-found")
    return _preflight(rows[0])


async def find_open(tx: Transaction, account_id: str) -> Preflight | None:
    """Give the preflight of an account that runs; None: none does."""
    return (await list_open(tx, [account_id])).get(account_id)


async def list_open(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Preflight]:
    """Give the preflights of accounts that run, by account."""
    rows = await tx.fetch(
        f"select {COLUMNS} from preflights where account_id = any($1::text[]) and finished_at is null",  # noqa: S608  columns of ours
        list(account_ids),
    )
    return {row["account_id"]: _preflight(row) for row in rows}


async def list_preflights(
    tx: Transaction, account_id: str, *, limit: int, before: str | None = None
) -> list[Preflight]:
    """Give an account's preflights, newest first, at most `limit` before the id `before`."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from preflights where account_id = $1 and ($2::text is null or id < $2)
        order by id desc limit $3
        """,  # noqa: S608  columns of ours
        account_id,
        before,
        limit,
    )
    return [_preflight(row) for row in rows]


async def list_last_preflights(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Preflight]:
    """Give accounts' newest preflights that ended, by account; absent where there was none."""
    rows = await tx.fetch(
        f"""
        select distinct on (account_id) {COLUMNS} from preflights
        where account_id = any($1::text[]) and finished_at is not null order by account_id, id desc
        """,  # noqa: S608  columns of ours
        list(account_ids),
    )
    return {row["account_id"]: _preflight(row) for row in rows}


async def has_worked(tx: Transaction, account_id: str, credential_version: int) -> bool:
    """Tell whether an account ever worked with a version of its credentials.

    A preflight found so; or a service was served, since an account works before its preflight has ended.
    """
    rows = await tx.fetch(
        """
        select 1 from preflights where account_id = $1 and credential_version = $2
            and standing in ('whole', 'partly')
        union all
        select 1 from grant_uses where account_id = $1 and credential_version = $2 and succeeded_at is not null
        limit 1
        """,
        account_id,
        credential_version,
    )
    return bool(rows)


async def prune_preflights(tx: Transaction, kept: timedelta, *, limit: int) -> int:
    """Forget preflights that are older than `kept`, at most `limit`; give how many."""
    return await tx.execute(
        f"""
        delete from preflights where id in (
            select id from preflights where finished_at < (select {tx.now_sql}) - $1::interval limit $2
        )
        """,  # noqa: S608  the schema's own clock
        kept,
        limit,
    )


async def save_uses(tx: Transaction, uses: Sequence[Use]) -> None:
    """Keep the newest report of each (account, service, grant), in one statement."""
    ordered = sorted(uses, key=lambda use: (use.account_id, use.service, use.grant_id))
    await tx.execute(
        """
        insert into grant_uses (
            account_id, service, grant_id, credential_version, succeeded_at, refused_at, refusal_code
        )
        select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[],
            $7::text[])
        on conflict (account_id, service, grant_id) do update set credential_version = excluded.credential_version,
            succeeded_at = excluded.succeeded_at, refused_at = excluded.refused_at, refusal_code = excluded.refusal_code
        """,
        [use.account_id for use in ordered],
        [use.service for use in ordered],
        [use.grant_id for use in ordered],
        [use.credential_version for use in ordered],
        [use.succeeded_at for use in ordered],
        [use.refused_at for use in ordered],
        [use.refusal_code for use in ordered],
    )


async def list_uses(tx: Transaction, account_ids: Sequence[str]) -> dict[str, dict[tuple[str, str], Use]]:
    """Give what services reported of some accounts: by account, then by service and grant."""
    rows = await tx.fetch(f"select {USE_COLUMNS} from grant_uses where account_id = any($1::text[])", list(account_ids))  # noqa: S608  columns of ours
    found: dict[str, dict[tuple[str, str], Use]] = {}
    for row in rows:
        use = Use(**dict(row))
        found.setdefault(use.account_id, {})[use.service, use.grant_id] = use
    return found


def _preflight(row: "asyncpg.Record") -> Preflight:
    return Preflight(
        id=row["id"],
        account_id=row["account_id"],
        credential_version=row["credential_version"],
        standing=Standing(row["standing"]) if row["standing"] else None,
        total_count=row["total_count"],
        started_at=row["started_at"],
        expected_at=row["expected_at"],
        finished_at=row["finished_at"],
        rows=read_rows(row["found"]),
    )
