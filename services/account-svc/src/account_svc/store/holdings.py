"""Keeps how much of an account each service says it holds, counts and deletes what is held here, finds twins."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from account_svc.domain.accounts import Account
from account_svc.domain.holdings import Holding
from account_svc.store.accounts import COLUMNS, account_of
from hanro.db import Transaction

COUNTED = ("credentials", "spare_credentials", "market_entries", "preflights")
"""Tables whose rows of an account a plan counts, by the names that callers see."""

ERASED = (
    *COUNTED,
    *("grant_uses", "key_expiries", "expiry_failures", "expiry_warnings"),
    *("market_reads", "market_kinds", "market_changes", "due"),
    *("application_sheets", "checklist_ticks"),
)
"""Tables that lose all rows of an account when it is unlinked."""

KEPT = (
    *("holdings", "credential_uses", "credential_counters", "operations", "audit_entries", "access_reports"),
    *("breaker", "pacer"),
)
"""Tables of accounts that keep theirs: who used which version, who did and who asked for what is history, pace is the
marketplace's, and what services hold tells that they let go."""

_COUNT = "(select count(*) from {table} where account_id = $1) as {table}"


async def save_holdings(tx: Transaction, holdings: Sequence[Holding]) -> None:
    """Put what services said in the place of what they said before; a release stays."""
    await tx.execute(
        """
        insert into holdings (account_id, service, account_epoch, released_epoch, counts, counted_at)
        select account_id, service, account_epoch, released_epoch, counts::jsonb, counted_at
        from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::timestamptz[])
            as t (account_id, service, account_epoch, released_epoch, counts, counted_at)
        on conflict (account_id, service) do update set account_epoch = excluded.account_epoch,
            released_epoch = greatest(holdings.released_epoch, excluded.released_epoch),
            counts = excluded.counts, counted_at = excluded.counted_at
        """,
        [one.account_id for one in holdings],
        [one.service for one in holdings],
        [one.account_epoch for one in holdings],
        [one.released_epoch for one in holdings],
        [json.dumps(dict(one.counts)) for one in holdings],
        [one.counted_at for one in holdings],
    )


async def list_holdings(tx: Transaction, account_ids: Sequence[str]) -> dict[str, dict[str, Holding]]:
    """Give what services said of accounts, by account and service; those that said nothing are left out."""
    rows = await tx.fetch(
        """
        select account_id, service, account_epoch, released_epoch, counts, counted_at from holdings
        where account_id = any($1::text[]) order by account_id, service
        """,
        list(account_ids),
    )
    found: dict[str, dict[str, Holding]] = {}
    for row in rows:
        found.setdefault(row["account_id"], {})[row["service"]] = Holding(**dict(row))
    return found


async def count_own(tx: Transaction, account_id: str) -> tuple[Mapping[str, int], datetime]:
    """Count what is held of an account here, and say when that was."""
    counts = ", ".join(_COUNT.format(table=table) for table in COUNTED)
    row = dict((await tx.fetch(f"select {counts}, {tx.now_sql} as counted_at", account_id))[0])
    counted_at: datetime = row.pop("counted_at")
    return row, counted_at


async def erase(tx: Transaction, account_id: str) -> None:
    """Delete all that is held of an account here, for good; its own row stays, so that it can be linked again."""
    for table in ERASED:
        await tx.execute(f"delete from {table} where account_id = $1", account_id)  # noqa: S608  constants


async def lock_shop(tx: Transaction, marketplace_id: str, shop_key: str) -> list[Account]:
    """Give the accounts of one shop, those that live first; nobody else links it before the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{marketplace_id} {shop_key}")
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from accounts where marketplace_id = $1 and shop_key = $2
        order by state = 'unlinked', changed_at desc, id
        """,  # noqa: S608  columns of ours
        marketplace_id,
        shop_key,
    )
    return [account_of(row) for row in rows]
