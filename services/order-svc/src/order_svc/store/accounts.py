"""Keeps the local copy of accounts."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.events.accounts import IssuerNamed, SwitchesSet
from hanro.marketplace.types import Capability
from order_svc.domain.accounts import WORKING_STATES, Account

if TYPE_CHECKING:
    import asyncpg

# Never a star: a column that a later version brings must not reach the code of this one.
COLUMNS = ", ".join(one.name for one in fields(Account))


async def find_account(tx: Transaction, account_id: str) -> Account | None:
    """Give an account, or None where no fact told of it yet."""
    rows = await tx.fetch(f"select {COLUMNS} from accounts where id = $1", account_id)  # noqa: S608  columns of ours
    return _account(rows[0]) if rows else None


async def get_accounts(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Account]:
    """Give accounts by id; those that no fact told of yet are left out."""
    rows = await tx.fetch(f"select {COLUMNS} from accounts where id = any($1::text[])", list(account_ids))  # noqa: S608  columns of ours
    return {row["id"]: _account(row) for row in rows}


async def share_accounts(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Account]:
    """Keep what is known of accounts from changing until the commit, sorted by id, and give it."""
    rows = await tx.fetch(
        f"select {COLUMNS} from accounts where id = any($1::text[]) order by id for share",  # noqa: S608  columns of ours
        sorted(account_ids),
    )
    return {row["id"]: _account(row) for row in rows}


async def lock_accounts(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Account]:
    """Lock those that are known, sorted by id."""
    rows = await tx.fetch(
        f"select {COLUMNS} from accounts where id = any($1::text[]) order by id for update",  # noqa: S608  columns of ours
        sorted(account_ids),
    )
    return {row["id"]: _account(row) for row in rows}


async def list_account_ids(tx: Transaction, shop_ids: Sequence[str] | None) -> list[str]:
    """Give the accounts that any of these internal shops may use; None: all."""
    rows = await tx.fetch(
        "select id from accounts where $1::text[] is null or shop_ids && $1 order by id",
        None if shop_ids is None else list(shop_ids),
    )
    return [row["id"] for row in rows]


async def list_fitting(
    tx: Transaction, *, account_id: str | None, marketplace_id: str | None, shop_id: str | None
) -> list[str]:
    """Give the accounts that have this id, are at this marketplace, and that this internal shop may use."""
    rows = await tx.fetch(
        """
        select id from accounts where ($1::text is null or id = $1) and ($2::text is null or marketplace_id = $2)
            and ($3::text is null or shop_ids @> array[$3]) order by id
        """,
        account_id,
        marketplace_id,
        shop_id,
    )
    return [row["id"] for row in rows]


async def list_without_job(tx: Transaction, marketplace_id: str, jobs: Sequence[str]) -> list[tuple[str, str]]:
    """Give a marketplace's accounts whose orders are to be found, and each of these jobs that is not planned."""
    rows = await tx.fetch(
        """
        select accounts.id, job from accounts cross join unnest($2::text[]) as t (job)
        where marketplace_id = $1 and is_enabled and state = any($3::text[])
            and (switches ->> 'orders')::boolean is not false and not lost_capabilities @> array[$4::text]
            and not exists (select 1 from due where due.account_id = accounts.id and due.job = t.job)
        order by accounts.id, job
        """,
        marketplace_id,
        list(jobs),
        sorted(WORKING_STATES),
        Capability.FIND_ORDERS.value,
    )
    return [(row["id"], row["job"]) for row in rows]


async def list_marketplaces(tx: Transaction, account_ids: Sequence[str]) -> dict[str, str]:
    """Tell at which marketplaces accounts are, by account; those that are not known are left out."""
    rows = await tx.fetch("select id, marketplace_id from accounts where id = any($1::text[])", list(account_ids))
    return {row["id"]: row["marketplace_id"] for row in rows}


async def save_accounts(tx: Transaction, accounts: Sequence[Account]) -> None:
    """Store accounts, one statement; each list as one text, since arrays of arrays must be of equal length."""
    await tx.execute(
        """
        insert into accounts (
            id, version, epoch, marketplace_id, display_name, state, is_enabled, reason_code, credential_version,
            orders_from, shop_ids, switches, lost_capabilities, lost_grants, issuer,
            paused_until, paused_version
        )
        select id, version, epoch, marketplace_id, display_name, state, is_enabled, reason_code, credential_version,
            orders_from, string_to_array(shop_ids, E'\\n'), switches::jsonb,
            string_to_array(lost_capabilities, E'\\n'), string_to_array(lost_grants, E'\\n'), issuer::jsonb,
            paused_until, paused_version
        from unnest(
            $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[],
            $9::bigint[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[],
            $15::text[], $16::timestamptz[], $17::bigint[]
        ) as t (
            id, version, epoch, marketplace_id, display_name, state, is_enabled, reason_code, credential_version,
            orders_from, shop_ids, switches, lost_capabilities, lost_grants, issuer,
            paused_until, paused_version
        )
        on conflict (id) do update set
            version = excluded.version, epoch = excluded.epoch, marketplace_id = excluded.marketplace_id,
            display_name = excluded.display_name, state = excluded.state, is_enabled = excluded.is_enabled,
            reason_code = excluded.reason_code, credential_version = excluded.credential_version,
            orders_from = excluded.orders_from, shop_ids = excluded.shop_ids, switches = excluded.switches,
            lost_capabilities = excluded.lost_capabilities, lost_grants = excluded.lost_grants,
            issuer = excluded.issuer, paused_until = excluded.paused_until, paused_version = excluded.paused_version
        """,
        [account.id for account in accounts],
        [account.version for account in accounts],
        [account.epoch for account in accounts],
        [account.marketplace_id for account in accounts],
        [account.display_name for account in accounts],
        [account.state for account in accounts],
        [account.is_enabled for account in accounts],
        [account.reason_code for account in accounts],
        [account.credential_version for account in accounts],
        [account.orders_from for account in accounts],
        ["\n".join(account.shop_ids) for account in accounts],
        [account.switches.model_dump_json() for account in accounts],
        ["\n".join(account.lost_capabilities) for account in accounts],
        ["\n".join(account.lost_grants) for account in accounts],
        [account.issuer.model_dump_json() if account.issuer else None for account in accounts],
        [account.paused_until for account in accounts],
        [account.paused_version for account in accounts],
    )


def _account(row: "asyncpg.Record") -> Account:
    lists = {name: tuple(row[name]) for name in ("shop_ids", "lost_capabilities", "lost_grants")}
    parts = {
        "switches": SwitchesSet.model_validate(row["switches"]),
        "issuer": None if row["issuer"] is None else IssuerNamed.model_validate(row["issuer"]),
    }
    return Account(**{**dict(row), **lists, **parts})
