"""Keeps linked shops ready: linking waits for the marketplace's pace, so that some are linked side by side."""

import asyncio
from dataclasses import replace

import httpx
from fault_shop import Entry, Shop, apis, open_shop
from fault_stack import FaultStack

from hanro_local.demo.api import Api

AT_A_TIME = 5
QUICK: Entry = {"requests_per_second": 20.0, "burst": 20}


class Shops:
    """Be the shops of one stack that no test has had; nobody asks for their orders meanwhile."""

    def __init__(self, stack: FaultStack) -> None:
        self._stack = stack
        self._ready: list[Shop] = []
        self.is_paced = True
        """Whether the marketplace limits the next shops that are taken as it does everybody."""

    async def take(self, client: httpx.AsyncClient) -> Shop:
        """Give a shop to one test, which speaks through `client`; its orders are asked for from now on."""
        if not self._ready:
            self._ready += await asyncio.gather(*(open_shop(self._stack, client) for _ in range(AT_A_TIME)))
            # A shop that this test has already goes on.
            await self._stack.rest_accounts(*(shop.account_id for shop in self._ready))
        taken = self._ready.pop()
        simulator, hanro = apis(self._stack, client)
        limit = await _usual(simulator) if self.is_paced else QUICK
        await simulator.call("PUT", "/_sim/limits", {**limit, "shop": taken.number})
        await self._stack.wake_account(taken.account_id)
        return replace(taken, simulator=simulator, hanro=hanro)


async def _usual(simulator: Api) -> Entry:
    limits = (await simulator.call("GET", "/_sim/limits")).json()["limits"]
    return next(
        {name: limit[name] for name in QUICK} for limit in limits if limit["shop"] is None and limit["group"] is None
    )
