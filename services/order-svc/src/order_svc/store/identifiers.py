"""Counts an account's orders and lists the numbers by which they are known."""

from dataclasses import dataclass, fields
from datetime import datetime

from hanro.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIdentifiers:
    """Be the numbers of one order: ours and the marketplace's."""

    id: str
    external_id: str
    marketplace_id: str
    placed_at: datetime


COLUMNS = ", ".join(one.name for one in fields(OrderIdentifiers))


async def count_orders(tx: Transaction, account_id: str) -> int:
    """Count an account's orders."""
    return int((await tx.fetch("select count(*) from orders where account_id = $1", account_id))[0][0])


async def list_identifiers(
    tx: Transaction, account_id: str, *, after: str | None, limit: int
) -> list[OrderIdentifiers]:
    """Give the numbers of an account's orders, oldest first, at most `limit` behind the id `after`."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from orders where account_id = $1 and ($2::text is null or id > $2) order by id limit $3
        """,  # noqa: S608  columns of ours
        account_id,
        after,
        limit,
    )
    return [OrderIdentifiers(**dict(row)) for row in rows]
