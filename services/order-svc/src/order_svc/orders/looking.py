"""Looks orders up, for callers and for those who read them again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hanro.db import Database, Transaction
from hanro.errors import Rejected
from order_svc.domain.orders import Order
from order_svc.store import orders as store
from order_svc.store.orders import Filter, StoredOrder


async def get_(tx: Transaction, order_id: str, *, account_ids: Sequence[str] | None) -> StoredOrder:
    """Give one order.

    Raises:
        Rejected: there is none, or it is of no account that the caller may see (not-found).
    """
    found = await store.find_order(tx, order_id)
    if found is None or (account_ids is not None and found.order.account_id not in account_ids):
        raise Rejected("there is no such order", code="not-found")
    return found


async def list_(tx: Transaction, wanted: Filter, *, before_id: str | None, limit: int) -> list[StoredOrder]:
    """Give orders, the last one found first."""
    return await store.list_orders(tx, wanted, before_id=before_id, limit=limit)


async def list_to_read_again(
    db: Database,
    account_id: str,
    *,
    open_statuses: Sequence[str],
    seen: Sequence[str],
    known_before: datetime,
    older_than: timedelta,
    limit: int,
) -> list[Order]:
    """Give orders that a sweep should have shown and did not, and those that left the house and are not closed yet."""
    async with db.begin() as tx:
        unseen = await store.list_unseen(tx, account_id, open_statuses, seen, known_before=known_before, limit=limit)
        away = await store.list_to_follow(tx, account_id, ["shipped"], older_than=older_than, limit=limit)
    return [*unseen, *away][:limit]
