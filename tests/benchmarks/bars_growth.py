"""Growth: V5 to V9 at 1, 4 and 16 times their work; cost must stay linear."""

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from bars_consume import (
    STORING,
    TABLES,
    WITHOUT_EFFECT,
    NoDatabase,
    StockTold,
    broker_for,
    consumed,
    messages,
    published,
)
from bars_ingest import PAGE, open_shop, pages_of, take_in
from bars_ingest import TABLES as ORDER_TABLES
from bars_relay import TABLES as RELAY_TABLES
from bars_relay import drained, fill
from bench_places import Places, run
from bench_table import Row, limit

from hanro.broker import KafkaBroker
from hanro.db import Database, connect

TIMES = (1, 4, 16)
REPETITIONS = 3
STEEPEST = 1.05
PAGES = 4
MESSAGES = 3_000
ROWS = 2_000

Measure = Callable[[int], Awaitable[Sequence[float]]]
"""Do so many times the work and give the seconds of each bar."""


def slopes(places: Places, repetitions: int = REPETITIONS) -> list[Row]:
    """Give the slope of each bar's seconds over its work, both as logarithms: 1 is linear."""
    return [*_ingest(places, repetitions), *_consume(places, repetitions), *_relay(places, repetitions)]


def _ingest(places: Places, repetitions: int) -> list[Row]:
    urls = places.database("orders")
    bodies = pages_of(PAGES * TIMES[-1])

    async def measure() -> list[Row]:
        db = connect(urls.runtime, schema="orders")
        try:
            shops = [await open_shop(db, account_id) for account_id in ("acc_1", "acc_2")]

            async def once(times: int) -> tuple[float, float]:
                await places.empty(urls, list(ORDER_TABLES))
                part = bodies[: PAGES * times]
                return await take_in(db, shops, part), await take_in(db, shops, part)

            await once(1)
            what = f"{PAGES * PAGE} orders"
            return await _rows([("V5", f"new, {what}"), ("V6", f"polled again, {what}")], once, repetitions)
        finally:
            await db.close()

    return run(measure())


def _consume(places: Places, repetitions: int) -> list[Row]:
    urls = places.database("probe")

    async def measure() -> list[Row]:
        prefixes = {times: await published(places, messages(MESSAGES * times)) for times in TIMES}
        db = connect(urls.runtime, schema="probe")
        try:

            async def once(times: int) -> tuple[float, float]:
                await places.empty(urls, TABLES)
                count, prefix = MESSAGES * times, prefixes[times]
                free, _ = await consumed(
                    cast("Database", NoDatabase()), broker_for(places, prefix), WITHOUT_EFFECT, count
                )
                stored, _ = await consumed(db, broker_for(places, prefix), STORING, count)
                return count / free, count / stored

            what = f"{MESSAGES} messages"
            return await _rows([("V7", f"no effect, {what}"), ("V8", f"an upsert each, {what}")], once, repetitions)
        finally:
            await db.close()

    return run(measure())


def _relay(places: Places, repetitions: int) -> list[Row]:
    urls = places.database("probe")

    async def measure() -> list[Row]:
        broker = KafkaBroker(places.kafka(), topic_prefix=f"b{secrets.token_hex(4)}-")
        await broker.ensure_topics([StockTold.topic])
        db = connect(urls.runtime, schema="probe")
        try:

            async def once(times: int) -> tuple[float]:
                await places.empty(urls, RELAY_TABLES)
                await fill(db, ROWS * times)
                return (ROWS * times / await drained(db, broker, ROWS * times),)

            return await _rows([("V9", f"drained, {ROWS} rows")], once, repetitions)
        finally:
            await db.close()

    return run(measure())


async def _rows(bars: Sequence[tuple[str, str]], once: Measure, repetitions: int) -> list[Row]:
    """Measure each size in turns; the best of them counts, because a busy machine only ever adds seconds."""
    found: dict[int, list[Sequence[float]]] = {times: [] for times in TIMES}
    for _ in range(repetitions):
        for times in TIMES:
            found[times].append(await once(times))
            await asyncio.sleep(0)
    rows = []
    for place, (bar, what) in enumerate(bars):
        best = [min(seconds[place] for seconds in found[times]) for times in TIMES]
        title = f"slope, {what} x {'/'.join(map(str, TIMES))}"
        rows.append(limit(bar, title, [slope(TIMES, best)], unit="", passes=STEEPEST, stretch=1.0))
    return rows


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Fit a line through the logarithms by least squares and give its slope."""
    xs, ys = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    across = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True))
    return across / sum((x - middle_x) ** 2 for x in xs)
