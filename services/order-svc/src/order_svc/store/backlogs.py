"""Counts what waits, is held up or went wrong, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass

from hanro.db import Transaction
from hanro.events.accounts import LET_GO
from order_svc.domain.accounts import WORKING_STATES
from order_svc.store.deadlines import STANDS
from order_svc.store.shipments import UNCONFIRMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Be how much there is of something (`name`), of one sort of it (`sort`, may be empty).

    `seconds`: how long the oldest one has waited, of `undecided` how long the nearest one still may, and of `behind`
    (routes of accounts that work) how long ago the one ends that was read least far.
    """

    name: str
    sort: str
    count: int
    seconds: float | None


async def count(tx: Transaction, routes: Sequence[str]) -> list[Figure]:
    """Count all of them, but no test orders and nothing of accounts that were let go.

    `routes` are those of which is told how far they are behind.
    """
    rows = await tx.fetch(
        f"""
        with clock as (select {tx.now_sql} as now), found (name, sort, at) as (
            select 'undecided', '', decide_by from orders where {STANDS} and not is_test
            union all select 'quarantined', coalesce(quarantine_code, 'unknown'), null from orders
            where is_quarantined and not is_test
            union all select 'gaps', marketplace_id, null from cursors
            join accounts on accounts.id = account_id where gap_start is not null and accounts.state <> all($1::text[])
            union all select 'behind', marketplace_id, covered_until from cursors
            join accounts on accounts.id = account_id where is_enabled and accounts.state = any($2::text[])
                and (switches ->> 'orders')::boolean is not false and covered_until is not null
                and route = any($3::text[])
            union all select 'in_doubt', case when next_at is null then 'person' else 'look' end, null from operations
            where status = 'in_doubt'
            union all select 'unconfirmed', '', null from operations
            where kind = 'ship' and {UNCONFIRMED.replace("{now}", "(select now from clock)")}
            union all select 'waiting', 'documents', created_at from documents where status = 'waiting'
            union all select 'waiting', 'imports', changed_at from imports
            where state in ('accepted', 'reading', 'storing')
            union all select 'waiting', 'notices', received_at from notices where handled_at is null
            union all select 'imports_failed', coalesce(failure ->> 'code', 'unknown'), null from imports
            where state = 'failed' and changed_at > (select now from clock) - interval '1 day'
        )
        select name, sort, count(*) as count, extract(epoch from case when name = 'undecided'
            then min(at) - (select now from clock) else (select now from clock) - min(at) end) as seconds
        from found group by name, sort
        """,  # noqa: S608  fixed texts and the schema's own clock
        sorted(LET_GO),
        sorted(WORKING_STATES),
        list(routes),
    )
    return [
        Figure(
            name=row["name"],
            sort=row["sort"],
            count=row["count"],
            seconds=None if row["seconds"] is None else float(row["seconds"]),
        )
        for row in rows
    ]
