"""Keeps linked shops ready: linking waits for the marketplace's pace, so that some are linked side by side."""

import asyncio
from dataclasses import replace

import httpx
from fault_shop import Shop, apis, open_shop
from fault_stack import FaultStack

AT_A_TIME = 10


class Shops:
    """Be the shops of one stack that no test has had; nobody asks for their orders meanwhile."""

    def __init__(self, stack: FaultStack) -> None:
        self._stack = stack
        self._ready: list[Shop] = []

    async def take(self, client: httpx.AsyncClient) -> Shop:
        """Give a shop to one test, which speaks through `client`; its orders are asked for from now on."""
        if not self._ready:
            self._ready += await asyncio.gather(*(open_shop(self._stack, client) for _ in range(AT_A_TIME)))
            await self._stack.rest_accounts()
        taken = self._ready.pop()
        await self._stack.wake_account(taken.account_id)
        simulator, hanro = apis(self._stack, client)
        return replace(taken, simulator=simulator, hanro=hanro)
