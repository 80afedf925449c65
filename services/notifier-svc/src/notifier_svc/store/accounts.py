"""Keeps the local copy of accounts, and until when nothing is sent for them."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.events.accounts import SwitchesSet
from notifier_svc.domain.accounts import Account

if TYPE_CHECKING:
    import asyncpg

# Never a star: a column that a later version brings must not reach the code of this one.
COLUMNS = ", ".join(one.name for one in fields(Account))


async def find_account(tx: Transaction, account_id: str) -> Account | None:
    """Give an account, or None where no fact told of it yet."""
    rows = await tx.fetch(f"select {COLUMNS} from accounts where id = $1", account_id)  # noqa: S608  columns of ours
    return _account(rows[0]) if rows else None


async def share_accounts(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Account]:
    """Give those that are known, by id, and keep them as they are until the transaction ends."""
    rows = await tx.fetch(
        f"select {COLUMNS} from accounts where id = any($1::text[]) order by id for share",  # noqa: S608  columns of ours
        sorted(account_ids),
    )
    return {row["id"]: _account(row) for row in rows}


async def list_marketplaces(tx: Transaction, account_ids: Sequence[str]) -> dict[str, str]:
    """Tell at which marketplaces accounts are, by account; those that are not known are left out."""
    rows = await tx.fetch("select id, marketplace_id from accounts where id = any($1::text[])", list(account_ids))
    return {row["id"]: row["marketplace_id"] for row in rows}


async def lock_accounts(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Account]:
    """Lock those that are known, sorted by id."""
    rows = await tx.fetch(
        f"select {COLUMNS} from accounts where id = any($1::text[]) order by id for update",  # noqa: S608  columns of ours
        sorted(account_ids),
    )
    return {row["id"]: _account(row) for row in rows}


async def save_accounts(tx: Transaction, accounts: Sequence[Account]) -> None:
    """Store accounts, one statement; each list as one text, since arrays of arrays must be of equal length."""
    await tx.execute(
        """
        insert into accounts (
            id, version, epoch, marketplace_id, display_name, state, is_enabled, credential_version, shop_ids,
            switches, lost_capabilities, lost_grants, paused_until, pause_code, pause_count
        )
        select id, version, epoch, marketplace_id, display_name, state, is_enabled, credential_version,
            string_to_array(shop_ids, E'\\n'), switches::jsonb, string_to_array(lost_capabilities, E'\\n'),
            string_to_array(lost_grants, E'\\n'), paused_until, pause_code, pause_count
        from unnest(
            $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::bigint[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::text[], $15::integer[]
        ) as t (
            id, version, epoch, marketplace_id, display_name, state, is_enabled, credential_version, shop_ids,
            switches, lost_capabilities, lost_grants, paused_until, pause_code, pause_count
        )
        on conflict (id) do update set
            version = excluded.version, epoch = excluded.epoch, marketplace_id = excluded.marketplace_id,
            display_name = excluded.display_name, state = excluded.state, is_enabled = excluded.is_enabled,
            credential_version = excluded.credential_version, shop_ids = excluded.shop_ids,
            switches = excluded.switches, lost_capabilities = excluded.lost_capabilities,
            lost_grants = excluded.lost_grants, paused_until = excluded.paused_until,
            pause_code = excluded.pause_code, pause_count = excluded.pause_count
        """,
        [account.id for account in accounts],
        [account.version for account in accounts],
        [account.epoch for account in accounts],
        [account.marketplace_id for account in accounts],
        [account.display_name for account in accounts],
        [account.state for account in accounts],
        [account.is_enabled for account in accounts],
        [account.credential_version for account in accounts],
        ["\n".join(account.shop_ids) for account in accounts],
        [account.switches.model_dump_json() for account in accounts],
        ["\n".join(account.lost_capabilities) for account in accounts],
        ["\n".join(account.lost_grants) for account in accounts],
        [account.paused_until for account in accounts],
        [account.pause_code for account in accounts],
        [account.pause_count for account in accounts],
    )


async def pause_account(tx: Transaction, account: Account, *, until: datetime, code: str) -> None:
    """Send nothing for an account until then, unless something newer than `account` is known of it."""
    await tx.execute(
        """
        update accounts set paused_until = $3, pause_code = $4, pause_count = pause_count + 1
        where id = $1 and version = $2
        """,
        account.id,
        account.version,
        until,
        code,
    )


async def clear_pause(tx: Transaction, account_id: str) -> None:
    """Forget a pause: what was missing is back."""
    await tx.execute(
        """
        update accounts set paused_until = null, pause_code = null, pause_count = 0
        where id = $1 and pause_count > 0
        """,
        account_id,
    )


def _account(row: "asyncpg.Record") -> Account:
    lists = {name: tuple(row[name]) for name in ("shop_ids", "lost_capabilities", "lost_grants")}
    return Account(**{**dict(row), **lists, "switches": SwitchesSet.model_validate(row["switches"])})
