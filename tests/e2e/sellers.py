"""Plays sellers of a test's own on the run's stack: a shop at the marketplace, an account of it in hanro."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from running_stack import Doors, doors

from hanro_local.demo.api import Api
from hanro_local.demo.marketplace import FORM
from hanro_local.demo.shop import WORKING, wait_for_state
from hanro_local.stack import Stack

OWN_NUMBERS = 999101


@dataclass
class Seller:
    """Be a seller: `shop` is what the marketplace shows its owner; the account has no key until one is entered.

    `begun` is how far the marketplace's journal had come when the shop was opened: all of the run stands in it.
    """

    doors: Doors
    shop: dict[str, Any]
    account_id: str
    begun: int = 0

    async def enter(self, **changed: str) -> None:
        """Enter the key that the marketplace shows, or another."""
        await self.doors.hanro.call("PUT", f"/v1/accounts/{self.account_id}/credentials", self.form(**changed))

    def form(self, **changed: str) -> dict[str, Any]:
        """Fill in hanro's form with what the marketplace shows, or with something else."""
        return {"values": {field: self.shop[name] for field, name in FORM.items()} | changed}

    async def begin(self) -> None:
        """Enter the right key and wait until hanro works for the account."""
        await self.enter()
        await wait_for_state(self.doors.hanro, self.account_id, WORKING)

    async def issue_key(self) -> None:
        """Have the marketplace issue a new key; the one before dies."""
        path = f"/_sim/shops/{self.shop['id']}/keys/issue"
        self.shop |= (await self.doors.simulator.call("POST", path, {"active_after_seconds": 0})).json()

    async def calls(self) -> int:
        """Count how often the marketplace was asked for this shop's orders."""
        entries: list[dict[str, Any]] = []
        after = self.begun
        while True:
            path = f"/_sim/journal?kind=request&path=/es/2.0/order/&limit=10000&after={after}"
            page = (await self.doors.simulator.call("GET", path)).json()
            if not page["entries"]:
                return sum(entry.get("shop") == self.shop["id"] for entry in entries)
            entries += page["entries"]
            after = page["next"]

    async def requests(self, after: int = 0) -> list[dict[str, Any]]:
        """Give every request that the marketplace saw of this shop behind a place in its journal, in their order."""
        found: list[dict[str, Any]] = []
        after = max(after, self.begun)
        while True:
            path = f"/_sim/journal?kind=request&limit=10000&after={after}"
            page = (await self.doors.simulator.call("GET", path)).json()
            if not page["entries"]:
                return [entry for entry in found if entry.get("shop") == self.shop["id"]]
            found += page["entries"]
            after = page["next"]

    async def place_in_journal(self) -> int:
        """Give how far the marketplace's journal has come."""
        return await place_in_journal(self.doors)

    async def account(self) -> dict[str, Any]:
        """Look at the account."""
        shown: dict[str, Any] = (await self.doors.hanro.call("GET", f"/v1/accounts/{self.account_id}")).json()
        return shown

    async def preflights(self) -> list[dict[str, Any]]:
        """Look at what the account's preflights found, the newest first."""
        path = f"/v1/accounts/{self.account_id}/preflights"
        found: list[dict[str, Any]] = (await self.doors.hanro.call("GET", path)).json()["items"]
        return found

    async def sell(self) -> str:
        """Let a buyer order; gives the number."""
        path = f"/_sim/shops/{self.shop['id']}/orders"
        answer = await self.doors.simulator.call("POST", path, {"count": 1, "is_plain": True})
        return str(answer.json()["external_ids"][0])

    async def stored(self, number: str) -> bool:
        """Tell whether hanro lists the order."""
        return await is_stored(self.doors, self.account_id, number)


async def place_in_journal(opened: Doors) -> int:
    """Give how far the marketplace's journal has come."""
    return int((await opened.simulator.call("GET", "/_sim/health")).json()["sequence"])


async def is_stored(opened: Doors, account_id: str, number: str) -> bool:
    """Tell whether hanro lists an order of an account."""
    listed = await opened.hanro.call("GET", f"/v1/orders?account_id={account_id}&external_id={number}")
    return [one["external_id"] for one in listed.json()["items"]] == [number]


@contextlib.asynccontextmanager
async def open_sellers(running: Stack, *names: str) -> AsyncIterator[dict[str, Seller]]:
    """Open a shop and link an account for each name while the block lasts; their accounts are switched off behind."""
    async with doors(running) as opened:
        sellers = {name: await _open(opened, name) for name in names}
        yield sellers
        for seller in sellers.values():
            await opened.hanro.call("POST", f"/v1/accounts/{seller.account_id}:disable")


async def open_shop(simulator: Api) -> dict[str, Any]:
    """Open a shop at the marketplace; the lowest number is the demo shop's, whoever comes first."""
    for number in range(OWN_NUMBERS, OWN_NUMBERS + 500):
        opened = await simulator.call("POST", "/_sim/shops", {"number": str(number)}, expected=(201, 409))
        if opened.status_code == 201:
            shop: dict[str, Any] = opened.json()
            return shop
    raise AssertionError("all numbers for shops of tests are taken")


async def _open(opened: Doors, name: str) -> Seller:
    begun = await place_in_journal(opened)
    shop = await open_shop(opened.simulator)
    internal = (await opened.hanro.call("POST", "/v1/shops", {"display_name": name})).json()
    wish = {"marketplace_id": "rakuten_ichiba", "display_name": name, "shop_ids": [internal["id"]]}
    account = (await opened.hanro.call("POST", "/v1/accounts", wish)).json()
    return Seller(opened, shop, account["id"], begun)
