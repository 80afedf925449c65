"""Accepting by an account's policy: a new order once, a held one never, nothing while nobody said so."""

from typing import Any

import pytest
from running_stack import Doors
from sellers import Seller, open_sellers

from hanro_local.demo.api import until
from hanro_local.stack import Stack

SECONDS = 60.0
CONFIRM = "/es/2.0/order/confirmOrder"


async def sold(opened: Doors, seller: Seller, **wish: object) -> dict[str, Any]:
    """Let a buyer order, and wait until hanro has it."""
    path = f"/_sim/shops/{seller.shop['id']}/orders"
    placed = await opened.simulator.call("POST", path, {"count": 1, "is_plain": True, **wish})
    number = placed.json()["external_ids"][0]
    await until(SECONDS, lambda: seller.stored(number))
    listed = await opened.hanro.call("GET", f"/v1/orders?account_id={seller.account_id}&external_id={number}")
    order: dict[str, Any] = listed.json()["items"][0]
    return order


async def accepted(opened: Doors, order: dict[str, Any]) -> None:
    """Wait until an order is accepted."""

    async def is_so() -> bool:
        shown = (await opened.hanro.call("GET", f"/v1/orders/{order['id']}")).json()
        return bool(shown["status"] == "accepted")

    await until(SECONDS, is_so)


async def confirmations(opened: Doors, order: dict[str, Any]) -> int:
    """Count the requests that could have accepted an order."""
    page = (await opened.simulator.call("GET", f"/_sim/journal?kind=request&path={CONFIRM}&limit=10000")).json()
    return sum(order["external_id"] in str(entry) for entry in page["entries"])


@pytest.mark.row("O4", kind="walks")
@pytest.mark.row("O4", kind="refuses")
async def test_a_policy_accepts_a_new_order_once_and_a_held_one_never(shared_stack: Stack) -> None:
    async with open_sellers(shared_stack, "受諾の店") as sellers:
        seller = sellers["受諾の店"]
        opened = seller.doors
        await seller.begin()
        before = await sold(opened, seller)
        assert await confirmations(opened, before) == 0
        held = await sold(opened, seller, kind="undecided-postage")
        place = f"/v1/order/policies/{seller.account_id}"
        await opened.hanro.call("PUT", place, {"accept": "automatic"}, more={"If-Match": '"v0"'})
        after = await sold(opened, seller)
        for order in (before, after):
            await accepted(opened, order)
        assert [await confirmations(opened, order) for order in (before, after, held)] == [1, 1, 0]
