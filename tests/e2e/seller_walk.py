"""Keeps what a new seller on his walk has got so far."""

from dataclasses import dataclass, field
from typing import Any

from row_shops import Row
from running_stack import Doors
from sellers import Seller

from hanro_local.demo.api import until
from hanro_local.stack import Stack

SECONDS = 60.0


@dataclass
class Walk:
    """Be what the seller has got so far."""

    opened: Doors
    running: Stack
    shop: dict[str, Any] = field(default_factory=dict)
    account_id: str = ""
    preflight_id: str = ""
    bought: dict[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> Row:
        """Give the seller as those of the row tests have theirs."""
        return Row(self.running, self.seller)

    async def buy(self, **wish: object) -> list[str]:
        """Let buyers order, and give the numbers once hanro lists them."""
        answer = await self.row.simulator("POST", "/orders", {"is_plain": True} | wish)
        numbers: list[str] = answer["external_ids"]

        async def are_listed() -> bool:
            return all([await self.seller.stored(number) for number in numbers])

        await until(SECONDS, are_listed)
        return numbers

    async def order(self, number: str) -> dict[str, Any]:
        """Look at an order that hanro lists."""
        path = f"/v1/orders?account_id={self.account_id}&external_id={number}"
        found: dict[str, Any] = (await self.opened.hanro.call("GET", path)).json()["items"][0]
        return found

    async def mails(self, number: str) -> list[str]:
        """Give the mails about an order that went through the relay, oldest first."""
        page = (await self.opened.simulator.call("GET", "/_sim/mails?limit=10000")).json()
        return [str(mail) for mail in page["mails"] if number in str(mail)]

    @property
    def seller(self) -> Seller:
        """Give the seller with his shop and account."""
        return Seller(self.opened, self.shop, self.account_id)

    async def account(self) -> dict[str, Any]:
        """Look at the account."""
        return await self.seller.account()

    async def rows(self) -> dict[str, dict[str, Any]]:
        """Look at the rows of the preflight that was asked for last."""
        return {row["grant_id"]: row for row in (await self.preflight())["rows"]}

    async def preflight(self) -> dict[str, Any]:
        """Look at the preflight that was asked for last; another one may follow it by itself."""
        path = f"/v1/accounts/{self.account_id}/preflights/{self.preflight_id}"
        found: dict[str, Any] = (await self.opened.hanro.call("GET", path)).json()
        return found

    async def groups(self) -> list[dict[str, Any]]:
        """Look at that preflight by what its rows are needed for."""
        found: list[dict[str, Any]] = (await self.preflight())["groups"]
        return found
