"""Stores sealed credentials, and who used them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from account_svc.domain.accounts import Account
from account_svc.store import accounts
from hanro.db import Statements, Transaction


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


async def save_use(tx: Statements, use: CredentialUse, *, is_flushed: bool = True) -> None:
    """Note that credentials were given out.

    What is not flushed is committed without a wait for the disk, and so is all else of its transaction: a server that
    is killed, or loses its power, may lose the last half second of it (decision 24).
    """
    await tx.execute(
        """
        with commit as materialized (select case when $7 then '' else set_config('synchronous_commit', 'off', true) end)
        insert into credential_uses (account_id, credential_version, caller, service, purpose, used_at)
        select $1, $2, $3, $4, $5, $6 from commit
        """,
        use.account_id,
        use.credential_version,
        use.caller,
        use.service,
        use.purpose,
        use.used_at,
        is_flushed,
    )


_WITH_ACCOUNT = f"""
    select {", ".join(f"accounts.{one.name}" for one in fields(Account))},
        {", ".join(f"credentials.{one.name} as stored_{one.name}" for one in fields(StoredCredentials))}
    from accounts left join credentials on account_id = id where id = $1
"""  # noqa: S608  columns of ours


async def find_with_account(tx: Statements, account_id: str) -> tuple[Account, StoredCredentials | None] | None:
    """Give an account and its credentials, sealed, as they are at one moment; None where there is no account."""
    rows = await tx.fetch(_WITH_ACCOUNT, account_id)
    if not rows:
        return None
    row = rows[0]
    account = accounts.account_of(row)
    if row["stored_account_id"] is None:
        return account, None
    found = {one.name: row[f"stored_{one.name}"] for one in fields(StoredCredentials)}
    return account, StoredCredentials(**(found | {"field_names": tuple(found["field_names"])}))


async def list_uses(
    tx: Transaction, account_id: str, *, limit: int, before: int | None = None
) -> list[tuple[int, CredentialUse]]:
    """Give uses of an account's credentials with their positions, newest first, at most `limit` before a position."""
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
    return [(row["position"], CredentialUse(**{k: v for k, v in row.items() if k != "position"})) for row in rows]


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
