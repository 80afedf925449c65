"""Stores the second set of credentials that an account may have: one that waits to take over, or one that was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from account_svc.domain.accounts import Reason
from account_svc.domain.rotation import SpareState
from account_svc.store.credentials import StoredCredentials
from account_svc.store.json_texts import read_reason, write_reason
from hanro.db import Transaction

# Never a star: a column that a later version brings must not reach the code of this one.
COLUMNS = """
    account_id, version, registration_id, field_names, sealed, stored_at, stored_by, state, since, until, reason
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """Be credentials that are not in use: how they stand since when, until when that lasts, and why."""

    credentials: StoredCredentials
    state: SpareState
    since: datetime
    until: datetime | None = None
    reason: Reason | None = None


async def next_version(tx: Transaction, account_id: str, present: int) -> int:
    """Give a version that no credentials of the account had, above `present`; the account is locked."""
    rows = await tx.fetch(
        """
        insert into credential_counters as kept (account_id, newest) values ($1, $2 + 1)
        on conflict (account_id) do update set newest = greatest(kept.newest, $2) + 1 returning newest
        """,
        account_id,
        present,
    )
    return int(rows[0]["newest"])


async def save_spare(tx: Transaction, spare: Spare) -> None:
    """Put credentials beside those in use, in the place of others that were there."""
    kept = spare.credentials
    await tx.execute(
        f"""
        insert into spare_credentials ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb)
        on conflict (account_id) do update set version = excluded.version, sealed = excluded.sealed,
            registration_id = excluded.registration_id, field_names = excluded.field_names,
            stored_at = excluded.stored_at, stored_by = excluded.stored_by, state = excluded.state,
            since = excluded.since, until = excluded.until, reason = excluded.reason
        """,  # noqa: S608  columns of ours
        kept.account_id,
        kept.version,
        kept.registration_id,
        list(kept.field_names),
        kept.sealed,
        kept.stored_at,
        kept.stored_by,
        spare.state.value,
        spare.since,
        spare.until,
        write_reason(spare.reason),
    )


async def find_spare(tx: Transaction, account_id: str) -> Spare | None:
    """Give an account's second credentials; None where it has none. The account's lock serialises them."""
    return (await list_spares(tx, [account_id])).get(account_id)


async def list_spares(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Spare]:
    """Give accounts' second credentials, by account."""
    rows = await tx.fetch(
        f"select {COLUMNS} from spare_credentials where account_id = any($1::text[])",  # noqa: S608  columns of ours
        list(account_ids),
    )
    return {
        row["account_id"]: Spare(
            credentials=StoredCredentials(
                account_id=row["account_id"],
                version=row["version"],
                registration_id=row["registration_id"],
                field_names=tuple(row["field_names"]),
                sealed=row["sealed"],
                stored_at=row["stored_at"],
                stored_by=row["stored_by"],
            ),
            state=SpareState(row["state"]),
            since=row["since"],
            until=row["until"],
            reason=read_reason(row["reason"]),
        )
        for row in rows
    }


async def delete_spare(tx: Transaction, account_id: str) -> None:
    """Delete an account's second credentials for good."""
    await tx.execute("delete from spare_credentials where account_id = $1", account_id)


async def delete_retired(tx: Transaction, account_ids: Sequence[str], versions: Sequence[int]) -> None:
    """Delete, of each account, credentials of a version that were in use once and are refused now."""
    await tx.execute(
        """
        delete from spare_credentials using unnest($1::text[], $2::int[]) as dead (account_id, version)
        where spare_credentials.account_id = dead.account_id and spare_credentials.version = dead.version
            and state = 'retiring'
        """,
        list(account_ids),
        list(versions),
    )
