"""Waits for aiokafka no longer than told, and says in one word when the broker is not there."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from aiokafka.errors import KafkaError

from hanro.broker.protocol import BrokerAway

Result = TypeVar("Result")

GRACE_SECONDS = 1.0


async def answered(doing: str, work: Awaitable[Result], seconds: float) -> Result:
    """Wait for work of aiokafka.

    It runs in a task of its own: when a connection breaks, aiokafka lets a CancelledError of its own tasks out, which
    would end the caller in silence.

    Raises:
        BrokerAway: no answer in time, or an error of Kafka or the network.
    """
    task = asyncio.ensure_future(work)
    is_late = True
    try:
        done, _ = await asyncio.wait([task], timeout=seconds)
        is_late = not done
    finally:
        if is_late:
            task.cancel()
            await asyncio.wait([task], timeout=GRACE_SECONDS)
    if is_late or task.cancelled():
        raise BrokerAway(f"no answer within {seconds:.0f} s while {doing}")
    error = task.exception()
    if isinstance(error, KafkaError | OSError):
        raise BrokerAway(f"{type(error).__name__} while {doing}") from error
    return task.result()
