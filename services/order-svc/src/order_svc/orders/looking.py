"""Looks up which orders are to be read again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hanro.db import Database
from order_svc.domain.orders import Order
from order_svc.store import orders as store


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
