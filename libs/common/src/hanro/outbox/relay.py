"""Publishes what the outbox holds: one lane a service, however many processes there are."""

import asyncio

from hanro.broker import Broker
from hanro.clock import Clock
from hanro.db import Database


class Relay:
    """Publish the facts of one schema; `source` names the service, for example `/order-svc`."""

    def __init__(self, db: Database, broker: Broker, *, source: str, clock: Clock) -> None:
        self._db = db
        self._broker = broker
        self._source = source
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`; the batch in hand is finished first."""
        raise NotImplementedError

    def wake(self) -> None:
        """Look at once instead of at the next poll."""
        raise NotImplementedError
