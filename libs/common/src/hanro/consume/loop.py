"""Runs a subscription: fetch, put into the database, then move the offsets."""

import asyncio
from typing import TypeVar

from hanro.broker import Broker
from hanro.clock import Clock
from hanro.consume.subscription import Observer, Subscription
from hanro.db import Database

Known = TypeVar("Known")
Change = TypeVar("Change")


async def consume(
    db: Database,
    broker: Broker,
    subscription: Subscription[Known, Change],
    *,
    clock: Clock,
    stop: asyncio.Event,
    observer: Observer | None = None,
) -> None:
    """Consume until `stop`; the batch in hand is finished first, then the group is left at once.

    A broker or database that is away is waited for, and never makes a dead letter.
    """
    raise NotImplementedError
