"""Plays sellers whose keys end and change while buyers order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fault_checks import differences, look, quiet
from fault_forms import form
from fault_shop import SECONDS, Shop, once
from fault_stack import LEASE_SECONDS, FaultStack

from hanro_local.demo.api import Refused

# What was ordered is read at the pace of a call a second: the short form must not wait for much.
PER_SECOND = form(short=5, whole=20)
POLL_SECONDS = 1.0
# The marketplace allows a call a second: a poll of a new order is two of them, and a sweep's stand between.
CALL_SECONDS = 1.0
SETTLES = 1800.0
# So often account-svc tries a key that settles while nothing works.
LOOK_SECONDS = 20.0
# So late at most a probe that is under way learns that it is to end.
REPORT_SECONDS = 5.0
ORDERS_PER_CALL = 100
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
    """Let buyers order so many times a second while the block lasts; gives the numbers of what they ordered."""
    numbers: list[str] = []
    stop = asyncio.Event()

    async def buy() -> None:
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            until = loop.time() + 1.0
            numbers.extend(await shop.place(PER_SECOND))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await stop.wait()

    buying = asyncio.create_task(buy())
    try:
        yield numbers
    finally:
        # Not cancelled: of an order whose answer nobody awaits the number would be unknown.
        stop.set()
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


async def lost_and_twice(stack: FaultStack, shop: Shop, numbers: list[str]) -> tuple[int, int]:
    """Count which orders are not stored, and how many are stored beyond their first time."""
    stored = [order["external_id"] for order in (await look(stack, shop)).orders]
    return len(set(numbers) - set(stored)), len(stored) - len(set(stored))


async def await_heard(stack: FaultStack, shop: Shop) -> None:
    """Wait until order-svc has heard what account-svc said last of the account."""
    told = "select 1 from account.accounts join orders.accounts heard using (id, version) where id = $1"
    async with stack.database() as connection, asyncio.timeout(SECONDS):
        while await connection.fetchval(told, shop.account_id) is None:
            await asyncio.sleep(0.02)


async def await_taken(stack: FaultStack, shop: Shop, version: int) -> None:
    """Wait until orders are asked for with nothing older than a version of the credentials.

    What began with older ones ends with them, a page after the other, for as long as its lease lasts.
    """
    async with stack.database() as connection, asyncio.timeout(LEASE_SECONDS + SECONDS):
        known = "select credential_version from orders.accounts where id = $1"
        while await connection.fetchval(known, shop.account_id) < version:
            await asyncio.sleep(0.2)
        begun = await connection.fetch(
            "select fence from orders.due where account_id = $1 and lease_until is not null", shop.account_id
        )
        fences = [row["fence"] for row in begun]
        while await connection.fetchval("select count(*) from orders.due where fence = any($1::bigint[])", fences):
            await asyncio.sleep(0.2)


def reading_seconds(count: int) -> float:
    """Say how long it takes at most until so many orders, of a few minutes, are all stored.

    Each reading of a route shows all of them again, two routes share the pace, and the reading that shows the last ones
    may have to wait for one that has just begun.
    """
    return SECONDS + 2 * 2 * count / ORDERS_PER_CALL * CALL_SECONDS


async def differences_after_load(stack: FaultStack, shop: Shop, count: int) -> dict[str, list[str]]:
    """Wait until so many orders took effect and check as `differences` does.

    Mails leave one after the other, far slower than orders come: what is planned by then is suppressed.
    """
    left = await quiet(stack, shop, reading_seconds(count), is_mail_awaited=False)
    await shop.hanro.call("PATCH", f"/v1/accounts/{shop.account_id}/switches", {"messages": False})
    return {"I11": [left]} if left else await differences(stack, shop)
