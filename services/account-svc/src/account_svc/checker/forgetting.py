"""Forgets old uses of credentials and old preflights, a batch at a time."""

import asyncio
from datetime import timedelta

from account_svc.accounts import forgetting
from hanro.clock import Clock
from hanro.db import Database, is_away
from hanro.log import logger
from hanro.waiting import rest

BETWEEN = timedelta(hours=1)

_log = logger(__name__)


async def forget(db: Database, clock: Clock, stop: asyncio.Event) -> None:
    """Forget hourly what is too old, until `stop`; a database that is away is asked again at the next turn."""
    while not stop.is_set():
        try:
            while await db.run(forgetting.forget_some) and not stop.is_set():
                await clock.sleep(0)
        except Exception as error:
            if not is_away(error):
                raise
            _log.warning("forgetting.database_away", error_type=type(error).__name__)
        await rest(clock, BETWEEN.total_seconds(), stop)
