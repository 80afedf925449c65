"""Takes in the files that wait, one at a time, piece by piece; who dies leaves the rest to whoever comes next."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from hanro.clock import Clock
from hanro.crypto import CannotOpen, Keyring
from hanro.db import Database, is_passing
from hanro.errors import Rejected, Retryable
from hanro.log import logger
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import CsvLayout, MarketplaceId
from hanro.rounds import keep_looking
from order_svc import accounts, imports
from order_svc.imports.file_bytes import FileBytes
from order_svc.imports.storing import Source
from order_svc.store import imports as store
from order_svc.store.imports import Import

LOG = logger(__name__)
LOOK_SECONDS = 0.5
LEASE = timedelta(seconds=30)
# The end of a batch is what callers see of progress, and the account's other work waits for it.
FEWEST_ORDERS = 25
QUICK_SECONDS, SLOW_SECONDS = 0.4, 0.8


class Importer:
    """Take in files of all accounts."""

    def __init__(
        self,
        db: Database,
        keyring: Keyring,
        plugins: Mapping[MarketplaceId, Plugin],
        clock: Clock,
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self._db = db
        self._keyring = keyring
        self._plugins = plugins
        self._clock = clock
        self._lease = lease

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; the file that is being taken in then is left to others behind the batch in hand."""
        await keep_looking(
            partial(self.take_next, stop),
            clock=self._clock,
            seconds=LOOK_SECONDS,
            stop=stop,
            log=LOG,
            trouble="imports cannot be claimed",
        )

    async def take_next(self, stop: asyncio.Event) -> bool:
        """Take one file in to its end, or to `stop`; False where none waits.

        What goes wrong with one file, a bug too, is no other's trouble.
        """
        async with self._db.begin() as tx:
            held = await store.claim(tx, self._lease)
        if held is None:
            return False
        try:
            await self._take_in(held, stop)
        except Retryable as lost:
            LOG.info("another process looks after this import", aggregate_id=held.id, code=lost.code)
        except CannotOpen as error:
            await self._fail(held, "key-missing", "The file cannot be opened: its key is missing.")
            LOG.warning("an import cannot be opened", aggregate_id=held.id, error_type=type(error).__name__)
        except Exception as error:
            if is_passing(error):
                raise
            LOG.exception("an import is broken", aggregate_id=held.id, error_type=type(error).__name__)
            await self._fail(held, "internal", "Something is broken on our side; the rows that were stored stand.")
        return True

    async def _take_in(self, held: Import, stop: asyncio.Event) -> None:
        source = await self._source(held)
        if source is None:
            await self._fail(held, "layout-unknown", "The layout of this file is not known any more.")
            return
        content = FileBytes(self._db, self._keyring, held.id)
        while held.state in {"accepted", "reading"} and not stop.is_set():
            held = await imports.find_rows(self._db, content, held, source.layout, lease=self._lease)
        if held.state == "storing" and not stop.is_set():
            held = await self._store(held, content, source, stop)
        if held.state in store.OPEN:
            async with self._db.begin() as tx:
                await store.release(tx, held)

    async def _store(self, held: Import, content: FileBytes, source: Source, stop: asyncio.Event) -> Import:
        """Store batch after batch, and read the next one while one is being stored."""
        at, limit = self._clock.now(), imports.MOST_ORDERS
        batch = await imports.read_batch(self._db, content, held, source, at=at, limit=limit)
        while held.state in store.OPEN and not stop.is_set():
            began = self._clock.monotonic()
            ahead = asyncio.create_task(
                imports.read_batch(self._db, content, held, source, at=at, limit=limit, after=batch.last)
            )
            try:
                held = await imports.store_batch(
                    self._db, self._keyring, held, source, batch, at=self._clock.now(), lease=self._lease
                )
                batch = await ahead
            finally:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
            limit = paced(limit, self._clock.monotonic() - began)
        return held

    async def _source(self, held: Import) -> Source | None:
        account = await accounts.find(self._db, held.account_id)
        plugin = self._plugins.get(MarketplaceId(held.marketplace_id))
        if account is None or plugin is None:
            return None
        layout = _layout(plugin, held)
        return None if layout is None else Source(account=account, plugin=plugin, layout=layout)

    async def _fail(self, held: Import, code: str, why: str) -> None:
        async with self._db.begin() as tx:
            found = await store.find_import(tx, held.id)
            if found is None or found.fence != held.fence:
                return
            failure = {"error": Rejected.__name__, "code": code, "why": why}
            await store.save_progress(tx, replace(found, state="failed", failure=failure), self._lease)
            await store.forget_file(tx, [held.id])


def paced(limit: int, seconds: float) -> int:
    """Give how many orders are read at once from now on, where storing some while others were read took so long."""
    if seconds > SLOW_SECONDS:
        return max(limit // 2, FEWEST_ORDERS)
    return min(limit * 2, imports.MOST_ORDERS) if seconds < QUICK_SECONDS else limit


def _layout(plugin: Plugin, held: Import) -> CsvLayout | None:
    wanted = (held.layout, held.layout_version)
    return next((one for one in plugin.order_layouts if (one.name, one.version) == wanted and one.read), None)
