"""Pruning on a real Postgres: what holds up one kind stops neither the others nor the process."""

import asyncio

import asyncpg
import pytest

from hanro import archive, pruning
from hanro.clock import SystemClock
from hanro.db import Database, Transaction
from hanro.testing.probe import running, until
from hanro.testing.schemas import create_shared_tables
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_shared_tables)

DAYS = "select count(*) from pg_inherits where inhparent = 'probe.archive'::regclass"


class Left:
    """Be what is too old, deleted two at a time."""

    def __init__(self, count: int) -> None:
        self.count = count

    async def delete_some(self, _tx: Transaction) -> int:
        """Delete two at most."""
        gone = min(2, self.count)
        self.count -= gone
        return gone

    async def is_gone(self) -> bool:
        """Tell whether nothing is left."""
        return self.count == 0


async def test_a_kind_is_pruned_to_its_end(db: Database) -> None:
    left = Left(5)
    async with running(lambda stop: pruning.run(db, {"left": left.delete_some}, clock=SystemClock(), stop=stop)):
        await until(left.is_gone)


async def test_a_backup_that_holds_the_archive_stops_neither_the_rest_nor_the_process(
    db: Database, urls: SchemaUrls
) -> None:
    left = Left(1)
    batches = {"archive": archive.prune, "left": left.delete_some}
    backup = await asyncpg.connect(urls.owner)
    try:
        await backup.execute("update probe.clock_offset set seconds = 86400")
        before = await backup.fetchval(DAYS)
        async with backup.transaction():
            await backup.execute("lock table probe.archive in access share mode")
            async with running(lambda stop: pruning.run(db, batches, clock=SystemClock(), stop=stop)):
                await until(left.is_gone)
            assert await backup.fetchval(DAYS) == before
        async with asyncio.timeout(30), running(lambda stop: pruning.run(db, batches, clock=SystemClock(), stop=stop)):
            while await backup.fetchval(DAYS) == before:
                await asyncio.sleep(0.05)
    finally:
        await backup.close()
