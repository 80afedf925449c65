"""Reads and writes which offer of an account is which SKU, and what is known of accounts."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from asyncpg import Record

from hanro.db import Transaction
from hanro.events.accounts import ALL_ON, LET_GO, SwitchesSet

COLUMNS = "id, account_id, match_key, keys, sku, version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Be an offer of an account and the SKU that it sells; `keys` are the seller's, verbatim."""

    id: str
    account_id: str
    match_key: str
    keys: Mapping[str, str]
    sku: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCopy:
    """Be what account-svc last said of an account; `marketplace_id` None: it has said nothing yet."""

    id: str
    marketplace_id: str | None
    state: str | None
    epoch: int
    shop_ids: tuple[str, ...]
    is_enabled: bool = True
    switches: SwitchesSet = ALL_ON
    lost_capabilities: tuple[str, ...] = ()
    lost_grants: tuple[str, ...] = ()

    @property
    def is_let_go(self) -> bool:
        """Tell whether it is being unlinked, or is."""
        return self.state in LET_GO


async def delete_listings(tx: Transaction, account_id: str, *, limit: int) -> int:
    """Delete listings of an account, at most `limit`; give how many."""
    return await tx.execute(
        "delete from listings where id in (select id from listings where account_id = $1 order by id limit $2)",
        account_id,
        limit,
    )


async def count_listings(tx: Transaction, account_id: str) -> int:
    """Count the listings of an account."""
    return int((await tx.fetch("select count(*) from listings where account_id = $1", account_id))[0][0])


async def share_accounts(tx: Transaction, account_ids: Collection[str]) -> None:
    """Keep mappings of some accounts from changing until the commit; accounts that are not known yet get a row."""
    await tx.execute(
        "insert into accounts (id) select unnest($1::text[]) on conflict (id) do nothing", sorted(account_ids)
    )
    await tx.fetch("select 1 from accounts where id = any($1::text[]) order by id for share", sorted(account_ids))


async def list_accounts(tx: Transaction, account_ids: Collection[str]) -> dict[str, AccountCopy]:
    """Give accounts without locking them, by id; those that account-svc has not told of are left out."""
    rows = await tx.fetch(
        """
        select id, marketplace_id, state, epoch, shop_ids, is_enabled, switches, lost_capabilities, lost_grants
        from accounts where id = any($1::text[]) and marketplace_id is not null
        """,
        list(account_ids),
    )
    return {row["id"]: _copy(row) for row in rows}


async def lock_accounts(tx: Transaction, account_ids: Collection[str]) -> dict[str, AccountCopy]:
    """Lock accounts, sorted by id; unknown ones are left out."""
    rows = await tx.fetch(
        """
        select id, marketplace_id, state, epoch, shop_ids, is_enabled, switches, lost_capabilities, lost_grants
        from accounts where id = any($1::text[]) order by id for update
        """,
        sorted(account_ids),
    )
    return {row["id"]: _copy(row) for row in rows}


async def list_marketplaces(tx: Transaction, account_ids: Collection[str]) -> dict[str, str]:
    """Tell at which marketplaces accounts are, by account; those that are not known are left out."""
    rows = await tx.fetch(
        "select id, marketplace_id from accounts where id = any($1::text[]) and marketplace_id is not null",
        list(account_ids),
    )
    return {row["id"]: row["marketplace_id"] for row in rows}


async def save_accounts(tx: Transaction, accounts: Sequence[AccountCopy]) -> None:
    """Write what account-svc said."""
    await tx.execute(
        """
        insert into accounts (
            id, marketplace_id, state, epoch, shop_ids, is_enabled, switches, lost_capabilities, lost_grants
        )
        select id, marketplace_id, state, epoch, string_to_array(shop_ids, ' '), is_enabled, switches::jsonb,
            string_to_array(lost_capabilities, ' '), string_to_array(lost_grants, ' ')
        from unnest(
            $1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::text[]
        ) as new (id, marketplace_id, state, epoch, shop_ids, is_enabled, switches, lost_capabilities, lost_grants)
        on conflict (id) do update set marketplace_id = excluded.marketplace_id, state = excluded.state,
            epoch = excluded.epoch, shop_ids = excluded.shop_ids, is_enabled = excluded.is_enabled,
            switches = excluded.switches, lost_capabilities = excluded.lost_capabilities,
            lost_grants = excluded.lost_grants
        """,
        [account.id for account in accounts],
        [account.marketplace_id for account in accounts],
        [account.state for account in accounts],
        [account.epoch for account in accounts],
        # Ids hold no blank; arrays of arrays must be rectangles in Postgres.
        [" ".join(account.shop_ids) for account in accounts],
        [account.is_enabled for account in accounts],
        [account.switches.model_dump_json() for account in accounts],
        [" ".join(account.lost_capabilities) for account in accounts],
        [" ".join(account.lost_grants) for account in accounts],
    )


async def skus_by_key(tx: Transaction, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Tell the SKU of each pair of account and key; those that are not mapped are left out."""
    wanted = sorted(pairs)
    rows = await tx.fetch(
        """
        select account_id, match_key, sku from listings
        where (account_id, match_key) in (select * from unnest($1::text[], $2::text[]))
        """,
        [account_id for account_id, _ in wanted],
        [match_key for _, match_key in wanted],
    )
    return {(row["account_id"], row["match_key"]): row["sku"] for row in rows}


async def lock_listings(tx: Transaction, account_id: str, match_keys: Collection[str]) -> dict[str, Listing]:
    """Lock the listings of an account with some keys, by key."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from listings where account_id = $1 and match_key = any($2::text[]) order by id for update
        """,  # noqa: S608  constants
        account_id,
        sorted(match_keys),
    )
    return {row["match_key"]: _listing(row) for row in rows}


async def save_listings(tx: Transaction, listings: Sequence[Listing]) -> None:
    """Write listings."""
    await tx.execute(
        """
        insert into listings (id, account_id, match_key, keys, sku, version)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::text[], $6::int[])
        on conflict (account_id, match_key) do update
            set keys = excluded.keys, sku = excluded.sku, version = excluded.version
        """,
        [listing.id for listing in listings],
        [listing.account_id for listing in listings],
        [listing.match_key for listing in listings],
        [json.dumps(dict(listing.keys), ensure_ascii=False) for listing in listings],
        [listing.sku for listing in listings],
        [listing.version for listing in listings],
    )


async def list_listings(
    tx: Transaction,
    *,
    shop_ids: Sequence[str] | None,
    account_id: str | None,
    sku: str | None,
    after: str | None,
    limit: int,
) -> list[Listing]:
    """List listings of what these shops may see by id, those after `after`; None filters nothing."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from listings
        where ($1::text is null or account_id = $1) and ($2::text is null or sku = $2)
            and ($3::text is null or id > $3)
            and ($5::text[] is null or account_id in (select id from accounts where shop_ids && $5))
        order by id limit $4
        """,  # noqa: S608  constants
        account_id,
        sku,
        after,
        limit,
        None if shop_ids is None else list(shop_ids),
    )
    return [_listing(row) for row in rows]


def _copy(row: Record) -> AccountCopy:
    lists = {name: tuple(row[name]) for name in ("shop_ids", "lost_capabilities", "lost_grants")}
    return AccountCopy(**{**dict(row), **lists, "switches": SwitchesSet.model_validate(row["switches"])})


def _listing(row: Record) -> Listing:
    # SQLAlchemy's driver decodes jsonb already.
    return Listing(**dict(row))
