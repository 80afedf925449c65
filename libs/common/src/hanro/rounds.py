"""Keeps a doer looking for work, round after round, also while the database is away."""

import asyncio
from collections.abc import Awaitable, Callable

from hanro.clock import Clock
from hanro.db import is_passing
from hanro.log import Logger
from hanro.waiting import rest


async def keep_looking(
    look: Callable[[], Awaitable[int]],
    *,
    clock: Clock,
    seconds: float,
    stop: asyncio.Event,
    log: Logger,
    trouble: str,
    is_borne: Callable[[Exception], bool] = is_passing,
) -> None:
    """Look until `stop`: again at once while `look` gives more than 0, else after `seconds`.

    An error that `is_borne` is logged as `trouble` and counts as nothing found; any other ends the process.
    """
    while not stop.is_set():
        try:
            count = await look()
        except Exception as error:
            if not is_borne(error):
                raise
            log.warning(trouble, error_type=type(error).__name__)
            count = 0
        if not count:
            await rest(clock, seconds, stop)
