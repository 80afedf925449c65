"""Keeps what marketplaces pushed: hints to read orders, each once, until they were followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro.db import Transaction
from hanro.marketplace.types import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """Be a notice whose orders were not read since; `is_old`: it has waited for long enough."""

    external_id: str
    order_ids: tuple[str, ...]
    is_old: bool


async def save_notices(tx: Transaction, account_id: str, notices: Sequence[Notice]) -> list[str]:
    """Store notices that nobody knows yet, in one statement; give the ids of those that were new and name orders.

    One that names no order is no hint for anybody here, and is handled at once.
    """
    ordered = sorted({one.external_id: one for one in notices}.values(), key=lambda one: one.external_id)
    rows = await tx.fetch(
        f"""
        insert into notices (account_id, external_id, kind, order_ids, told_at, received_at, handled_at)
        select $1, external_id, kind, string_to_array(order_ids, E'\\n'), told_at, at,
            case when order_ids = '' then at end
        from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) as t (external_id, kind, order_ids, told_at),
            (select {tx.now_sql} as at) clock
        on conflict do nothing returning external_id, handled_at
        """,  # noqa: S608  the schema's own clock
        account_id,
        [one.external_id for one in ordered],
        [one.kind.value for one in ordered],
        ["\n".join(one.order_ids) for one in ordered],
        [one.at.at if one.at else None for one in ordered],
    )
    return [row["external_id"] for row in rows if row["handled_at"] is None]


async def list_waiting(tx: Transaction, account_id: str, *, older_than: timedelta, limit: int) -> list[WaitingNotice]:
    """Give notices whose orders are to be read, oldest first."""
    rows = await tx.fetch(
        f"""
        select external_id, order_ids, received_at < {tx.now_sql} - $2::interval as is_old from notices
        where account_id = $1 and handled_at is null order by received_at, external_id limit $3
        """,  # noqa: S608  the schema's own clock
        account_id,
        older_than,
        limit,
    )
    return [
        WaitingNotice(external_id=row["external_id"], order_ids=tuple(row["order_ids"]), is_old=row["is_old"])
        for row in rows
    ]


async def save_handled(tx: Transaction, account_id: str, external_ids: Sequence[str]) -> None:
    """Note that the orders of notices were read."""
    await tx.execute(
        f"""
        update notices set handled_at = {tx.now_sql} from (
            select external_id from notices
            where account_id = $1 and external_id = any($2::text[]) order by external_id for update
        ) held where notices.account_id = $1 and notices.external_id = held.external_id
        """,  # noqa: S608  the schema's own clock
        account_id,
        list(external_ids),
    )


async def find_last(tx: Transaction, account_id: str) -> datetime | None:
    """Tell when an account's last notice came; None: none did."""
    rows = await tx.fetch("select max(received_at) as at from notices where account_id = $1", account_id)
    found: datetime | None = rows[0]["at"]
    return found


async def delete_notices(tx: Transaction, account_id: str) -> None:
    """Forget an account's notices."""
    await tx.execute("delete from notices where account_id = $1", account_id)


async def prune_notices(tx: Transaction, kept: timedelta, *, limit: int) -> int:
    """Forget notices that are older than `kept`, at most `limit`, the oldest first; give how many."""
    return await tx.execute(
        f"""
        delete from notices where (account_id, external_id) in (
            select account_id, external_id from notices
            where received_at < (select {tx.now_sql}) - $1::interval order by received_at limit $2
        )
        """,  # noqa: S608  the schema's own clock
        kept,
        limit,
    )
