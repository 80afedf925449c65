"""What a marketplace does that fails, one shop for each fault side by side: nothing is lost, and nobody else waits."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from running_stack import Doors
from sellers import Seller, open_sellers

from hanro_local.demo.api import until
from hanro_local.stack import Stack

GROUP = "order"
# Failures in a row open a breaker, with waits between them that grow; silence costs a whole deadline, which is 20 s.
SHOWN_SECONDS = 75.0
STORED_SECONDS = 60.0
# A shop beside is read each second. Behind a silent one it would wait for 20 s.
BESIDE_SECONDS = 12.0
# For so long at least a breaker must still be open to be looked at: a shop that is read each second has three calls.
LOOKED_AT = timedelta(seconds=3)
OPEN = 'hanro_breakers_open{{api_group="{group}",reason="{code}"}} '


@dataclass(frozen=True)
class Case:
    """Be a fault: its dial, the code it is taken for, how it shows: a breaker opens or counts, or the pace narrows."""

    name: str
    dial: dict[str, Any]
    code: str
    shows: "Callable[[Doors, str, str], Awaitable[bool]]"


async def is_open(opened: Doors, account_id: str, code: str) -> bool:
    """See the account's breaker open in the API, and counted in the metrics."""
    found = [(one["api_group"], one["reason"]) for one in await breakers(opened, account_id) if one["open_until"]]
    return found == [(GROUP, code)] and await open_count(opened, code) > 0


async def is_counted(opened: Doors, account_id: str, code: str) -> bool:
    """See failures counted for the account in the API."""
    return [(one["api_group"], one["reason"]) for one in await breakers(opened, account_id)] == [(GROUP, code)]


async def is_narrowed(opened: Doors, account_id: str, code: str) -> bool:
    """See the account's pace narrowed in the API; its breaker has nothing to do with that."""
    del code
    found = (await opened.hanro.call("GET", f"/v1/order/quota?account_id={account_id}")).json()["items"]
    return [(one["api_group"], one["is_narrowed"]) for one in found] == [(GROUP, True)]


CASES = (
    Case("503", {"kind": "status", "status": 503}, "unavailable", is_open),
    Case("a cut body", {"kind": "cut-body"}, "unavailable", is_open),
    Case("HTML with 200", {"kind": "html"}, "unavailable", is_open),
    Case("a wrong charset", {"kind": "wrong-charset"}, "unreadable", is_open),
    Case("30 s of silence", {"kind": "silence", "seconds": 30}, "unavailable", is_counted),
    Case("429", {"kind": "throttle", "seconds": 2}, "throttled", is_narrowed),
)


async def breakers(opened: Doors, account_id: str) -> list[dict[str, Any]]:
    """Look at what order-svc holds back for an account."""
    found = await opened.hanro.call("GET", f"/v1/order/breakers?account_id={account_id}")
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def open_count(opened: Doors, code: str) -> int:
    """Count order-svc's breakers of the group that are open for a reason, as its metrics say."""
    line = OPEN.format(group=GROUP, code=code)
    told = (await opened.internal["order-svc"].call("GET", "/metrics")).text.splitlines()
    return sum(int(float(one.removeprefix(line))) for one in told if one.startswith(line))


async def calls_while_open(opened: Doors, account_id: str, dial_id: int) -> int:
    """Count the calls that reach a shop from now until just before its breaker lets the next one pass."""
    until_when = datetime.min.replace(tzinfo=UTC)

    async def is_long_enough() -> bool:
        nonlocal until_when
        found = [one["open_until"] for one in await breakers(opened, account_id) if one["open_until"]]
        until_when = max([until_when, *map(datetime.fromisoformat, found)])
        return until_when - datetime.now(UTC) > LOOKED_AT

    await until(SHOWN_SECONDS, is_long_enough)
    before = await hits(opened, dial_id)
    await until(SHOWN_SECONDS, lambda: until_when - datetime.now(UTC) < LOOKED_AT / 6)
    return await hits(opened, dial_id) - before


async def hits(opened: Doors, dial_id: int) -> int:
    """Count the requests that a dial has spoilt."""
    dials = (await opened.simulator.call("GET", "/_sim/faults")).json()["faults"]
    return next(int(one["hits"]) for one in dials if one["id"] == dial_id)


async def suffer(case: Case, seller: Seller) -> list[str]:
    """Let an order come in while the fault lasts, until the fault shows, and see it stored then; give what is wrong."""
    opened, account_id = seller.doors, seller.account_id
    dial = {**case.dial, "match": {"path": "/es/2.0/order/", "shop": seller.shop["id"]}}
    dial_id = (await opened.simulator.call("POST", "/_sim/faults", dial)).json()["id"]
    number = await seller.sell()
    faults = []
    try:
        await until(SHOWN_SECONDS, lambda: case.shows(opened, account_id, case.code))
    except TimeoutError:
        faults.append(f"does not show: {await breakers(opened, account_id)}")
    if case.shows is is_open and (calls := await calls_while_open(opened, account_id, dial_id)) > 1:
        faults.append(f"{calls} calls while its breaker was open")
    if await seller.stored(number):
        faults.append("it spoilt nothing")
    account = await seller.account()
    if not account["is_working"]:
        faults.append(f"the account is {account['state']}")
    await opened.simulator.call("DELETE", f"/_sim/faults/{dial_id}")

    async def is_well() -> bool:
        return await seller.stored(number) and not await breakers(opened, account_id)

    try:
        await until(STORED_SECONDS, is_well)
    except TimeoutError:
        faults.append(f"stored: {await seller.stored(number)}, breakers: {await breakers(opened, account_id)}")
    return [f"{case.name}: {fault}" for fault in faults]


@contextlib.asynccontextmanager
async def selling(seller: Seller) -> AsyncIterator[list[float]]:
    """Let a shop sell one order after the other while the block lasts; gives the seconds until each is stored."""
    seconds: list[float] = []

    async def sell() -> None:
        number, began = await seller.sell(), time.monotonic()
        await until(STORED_SECONDS, lambda: seller.stored(number))
        seconds.append(time.monotonic() - began)

    async def keep_selling() -> None:
        while True:
            await sell()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(keep_selling())
        yield seconds
        task.cancel()


async def test_each_fault_backs_off_its_shop_alone_and_loses_no_order(shared_stack: Stack) -> None:
    async with open_sellers(shared_stack, "beside", *(case.name for case in CASES)) as sellers:
        await asyncio.gather(*(seller.begin() for seller in sellers.values()))
        async with selling(sellers["beside"]) as seconds:
            found = await asyncio.gather(*(suffer(case, sellers[case.name]) for case in CASES))
    faults = [fault for faults in found for fault in faults]
    if not seconds or max(seconds) > BESIDE_SECONDS:
        faults.append(f"beside: {[round(one, 1) for one in seconds]} s until an order was stored")
    assert not faults, "\n".join(faults)
