"""Stores sealed credentials, who used them, and when they end."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from hanro.db import Transaction
from hanro.marketplace.types import ExpirySource, KeyExpiry, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredentials:
    """Be an account's credentials as they are kept; `field_names` are the fields that hold something."""

    account_id: str
    version: int
    registration_id: str
    field_names: tuple[str, ...]
    sealed: bytes = field(repr=False)
    stored_at: datetime
    stored_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialUse:
    """Be one time that credentials were given out: to whom, what for, which version."""

    account_id: str
    credential_version: int
    caller: str
    service: str
    purpose: str
    used_at: datetime


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


async def save_credentials(tx: Transaction, credentials: StoredCredentials) -> None:
    """Put credentials in the place of older ones, which are gone then."""
    await tx.execute(
        """
        insert into credentials (account_id, version, registration_id, field_names, sealed, stored_at, stored_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (account_id) do update set version = excluded.version, sealed = excluded.sealed,
            registration_id = excluded.registration_id, field_names = excluded.field_names,
            stored_at = excluded.stored_at, stored_by = excluded.stored_by
        """,
        credentials.account_id,
        credentials.version,
        credentials.registration_id,
        list(credentials.field_names),
        credentials.sealed,
        credentials.stored_at,
        credentials.stored_by,
    )


async def find_credentials(tx: Transaction, account_id: str) -> StoredCredentials | None:
    """Give an account's credentials, sealed; None where none are stored."""
    return (await list_credentials(tx, [account_id])).get(account_id)


async def list_credentials(tx: Transaction, account_ids: Sequence[str]) -> dict[str, StoredCredentials]:
    """Give accounts' credentials, sealed, by account."""
    columns = ", ".join(one.name for one in fields(StoredCredentials))
    # Never a star: a column that a later version brings must not reach the code of this one.
    rows = await tx.fetch(f"select {columns} from credentials where account_id = any($1::text[])", list(account_ids))  # noqa: S608  columns of ours
    return {
        row["account_id"]: StoredCredentials(**(dict(row) | {"field_names": tuple(row["field_names"])})) for row in rows
    }


async def save_use(tx: Transaction, use: CredentialUse) -> None:
    """Note that credentials were given out."""
    await tx.execute(
        """
        insert into credential_uses (account_id, credential_version, caller, service, purpose, used_at)
        values ($1, $2, $3, $4, $5, $6)
        """,
        use.account_id,
        use.credential_version,
        use.caller,
        use.service,
        use.purpose,
        use.used_at,
    )


async def list_uses(
    tx: Transaction, account_id: str, *, before: int | None, limit: int
) -> list[tuple[int, CredentialUse]]:
    """Give the uses of an account's credentials, newest first, each with its position; those before a position."""
    columns = ", ".join(one.name for one in fields(CredentialUse))
    rows = await tx.fetch(
        f"""
        select position, {columns} from credential_uses
        where account_id = $1 and ($2::bigint is null or position < $2) order by position desc limit $3
        """,  # noqa: S608  columns of ours
        account_id,
        before,
        limit,
    )
    names = [one.name for one in fields(CredentialUse)]
    return [(row["position"], CredentialUse(**{name: row[name] for name in names})) for row in rows]


async def prune_uses(tx: Transaction, kept: timedelta, *, limit: int) -> int:
    """Forget uses that are older than `kept`, at most `limit`; give how many."""
    return await tx.execute(
        f"""
        delete from credential_uses where position in (
            select position from credential_uses where used_at < (select {tx.now_sql}) - $1::interval limit $2
        )
        """,  # noqa: S608  the schema's own clock
        kept,
        limit,
    )


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


async def save_expiry_failure(tx: Transaction, account_id: str, *, code: str, why: str, at: datetime) -> None:
    """Note that the look-up failed; since when stays, until one succeeds."""
    await tx.execute(
        """
        insert into expiry_failures (account_id, code, why, first_at, last_at) values ($1, $2, $3, $4, $4)
        on conflict (account_id) do update set code = excluded.code, why = excluded.why, last_at = excluded.last_at
        """,
        account_id,
        code,
        why,
        at,
    )


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
