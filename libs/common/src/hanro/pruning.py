"""Deletes what is kept for a time only, hour by hour; what is in the way of one kind does not stop the others."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from hanro.clock import Clock
from hanro.db import Database, Transaction, is_passing
from hanro.log import logger
from hanro.waiting import rest

BETWEEN = timedelta(hours=1)

Batch = Callable[[Transaction], Awaitable[int]]
"""Delete some of what is too old, and give how many; 0: nothing is left."""

_log = logger(__name__)


async def run(db: Database, batches: Mapping[str, Batch], *, clock: Clock, stop: asyncio.Event) -> None:
    """Prune hourly until `stop`, each kind to its end in short transactions.

    A database that is away, and a lock that another holds (a backup keeps its own for as long as it takes), are asked
    for again at the next turn.
    """
    while not stop.is_set():
        for kind, batch in batches.items():
            try:
                while await _delete_some(db, batch) and not stop.is_set():
                    await clock.sleep(0)
            except Exception as error:
                if not is_passing(error):
                    raise
                _log.warning("pruning.put_off", kind=kind, error_type=type(error).__name__)
        await rest(clock, BETWEEN.total_seconds(), stop)


async def _delete_some(db: Database, batch: Batch) -> int:
    # Once: who waits for the lock of a table again and again keeps its readers waiting.
    async with db.begin() as tx:
        return await batch(tx)
