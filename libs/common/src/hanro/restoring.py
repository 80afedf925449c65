"""Notices that Kafka lost records which it had taken, and has them told again from the archive.

The end of a partition never falls while its records are there. What is remembered is how far each went; where one ends
before that, its topic is replayed to itself, by an operation as if somebody had asked for it.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence

from hanro import replays
from hanro.broker import Broker, BrokerAway, Partition
from hanro.clock import Clock
from hanro.db import Database, Statements, Transaction, is_passing
from hanro.log import logger
from hanro.outbox import wait_for_lane
from hanro.replays import Wish
from hanro.waiting import rest

EVERY_SECONDS = 10.0

DDL_3: tuple[str, ...] = (
    """
    create table "{schema}".log_ends (
        topic text not null,
        partition integer not null,
        next_offset bigint not null,
        primary key (topic, partition)
    )
    """,
)

_KNOWN = "select topic, partition, next_offset from log_ends"
_KEEP = "insert into log_ends select * from unnest($1::text[], $2::int[], $3::bigint[])"

_log = logger(__name__)


class Restorer:
    """Look after the topics that a service publishes to; `service` is who asks for what must be told again.

    Each worker of a service runs one: whoever is first acts, and the others find nothing then.
    """

    def __init__(self, db: Database, broker: Broker, topics: Sequence[str], *, service: str, clock: Clock) -> None:
        self._db = db
        self._broker = broker
        self._topics = topics
        self._service = service
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop`; a broker or a database that is away is looked for at the next turn."""
        while not stop.is_set():
            try:
                await self.look()
            except BrokerAway:
                # Who publishes tells that it is away.
                pass
            except Exception as error:
                if not is_passing(error):
                    raise
            await rest(self._clock, EVERY_SECONDS * random.uniform(0.8, 1.2), stop)  # noqa: S311  no secret

    async def look(self) -> list[str]:
        """Compare how far the topics go with how far they went, and give those that lost records.

        Raises:
            BrokerAway: the broker did not answer.
        """
        async with self._db.statements() as statements:
            known = await _known(statements)
        await self._broker.ensure_topics(self._topics)
        # Asked behind what is remembered: only a loss makes an end lie before it.
        ends = await self._broker.ends(self._topics)
        lost = sorted({place[0] for place, end in known.items() if ends.get(place, 0) < end})
        if not lost and ends == known:
            return []

        async def work(tx: Transaction) -> list[str]:
            return await self._keep(tx, known, ends, lost)

        return await self._db.run(work)

    async def _keep(
        self, tx: Transaction, known: Mapping[Partition, int], ends: Mapping[Partition, int], lost: list[str]
    ) -> list[str]:
        # Only one writes at a time, and nobody over what another has seen meanwhile.
        await tx.execute("lock table log_ends in share row exclusive mode")
        if await _known(tx) != known:
            return []
        if lost:
            # What the broker had taken before its loss is in the archive then.
            await wait_for_lane(tx)
        for topic in lost:
            wish = Wish(topic=topic, source_topic=topic, after=0, until=None)
            operation = await replays.request(tx, wish, by=self._service)
            _log.error("restoring.records_lost", topic=topic, operation_id=operation.id)
        places = sorted(ends)
        await tx.execute("delete from log_ends")
        await tx.execute(
            _KEEP, [topic for topic, _ in places], [number for _, number in places], [ends[place] for place in places]
        )
        return lost


async def _known(statements: Statements) -> dict[Partition, int]:
    rows = await statements.fetch(_KNOWN)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
