"""Keeps the metrics of keys that end soon, and of keys whose end nobody can look up."""

import asyncio

from prometheus_client import CollectorRegistry, Gauge

from account_svc.domain.expiries import ALARM_AFTER, THRESHOLDS
from account_svc.store import expiries as store
from hanro.clock import Clock
from hanro.db import Database, is_passing
from hanro.waiting import rest

WATCH_SECONDS = 30.0


async def watch(db: Database, registry: CollectorRegistry, clock: Clock, stop: asyncio.Event) -> None:
    """Count every 30 s until `stop`; accounts are no label, REST names them."""
    ending = Gauge(
        "hanro_account_keys_ending", "Accounts that work, by days before their key's end", ["days"], registry=registry
    )
    failing = Gauge(
        "hanro_account_expiry_look_ups_failing",
        "Accounts that work and whose key's end cannot be looked up for an hour or longer, by code",
        ["code"],
        registry=registry,
    )
    while not stop.is_set():
        try:
            async with db.begin() as tx:
                counts = await store.count_ending(tx)
                failures = await store.count_failing(tx, ALARM_AFTER)
        except Exception as error:
            if not is_passing(error):
                raise
        else:
            for days in THRESHOLDS:
                ending.labels(str(days)).set(counts.get(days, 0))
            failing.clear()
            for code, count in failures.items():
                failing.labels(code).set(count)
        await rest(clock, WATCH_SECONDS, stop)
