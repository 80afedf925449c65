"""Plays sellers whose keys end and change while buyers order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fault_forms import form
from fault_shop import Shop, once
from fault_stack import FaultStack

from hanro_local.demo.api import Refused

PER_SECOND = 20
POLL_SECONDS = 1.0
# The marketplace allows a call a second: a poll of a new order is two of them, and a sweep's stand between.
CALL_SECONDS = 1.0
SETTLES = 6.0
SEARCH = "/es/2.0/order/searchOrder"


async def account(shop: Shop) -> dict[str, Any]:
    shown: dict[str, Any] = (await shop.hanro.call("GET", f"/v1/accounts/{shop.account_id}")).json()
    return shown


async def until(shop: Shop, *, seconds: float = 60.0, **wanted: object) -> dict[str, Any]:
    """Wait until the account shows what is wanted: its `state`, `reason` code or credential `version`."""
    found: dict[str, Any] = {}

    async def look_once() -> None:
        shown = await account(shop)
        reason = shown["reason"]["code"] if shown["reason"] else None
        found.update(shown)
        now = {"state": shown["state"], "reason": reason, "version": shown["credentials"]["version"]}
        if any(now[name] != value for name, value in wanted.items()):
            raise Refused(f"{now} in place of {wanted}")

    await once(look_once, seconds)
    return found


async def issue(shop: Shop, **how: object) -> dict[str, Any]:
    answer = await shop.simulator.call("POST", f"/_sim/shops/{shop.number}/keys/issue", how)
    issued: dict[str, Any] = answer.json()
    return issued


async def enter(shop: Shop, issued: dict[str, Any]) -> None:
    values = {
        "service_secret": issued["service_secret"],
        "license_key": issued["license_key"],
        "smtp_id": issued["smtp_username"],
        "smtp_password": issued["smtp_password"],
        "sender_address": issued["sender_address"],
    }
    await shop.hanro.call("PUT", f"/v1/accounts/{shop.account_id}/credentials", {"values": values})


@contextlib.asynccontextmanager
async def load(shop: Shop) -> AsyncIterator[list[str]]:
    """Let buyers order 20 times a second while the block lasts."""
    numbers: list[str] = []

    async def buy() -> None:
        while True:
            began = asyncio.get_running_loop().time()
            numbers.extend(await shop.place(PER_SECOND))
            await asyncio.sleep(max(0.0, 1.0 - (asyncio.get_running_loop().time() - began)))

    buying = asyncio.create_task(buy())
    try:
        yield numbers
    finally:
        buying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await buying


@contextlib.asynccontextmanager
async def quick_probes(stack: FaultStack, shop: Shop) -> AsyncIterator[None]:
    """Let account-svc probe a call a second in the short form, where its share is one in fifty seconds.

    The marketplace allows as much more while the block lasts: order-svc's pace is as it is.
    """
    if form(short=False, whole=True):
        yield
        return
    await shop.simulator.call("PUT", "/_sim/limits", {"requests_per_second": 2.0, "burst": 5})
    try:
        with stack.switches.broken("share"):
            yield
    finally:
        await shop.simulator.call("PUT", "/_sim/limits", {"requests_per_second": 1.0, "burst": 5})
