"""Works for one shop in a process of its own: `python -m hanro.testing.conformance.caller`, what to do on its input.

Input: one JSON object (`Errand`). Output: what the work prints, and the process's logs.
"""

# ruff: noqa: T201  a command prints

import asyncio
import json
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
from hanro.marketplace import installed
from hanro.marketplace.types import MarketplaceId, OrderRef, Window
from hanro.metrics import new_registry, write
from hanro.testing.conformance.asked import accepting, readable
from hanro.testing.conformance.rig import Rig, open_rig
from hanro.testing.conformance.values import written

NOWHERE = "0-0"


@dataclass(frozen=True, kw_only=True)
class Errand:
    """Say what to do: send `count` reads as fast as the pace lets them, write orders down, or call every method."""

    work: Literal["load", "write", "tour"]
    marketplace_id: str
    base_url: str
    database_url: str
    secrets: Mapping[str, str]
    account_id: str
    factor: int
    count: int = 0
    numbers: Sequence[str] = ()
    is_alone: bool = True

    def written(self) -> bytes:
        """Give the input of the process."""
        return json.dumps(asdict(self)).encode()


async def main(errand: Errand) -> None:
    """Do the errand."""
    plugin = installed()[MarketplaceId(errand.marketplace_id)]
    async with open_rig(plugin, errand.base_url, errand.database_url, factor=errand.factor) as rig:
        match errand.work:
            case "load":
                await _load(rig, errand)
            case "write":
                await _write(rig, errand)
            case "tour":
                await _tour(rig, errand)


async def _load(rig: Rig, errand: Errand) -> None:
    """Keep the pace asked: two calls always wait for their turn. Prints how many were answered and refused."""
    left, told = errand.count, {"answered": 0, "refused": 0}

    async def work() -> None:
        nonlocal left
        session = rig.session(errand.secrets, account_id=errand.account_id, is_alone=errand.is_alone)
        orders = rig.plugin.orders(session)
        while left > 0:
            left -= 1
            try:
                await orders.fetch([OrderRef(external_id=NOWHERE)])
            except Retryable as refused:
                told["refused"] += refused.code == "throttled"
            else:
                told["answered"] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(work())
    print(json.dumps(told))


async def _write(rig: Rig, errand: Errand) -> None:
    orders = rig.plugin.orders(rig.session(errand.secrets))
    found = await orders.fetch([OrderRef(external_id=number) for number in errand.numbers])
    by_number = sorted(found.sightings, key=lambda one: str(one.external_id))
    print(json.dumps(written(by_number, leaves_out=frozenset({"seen_at"})), ensure_ascii=False))


async def _tour(rig: Rig, errand: Errand) -> None:
    """Show everything that a program could show of each call: value, error, refusal, traceback, plan, logs, spans."""
    registry = new_registry()
    log.configure("conformance", level="debug", registry=registry)
    spans = Path(tempfile.mkdtemp()) / "spans.jsonl"
    close_spans = trace.set_up("conformance", spans)
    session = rig.session(errand.secrets, account_id=errand.account_id)
    print(repr(session), repr(session.secrets), str(session.secrets))
    access, orders = rig.plugin.access(session), rig.plugin.orders(session)
    now = rig.clock.now()
    window = Window(start=now - timedelta(hours=2), end=now + timedelta(minutes=1))
    refs = [OrderRef(external_id=number) for number in errand.numbers]

    async def pages() -> object:
        return [page async for page in orders.pages(rig.plugin.routes[0].name, window)]

    async def decide() -> object:
        decisions = await accepting(orders, errand.numbers)
        plan = rig.plugin.plan(decisions)
        print(repr(plan), json.dumps(written(plan), ensure_ascii=False))
        return await orders.decide(decisions), await orders.verify(decisions)

    async def fetch() -> object:
        found = await orders.fetch(refs)
        return found, readable(found.sightings)

    async def probes() -> object:
        return [await access.probe(grant.id) for grant in rig.plugin.grants]

    for call in (probes, access.key_expiries, pages, fetch, decide):
        await _show(call)
    print(repr(rig.plugin.mail_relay(session.secrets)) if "smtp_id" in errand.secrets else "")
    print([repr(one) for one in await breaker.list_(rig.db)])
    close_spans()
    print(spans.read_text(encoding="utf-8"), write(registry).decode())
    shutil.rmtree(spans.parent)


async def _show(call: Callable[[], Awaitable[object]]) -> None:
    try:
        print(repr(await call()))
    except Exception as error:  # noqa: BLE001  whatever a method raises is what is looked at
        shown = log.describe(error)
        print(repr(error), str(error), shown, written(getattr(error, "refusal", None)), vars(error))
        traceback.print_exception(error)
        log.logger(__name__).exception("conformance.failed")


if __name__ == "__main__":
    given = Errand(**json.loads(sys.stdin.buffer.read()))
    asyncio.run(main(replace(given, numbers=tuple(given.numbers))))
