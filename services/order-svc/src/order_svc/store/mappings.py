"""Keeps which offers of an account are mapped to SKUs, as catalog-svc says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hanro.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Be one offer that is mapped: what sells under `match_key` at the account is `sku`."""

    account_id: str
    account_epoch: int
    match_key: str
    listing_id: str
    sku: str


async def save_mappings(tx: Transaction, mappings: Sequence[Mapped]) -> None:
    """Store mappings, one statement; of one key the last one stands."""
    newest = {(one.account_id, one.match_key): one for one in mappings}
    ordered = [newest[key] for key in sorted(newest)]
    await tx.execute(
        """
        insert into mappings (account_id, match_key, account_epoch, listing_id, sku)
        select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
        on conflict (account_id, match_key) do update set
            account_epoch = excluded.account_epoch, listing_id = excluded.listing_id, sku = excluded.sku
        """,
        [one.account_id for one in ordered],
        [one.match_key for one in ordered],
        [one.account_epoch for one in ordered],
        [one.listing_id for one in ordered],
        [one.sku for one in ordered],
    )


async def find_mapped(
    tx: Transaction, account_id: str, keys: Collection[str], *, account_epoch: int
) -> frozenset[str] | None:
    """Give which of some keys are mapped under this link of the account or a later one; None: it has no mapping."""
    # Any one would do; in order it is found by the key. Else, where few accounts have many mappings, the planner reads
    # the table from its start until it meets this account.
    rows = await tx.fetch(
        """
        select match_key from mappings where account_id = $1 and account_epoch >= $3 and match_key = any($2::text[])
        union all
        (select null from mappings where account_id = $1 and account_epoch >= $3 order by match_key limit 1)
        """,
        account_id,
        sorted(keys),
        account_epoch,
    )
    return frozenset(row["match_key"] for row in rows if row["match_key"] is not None) if rows else None


async def list_keys_of(tx: Transaction, sku: str, account_ids: Sequence[str] | None) -> list[tuple[str, list[str]]]:
    """Give what sells as a SKU: each match key with the accounts it is mapped at; `account_ids` None: of all.

    `sku` is in the form of `domain.terms`.
    """
    rows = await tx.fetch(
        """
        select match_key, array_agg(account_id order by account_id) as account_ids from mappings
        where lower(normalize(sku, NFKC)) = $1 and ($2::text[] is null or account_id = any($2))
        group by match_key order by match_key
        """,
        sku,
        None if account_ids is None else list(account_ids),
    )
    return [(row["match_key"], row["account_ids"]) for row in rows]


async def delete_mappings(tx: Transaction, account_id: str, *, before_epoch: int) -> None:
    """Forget what was mapped under older links of an account."""
    await tx.execute("delete from mappings where account_id = $1 and account_epoch < $2", account_id, before_epoch)
