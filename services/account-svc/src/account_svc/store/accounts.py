"""Stores accounts."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from account_svc.domain.accounts import LET_GO, Account, Issuer, State, Switches
from account_svc.store.json_texts import read_grants, read_reason, write_grants, write_reason, write_value
from hanro.db import Transaction
from hanro.errors import Rejected

if TYPE_CHECKING:
    import asyncpg

# Never a star: a column that a later version brings must not reach the code of this one.
COLUMNS = ", ".join(one.name for one in fields(Account))
FIXED = frozenset({"id", "marketplace_id", "created_at"})
JSON = frozenset({"reason", "grants", "switches", "issuer"})


async def insert_account(tx: Transaction, account: Account) -> None:
    """Store a new account."""
    row = _row(account)
    places = ", ".join(f"${place}{_cast(name)}" for place, name in enumerate(row, start=1))
    await tx.execute(f"insert into accounts ({', '.join(row)}) values ({places})", *row.values())  # noqa: S608  columns of ours


async def save_account(tx: Transaction, account: Account) -> None:
    """Store an account that is locked."""
    row = {name: value for name, value in _row(account).items() if name not in FIXED}
    changes = ", ".join(f"{name} = ${place}{_cast(name)}" for place, name in enumerate(row, start=2))
    await tx.execute(f"update accounts set {changes} where id = $1", account.id, *row.values())  # noqa: S608  columns of ours


async def lock_accounts(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Account]:
    """Lock accounts, sorted by id, and give those that exist, by id."""
    rows = await tx.fetch(
        f"select {COLUMNS} from accounts where id = any($1::text[]) order by id for update",  # noqa: S608  columns of ours
        sorted(set(account_ids)),
    )
    return {row["id"]: account_of(row) for row in rows}


async def lock_account(tx: Transaction, account_id: str) -> Account:
    """Lock an account.

    Raises:
        Rejected: there is none of that id; code "not-found".
    """
    found = (await lock_accounts(tx, [account_id])).get(account_id)
    if found is None:
        raise not_found()
    return found


async def get_account(tx: Transaction, account_id: str) -> Account:
    """Give an account without locking it.

    Raises:
        Rejected: there is none of that id; code "not-found".
    """
    rows = await tx.fetch(f"select {COLUMNS} from accounts where id = $1", account_id)  # noqa: S608  columns of ours
    if not rows:
        raise not_found()
    return account_of(rows[0])


async def list_accounts(
    tx: Transaction,
    *,
    limit: int,
    after: str | None = None,
    shop_ids: Sequence[str] | None = None,
    marketplace_id: str | None = None,
    state: State | None = None,
) -> list[Account]:
    """Give accounts by id, at most `limit` behind `after`; `shop_ids` None: of all shops."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from accounts
        where ($1::text is null or id > $1) and ($2::text[] is null or shop_ids && $2)
            and ($3::text is null or marketplace_id = $3) and ($4::text is null or state = $4)
        order by id limit $5
        """,  # noqa: S608  columns of ours
        after,
        None if shop_ids is None else list(shop_ids),
        marketplace_id,
        state.value if state else None,
        limit,
    )
    return [account_of(row) for row in rows]


async def list_bound(tx: Transaction, shop_id: str, *, limit: int) -> list[Account]:
    """Give the accounts that a shop may use and that are not unlinked, by id, at most `limit`."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from accounts where shop_ids @> array[$1::text] and state <> 'unlinked' order by id limit $2
        """,  # noqa: S608  columns of ours
        shop_id,
        limit,
    )
    return [account_of(row) for row in rows]


async def list_leaving(tx: Transaction, account_ids: Sequence[str]) -> frozenset[str]:
    """Name those of some accounts that are being unlinked, or are unlinked."""
    rows = await tx.fetch(
        "select id from accounts where id = any($1::text[]) and state = any($2::text[])",
        list(account_ids),
        sorted(LET_GO),
    )
    return frozenset(row["id"] for row in rows)


async def list_marketplaces(tx: Transaction, account_ids: Sequence[str]) -> dict[str, str]:
    """Tell at which marketplaces accounts are, by account; those that are not known are left out."""
    rows = await tx.fetch("select id, marketplace_id from accounts where id = any($1::text[])", list(account_ids))
    return {row["id"]: row["marketplace_id"] for row in rows}


def not_found() -> Rejected:
    """Make the error that there is no such account; code "not-found"."""
    return Rejected("There is no such account.", code="not-found")


def _cast(column: str) -> str:
    return "::jsonb" if column in JSON else ""


def _row(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "marketplace_id": account.marketplace_id,
        "display_name": account.display_name,
        "shop_ids": list(account.shop_ids),
        "orders_from": account.orders_from,
        "state": account.state.value,
        "is_enabled": account.is_enabled,
        "reason": write_reason(account.reason),
        "grants": write_grants(account.grants),
        "lost_capabilities": list(account.lost_capabilities),
        "credential_version": account.credential_version,
        "switches": write_value(account.switches),
        "issuer": write_value(account.issuer),
        "shop_key": account.shop_key,
        "epoch": account.epoch,
        "version": account.version,
        "created_at": account.created_at,
        "changed_at": account.changed_at,
    }


def account_of(row: "asyncpg.Record") -> Account:
    """Read a row that holds `COLUMNS`."""
    return Account(
        id=row["id"],
        marketplace_id=row["marketplace_id"],
        display_name=row["display_name"],
        shop_ids=tuple(row["shop_ids"]),
        orders_from=row["orders_from"],
        state=State(row["state"]),
        is_enabled=row["is_enabled"],
        reason=read_reason(row["reason"]),
        grants=read_grants(row["grants"]),
        lost_capabilities=tuple(row["lost_capabilities"]),
        credential_version=row["credential_version"],
        switches=Switches(**row["switches"]),
        issuer=Issuer(**row["issuer"]) if row["issuer"] else None,
        shop_key=row["shop_key"],
        epoch=row["epoch"],
        version=row["version"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
