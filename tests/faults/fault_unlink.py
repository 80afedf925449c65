"""Unlinks a shop while its buyers order and its mails leave, links it again, and tells what the marketplace saw."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fault_keys import account, enter
from fault_shop import Shop, bind, once
from fault_stack import FaultStack

from hanro_local.demo.api import Refused
from hanro_local.demo.shop import WORKING

# A process that died keeps its leases for three times the longest call of any marketplace.
SECONDS = 240.0
CALM_SECONDS = 3.0
PROCESSING_SECONDS = 120.0
ERASED = ("account.credentials", "account.spare_credentials", "catalog.listings", "notifier.bindings", "orders.cursors")


@dataclass(frozen=True)
class Market:
    """Be what the marketplace shows of a shop: its set-up, and its orders by number."""

    shop: dict[str, Any]
    orders: dict[str, dict[str, Any]]


async def look_there(shop: Shop) -> Market:
    """Look at a shop at the marketplace."""
    path = f"/_sim/shops/{shop.number}"
    orders = (await shop.simulator.call("GET", f"{path}/orders")).json()["orders"]
    shown = (await shop.simulator.call("GET", path)).json()
    return Market(shown, {order["external_id"]: order for order in orders})


async def digest(shop: Shop) -> str:
    """Give the digest of all that the marketplace holds, of every shop."""
    return str((await shop.simulator.call("GET", "/_sim/digest")).json()["digest"])


@contextlib.asynccontextmanager
async def buyers(shop: Shop) -> AsyncIterator[None]:
    """Let buyers order, some each second, while the block lasts."""

    async def buy() -> None:
        while True:
            await shop.place(3, is_plain=True)
            await asyncio.sleep(0.5)

    buying = asyncio.create_task(buy())
    try:
        yield
    finally:
        buying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await buying


async def ids_of(shop: Shop) -> dict[str, str]:
    """Give the ids of all orders that hanro lists, by number."""
    path = f"/v1/orders?account_id={shop.account_id}&limit=200"
    found = [(str(one["external_id"]), str(one["id"])) async for one in shop.hanro.pages(path)]
    assert len(found) == len(dict(found)), "an order is listed twice"
    return dict(found)


async def await_listed(shop: Shop, numbers: set[str]) -> dict[str, str]:
    """Wait until hanro lists all of these, and give the ids of all that it lists.

    Raises:
        Late: it does not.
    """
    found: dict[str, str] = {}

    async def are_listed() -> None:
        found.update(await ids_of(shop))
        if missing := numbers - set(found):
            raise Refused(f"{len(missing)} orders are not listed")

    await once(are_listed, SECONDS)
    return found


async def accept(shop: Shop, order_id: str) -> None:
    """Wish to accept an order."""
    await shop.hanro.call("POST", f"/v1/orders/{order_id}:accept")


async def unlink(shop: Shop) -> str:
    """Unlink by a plan; gives where the operation can be looked at."""
    path = f"/v1/accounts/{shop.account_id}"
    token = (await shop.hanro.call("POST", f"{path}:plan-unlink")).json()["token"]
    accepted = await shop.hanro.call("POST", f"{path}:unlink", {"token": token}, expected=(202,))
    return accepted.headers["location"]


async def await_applied(shop: Shop, location: str) -> datetime:
    """Wait until an unlink is applied; gives when that was.

    Raises:
        Late: it is not; the text tells who is waited for.
    """
    found: dict[str, Any] = {}

    async def is_applied() -> None:
        found.update((await shop.hanro.call("GET", location)).json())
        if found["status"] != "applied":
            raise Refused(f"{found['status']}: {found['answer']}")

    await once(is_applied, SECONDS)
    assert found["answer"]["waiting_for"] == []
    return datetime.fromisoformat(found["changed_at"])


async def left_over(stack: FaultStack, shop: Shop) -> Counter[str]:
    """Count by table what is held of an account and has to go with an unlink."""
    async with stack.database() as connection:
        counts = {
            table: await connection.fetchval(
                f"select count(*) from {table} where account_id = $1",  # noqa: S608  ours
                shop.account_id,
            )
            for table in ERASED
        }
    return +Counter(counts)


async def link_again(shop: Shop) -> dict[str, Any]:
    """Link an unlinked shop again and have its orders mailed; gives the account once it works.

    Raises:
        Late: it does not.
    """
    await shop.hanro.call("POST", f"/v1/accounts/{shop.account_id}:link-again")
    await enter(shop, (await look_there(shop)).shop)

    async def is_working() -> None:
        state = (await account(shop))["state"]
        if state not in WORKING:
            raise Refused(f"the account is {state}")

    await once(is_working)
    await once(lambda: bind(shop))
    return await account(shop)
