"""Counts what waits, is held up or went wrong, for those who operate hanro."""

from collections.abc import Sequence

from hanro.db import Database
from order_svc.store import backlogs as store
from order_svc.store.backlogs import Figure

__all__ = ["Figure", "count"]


async def count(db: Database, routes: Sequence[str]) -> list[Figure]:
    """Give how much of each kind there is now; of what there is none no figure is given.

    `routes` are those that plug-ins read: one that a newer plug-in gave up is not behind.
    """
    async with db.begin() as tx:
        return await store.count(tx, routes)
