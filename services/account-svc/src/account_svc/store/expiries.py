"""Stores when accounts' secrets end, why that cannot be looked up, and which warnings were given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from account_svc.domain.expiries import ALARM_AFTER, THRESHOLDS
from hanro.db import Transaction
from hanro.marketplace.types import ExpirySource, KeyExpiry, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExpiry:
    """Be when a secret ends, as it was last looked up, for one version of the credentials."""

    expiry: KeyExpiry
    credential_version: int
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryFailure:
    """Be why expiries could not be looked up, since when, and when it was last tried."""

    code: str
    why: str
    first_at: datetime
    last_at: datetime

    @property
    def is_alarming(self) -> bool:
        """Tell whether it fails for so long that somebody must look."""
        return self.last_at - self.first_at >= ALARM_AFTER


async def save_expiries(tx: Transaction, account_id: str, stored: Sequence[StoredExpiry]) -> None:
    """Put what was looked up in the place of what was known; the last failure is over."""
    await tx.execute("delete from key_expiries where account_id = $1", account_id)
    await tx.execute(
        """
        insert into key_expiries (account_id, field, source, expires_at, expires_local, credential_version, read_at)
        select $1, t.* from unnest(
            $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::int[], $7::timestamptz[]
        ) t
        """,
        account_id,
        [one.expiry.field for one in stored],
        [one.expiry.source.value for one in stored],
        [one.expiry.expires.at if one.expiry.expires else None for one in stored],
        [one.expiry.expires.local if one.expiry.expires else None for one in stored],
        [one.credential_version for one in stored],
        [one.read_at for one in stored],
    )
    await tx.execute("delete from expiry_failures where account_id = $1", account_id)


async def list_expiries(tx: Transaction, account_ids: Sequence[str]) -> dict[str, list[StoredExpiry]]:
    """Give what is known of when accounts' secrets end: by account, then sorted by field."""
    rows = await tx.fetch(
        """
        select account_id, field, source, expires_at, expires_local, credential_version, read_at from key_expiries
        where account_id = any($1::text[]) order by account_id, field
        """,
        list(account_ids),
    )
    found: dict[str, list[StoredExpiry]] = {}
    for row in rows:
        expiry = KeyExpiry(
            field=row["field"],
            source=ExpirySource(row["source"]),
            expires=Moment(at=row["expires_at"], local=row["expires_local"]) if row["expires_at"] else None,
        )
        stored = StoredExpiry(expiry=expiry, credential_version=row["credential_version"], read_at=row["read_at"])
        found.setdefault(row["account_id"], []).append(stored)
    return found


async def save_expiry_failure(tx: Transaction, account_id: str, *, code: str, why: str, at: datetime) -> ExpiryFailure:
    """Note that the look-up failed; since when stays, until one succeeds."""
    rows = await tx.fetch(
        """
        insert into expiry_failures (account_id, code, why, first_at, last_at) values ($1, $2, $3, $4, $4)
        on conflict (account_id) do update set code = excluded.code, why = excluded.why, last_at = excluded.last_at
        returning code, why, first_at, last_at
        """,
        account_id,
        code,
        why,
        at,
    )
    return ExpiryFailure(**dict(rows[0]))


async def list_expiry_failures(tx: Transaction, account_ids: Sequence[str]) -> dict[str, ExpiryFailure]:
    """Give why look-ups fail, by account; absent where the last one succeeded or none was made."""
    rows = await tx.fetch(
        """
        select account_id, code, why, first_at, last_at from expiry_failures where account_id = any($1::text[])
        """,
        list(account_ids),
    )
    return {
        row["account_id"]: ExpiryFailure(
            code=row["code"], why=row["why"], first_at=row["first_at"], last_at=row["last_at"]
        )
        for row in rows
    }


async def forget_failure(tx: Transaction, account_id: str) -> None:
    """Forget that look-ups failed: the credentials are others now."""
    await tx.execute("delete from expiry_failures where account_id = $1", account_id)


async def save_warning(tx: Transaction, account_id: str, stored: StoredExpiry, days: int, at: datetime) -> bool:
    """Note that a threshold is told, in the transaction of its fact; False: it was told before."""
    if stored.expiry.expires is None:
        return False
    touched = await tx.execute(
        """
        insert into expiry_warnings (account_id, field, credential_version, threshold_days, expires_at, warned_at)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing
        """,
        account_id,
        stored.expiry.field,
        stored.credential_version,
        days,
        stored.expiry.expires.at,
        at,
    )
    return touched > 0


async def delete_warnings(tx: Transaction, account_id: str, *, older_than: int) -> None:
    """Forget what was told of an account's older credentials."""
    await tx.execute(
        "delete from expiry_warnings where account_id = $1 and credential_version < $2", account_id, older_than
    )


async def count_ending(tx: Transaction) -> dict[int, int]:
    """Count the accounts that work and whose nearest secret ends within 30, 14, 7, 3 or 1 days, by the nearest."""
    rows = await tx.fetch(
        f"""
        select days, count(*) from (
            select (
                select min(threshold) from unnest($1::int[]) threshold
                where min(ends.expires_at) <= (select {tx.now_sql}) + make_interval(days => threshold)
            ) as days
            from key_expiries ends join accounts on accounts.id = ends.account_id
                and accounts.credential_version = ends.credential_version
            where accounts.state in ('active', 'degraded') group by ends.account_id
        ) found where days is not null group by days
        """,  # noqa: S608  the schema's own clock
        list(THRESHOLDS),
    )
    return {row["days"]: row["count"] for row in rows}


async def count_failing(tx: Transaction, longer_than: timedelta) -> dict[str, int]:
    """Count the accounts that work and whose look-up fails for so long, by the code of the last failure."""
    rows = await tx.fetch(
        f"""
        select code, count(*) from expiry_failures failed join accounts on accounts.id = failed.account_id
        where accounts.state in ('active', 'degraded') and first_at <= (select {tx.now_sql}) - $1::interval
        group by code
        """,  # noqa: S608  the schema's own clock
        longer_than,
    )
    return {row["code"]: row["count"] for row in rows}
