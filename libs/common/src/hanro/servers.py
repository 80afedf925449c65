"""Tells by metrics which of the servers that a process stands on answer; nothing depends on what is found here."""

import asyncio
from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry, Gauge

from hanro.broker import Broker, BrokerAway
from hanro.clock import Clock
from hanro.db import Database, is_away
from hanro.log import logger
from hanro.waiting import rest

WATCH_SECONDS = 5.0
POSTGRES, KAFKA = "postgres", "kafka"

_log = logger(__name__)


class ServersUp:
    """Keep the gauge `hanro_server_up` by server: 1 where it answered when it was last asked, else 0."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._up = Gauge(
            "hanro_server_up", "Whether a server answered when it was last asked", ["server"], registry=registry
        )
        self._known: dict[str, bool] = {}

    def note(self, server: str, *, is_up: bool) -> None:
        """Note whether a server answered; `server` is `postgres`, `kafka`, or a mail relay's `host:port`."""
        self._up.labels(server).set(is_up)
        if self._known.get(server) == is_up:
            return
        if not is_up:
            _log.warning("servers.away", server=server)
        elif server in self._known:
            _log.info("servers.back", server=server)
        self._known[server] = is_up


async def watch(db: Database, broker: Broker, up: ServersUp, *, clock: Clock, stop: asyncio.Event) -> None:
    """Ask Postgres and Kafka every 5 s until `stop`, also those that nobody needs just now."""
    while not stop.is_set():
        up.note(POSTGRES, is_up=await _answers(lambda: _ask_database(db), is_away))
        # No topic is wanted: it only asks for those that are there.
        up.note(KAFKA, is_up=await _answers(lambda: broker.ensure_topics(()), _is_broker_away))
        await rest(clock, WATCH_SECONDS, stop)


async def _answers(ask: Callable[[], Awaitable[None]], is_absence: Callable[[BaseException], bool]) -> bool:
    try:
        await ask()
    except Exception as error:
        if not is_absence(error):
            raise
        return False
    return True


async def _ask_database(db: Database) -> None:
    async with db.begin() as tx:
        await tx.fetch("select 1")


def _is_broker_away(error: BaseException) -> bool:
    return isinstance(error, BrokerAway)
