"""Works for shops in a process of its own: `python -m hanro.testing.conformance.caller`, what to do on its input.

Input: one JSON object (`Errand`). Output: what the work prints, and the process's logs.
"""

# ruff: noqa: T201  a command prints

import asyncio
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from hanro import breaker, log, trace
from hanro.errors import Retryable
from hanro.marketplace import installed
from hanro.marketplace.types import Channel, MarketplaceId, OrderRef, Window
from hanro.metrics import new_registry, write
from hanro.testing.conformance.asked import accepting, readable
from hanro.testing.conformance.rig import Rig, open_rig
from hanro.testing.conformance.values import written

PROCESS_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Leg:
    """Be one account's part of an errand, with orders of its shop; `is_careless` shows what must not be shown."""

    secrets: Mapping[str, str]
    account_id: str
    numbers: Sequence[str]
    is_careless: bool = False


@dataclass(frozen=True, kw_only=True)
class Errand:
    """Say what to do: send up to `count` reads of an order as fast as the pace lets them, or call every method."""

    work: Literal["load", "tour"]
    marketplace_id: str
    base_url: str
    database_url: str
    factor: int
    legs: Sequence[Leg]
    count: int = 0

    def written(self) -> bytes:
        """Give the input of the process."""
        return json.dumps(asdict(self)).encode()


async def start(errand: Errand) -> asyncio.subprocess.Process:
    """Start a process of its own for an errand; its output is whatever it writes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hanro.testing.conformance.caller",
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    if process.stdin is None:
        raise RuntimeError("a process without an input")
    process.stdin.write(errand.written())
    process.stdin.write_eof()
    return process


async def run(errand: Errand) -> str:
    """Run an errand to its end and give all that it wrote, warnings and tracebacks too."""
    process = await start(errand)
    async with asyncio.timeout(PROCESS_SECONDS):
        output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(output.decode())
    return output.decode()


async def main(errand: Errand) -> None:
    """Do the errand."""
    plugin = installed()[MarketplaceId(errand.marketplace_id)]
    async with open_rig(plugin, errand.base_url, errand.database_url, factor=errand.factor) as rig:
        match errand.work:
            case "load":
                await _load(rig, errand.legs[0], errand.count)
            case "tour":
                await _tour(rig, errand.legs)


async def _load(rig: Rig, leg: Leg, count: int) -> None:
    """Keep the pace asked: two calls always wait for their turn."""
    left = count

    async def work() -> None:
        nonlocal left
        orders = rig.plugin.orders(rig.session(leg.secrets, account_id=leg.account_id))
        while left > 0:
            left -= 1
            try:
                await orders.fetch([OrderRef(external_id=leg.numbers[0])])
            except Retryable as refused:
                print(repr(refused))

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(work())


async def _tour(rig: Rig, legs: Sequence[Leg]) -> None:
    """Show everything that a program could show of each call: value, error, refusal, traceback, plan, logs, spans."""
    registry = new_registry()
    log.configure("conformance", level="debug", registry=registry)
    spans = Path(tempfile.mkdtemp()) / "spans.jsonl"
    close_spans = trace.set_up("conformance", spans)
    for leg in legs:
        await _travel(rig, leg)
    print([repr(one) for one in await breaker.list_(rig.db)])
    close_spans()
    print(spans.read_text(encoding="utf-8"), write(registry).decode())
    shutil.rmtree(spans.parent)


async def _travel(rig: Rig, leg: Leg) -> None:
    session = rig.session(leg.secrets, account_id=leg.account_id)
    print(repr(session), repr(session.secrets), str(session.secrets))
    if leg.is_careless:
        print(repr(dict(session.secrets.values)))
    access, orders = rig.plugin.access(session), rig.plugin.orders(session)
    now = rig.clock.now()
    window = Window(start=now - timedelta(hours=2), end=now + timedelta(minutes=1))
    refs = [OrderRef(external_id=number) for number in leg.numbers]

    async def pages() -> object:
        return [[page async for page in orders.pages(route.name, window)] for route in rig.plugin.routes]

    async def decide() -> object:
        decisions = await accepting(orders, leg.numbers)
        plan = rig.plugin.plan(decisions)
        print(repr(decisions), repr(plan), json.dumps(written(plan), ensure_ascii=False))
        return await orders.decide(decisions), await orders.verify(decisions)

    async def fetch() -> object:
        found = await orders.fetch(refs)
        if leg.is_careless:
            print(repr([order.raw.decode() for order in readable(found.sightings)]))
        return found, [(order, order.buyer, order.packages, order.payments) for order in readable(found.sightings)]

    def probe(grant_id: str) -> Callable[[], Awaitable[object]]:
        return lambda: access.probe(grant_id)

    probes = [probe(grant.id) for grant in rig.plugin.grants]
    for call in (*probes, access.key_expiries, pages, fetch, decide):
        await _show(call)
    if Channel.RELAY in rig.plugin.channels.values():
        print(repr(rig.plugin.mail_relay(session.secrets)))


async def _show(call: Callable[[], Awaitable[object]]) -> None:
    try:
        print(repr(await call()))
    except Exception as error:  # noqa: BLE001  whatever a method raises is what is looked at
        shown = log.describe(error)
        print(repr(error), str(error), shown, written(getattr(error, "refusal", None)), vars(error))
        traceback.print_exception(error)
        log.logger(__name__).exception("conformance.failed")


if __name__ == "__main__":
    given = json.loads(sys.stdin.buffer.read())
    asyncio.run(main(Errand(**{**given, "legs": [Leg(**leg) for leg in given["legs"]]})))
