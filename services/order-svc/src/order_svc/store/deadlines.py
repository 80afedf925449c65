"""Finds orders whose deadline to decide is near, and keeps that it was told."""

from collections.abc import Sequence
from datetime import timedelta

from hanro.db import Transaction
from hanro.events.accounts import LET_GO
from order_svc.domain.orders import Order
from order_svc.store.order_rows import READ, order_of

STANDS = """
    decide_by is not null
    and exists (select from accounts where accounts.id = orders.account_id and accounts.state <> all($1::text[]))
"""
"""Orders that wait to be decided, of accounts that were not let go: `$1`."""


async def lock_due(tx: Transaction, within: timedelta, *, limit: int) -> list[Order]:
    """Lock orders that must be decided within a time and of which that was not told, the nearest ones first.

    What somebody changes just now is left for the next look, what belongs to an account that was let go for good.
    """
    rows = await tx.fetch(
        f"""
        {READ}
        where {STANDS} and decide_by <= {tx.now_sql} + $2::interval and decide_told is distinct from decide_by
        order by decide_by limit $3 for update skip locked
        """,
        sorted(LET_GO),
        within,
        limit,
    )
    return [order_of(row) for row in rows]


async def save_told(tx: Transaction, order_ids: Sequence[str]) -> None:
    """Note that the deadline of locked orders was told."""
    await tx.execute("update orders set decide_told = decide_by where id = any($1::text[])", list(order_ids))
