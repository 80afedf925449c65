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
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from hanro import breaker, log, trace
from hanro.errors import Retryable
from hanro.marketplace import installed, track
from hanro.marketplace.port import Orders
from hanro.marketplace.types import Channel, LinePart, MarketplaceId, OrderEffect, OrderRef, SeenOrder, Window
from hanro.metrics import new_registry, write
from hanro.testing.conformance.asked import accepting, cancellation, readable, shipment
from hanro.testing.conformance.rig import Rig, open_rig
from hanro.testing.conformance.values import written

PROCESS_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Leg:
    """Be one account's part of an errand, with orders of its shop; `is_careless` shows what must not be shown.

    `parcel` is a carrier and a number of its, `comment` what is said with a cancellation.
    """

    secrets: Mapping[str, str]
    account_id: str
    numbers: Sequence[str]
    parcel: tuple[str, str] = ("", "")
    comment: str = ""
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
    # Side by side: each shop has a pace of its own.
    async with asyncio.TaskGroup() as group:
        for leg in legs:
            group.create_task(_travel(rig, leg))
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

    def probe(grant_id: str) -> Callable[[], Awaitable[object]]:
        return lambda: access.probe(grant_id)

    probes = [probe(grant.id) for grant in rig.plugin.grants]
    for call in (*probes, access.key_expiries, *_reads(rig, leg, orders), *_writes(rig, leg, orders)):
        await _show(call)
    if Channel.RELAY in rig.plugin.channels.values():
        print(repr(rig.plugin.mail_relay(session.secrets)))


def _reads(rig: Rig, leg: Leg, orders: Orders) -> Sequence[Callable[[], Awaitable[object]]]:
    now = rig.clock.now()
    window = Window(start=now - timedelta(hours=2), end=now + timedelta(minutes=1))

    async def pages() -> object:
        return [[page async for page in orders.pages(route.name, window)] for route in rig.plugin.routes]

    async def fetch() -> object:
        found = await orders.fetch(_refs(leg))
        if leg.is_careless:
            print(repr([order.raw.decode() for order in readable(found.sightings)]))
        return found, [(order, order.buyer, order.packages, order.payments) for order in readable(found.sightings)]

    return pages, fetch


def _writes(rig: Rig, leg: Leg, orders: Orders) -> Sequence[Callable[[], Awaitable[object]]]:
    def plan(asked: Sequence[OrderEffect]) -> None:
        made = rig.plugin.plan(asked)
        print(repr(asked), repr(made), json.dumps(written(made), ensure_ascii=False))

    async def decide() -> object:
        decisions = await accepting(orders, leg.numbers)
        plan(decisions)
        return await orders.decide(decisions), await orders.verify(decisions)

    async def ship() -> object:
        told = track(rig.plugin.carriers, *leg.parcel, None)
        parcels = [
            replace(shipment(lines=_parts(order)), id=f"op_{order.external_id}", order=_ref(order), tracking=told)
            for order in readable((await orders.fetch(_refs(leg))).sightings)
        ]
        plan(parcels)
        return await orders.ship(parcels), await orders.verify(parcels)

    async def cancel() -> object:
        *_, order = readable((await orders.fetch(_refs(leg))).sightings)
        asked = [replace(cancellation(), order=_ref(order), lines=_parts(order), comment=leg.comment)]
        plan(asked)
        return await orders.cancel(asked), await orders.verify(asked)

    return decide, ship, cancel


def _refs(leg: Leg) -> list[OrderRef]:
    return [OrderRef(external_id=number) for number in leg.numbers]


def _ref(order: SeenOrder) -> OrderRef:
    return OrderRef(external_id=order.external_id)


def _parts(order: SeenOrder) -> tuple[LinePart, ...]:
    return tuple(LinePart(line_id=line.external_id, quantity=line.quantity) for line in order.lines)


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
