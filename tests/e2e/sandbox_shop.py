"""Links a shop of the sandbox once a run: what the other marketplaces declare absent is walked there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from running_stack import Doors, doors

from hanro_local.demo.api import Api, Refused, until
from hanro_local.demo.shop import WORKING, wait_for_state
from hanro_local.stack import Stack

SECONDS = 60.0
SKU = "SANDBOX-TEA"
OFFER = {"listing": "tea-1", "variant": "small"}
ON_HAND = 7


@dataclass(frozen=True)
class SandboxShop:
    """Be a shop of the sandbox, linked, with goods of which stock is counted; values alone."""

    running: Stack
    shop: Mapping[str, Any]
    account_id: str

    def at(self, opened: Doors) -> "Played":
        """Open the doors to it."""
        return Played(self, opened)


@dataclass(frozen=True)
class Played:
    """Be that shop with open doors: what buyers do there, and what hanro shows and does of it."""

    linked: SandboxShop
    opened: Doors

    @property
    def hanro(self) -> Api:
        """Give hanro's door."""
        return self.opened.hanro

    @property
    def sandbox(self) -> Api:
        """Give the simulator's door."""
        return Api(self.hanro.client, self.linked.running.sandbox)

    async def there(self, method: str, suffix: str, body: object = None) -> Any:
        """Use a control of the shop."""
        return (await self.sandbox.call(method, f"/_sim/shops/{self.linked.shop['id']}{suffix}", body)).json()

    async def buy(self, *lines: Mapping[str, object], **wish: object) -> str:
        """Let a buyer order; gives the number. A line is of the mapped goods unless it says otherwise."""
        said = [{**OFFER, "quantity": 2, "unit_price": 540, **line} for line in lines or ({},)]
        made = await self.there("POST", "/orders", {"lines": said, **wish})
        return str(made["external_ids"][0])

    async def order(self, number: str, **wanted: object) -> dict[str, Any]:
        """Wait until hanro shows an order with these members, and give it."""
        found: dict[str, Any] = {}
        listed = f"/v1/orders?account_id={self.linked.account_id}&external_id={number}"

        async def is_there() -> bool:
            for one in (await self.hanro.call("GET", listed)).json()["items"]:
                found.update((await self.hanro.call("GET", f"/v1/orders/{one['id']}")).json())
            return bool(found) and all(found[name] == value for name, value in wanted.items())

        try:
            await until(SECONDS, is_there)
        except TimeoutError:
            seen = {name: found.get(name) for name in (*wanted, "lines", "claims")} if found else "no such order"
            raise AssertionError(f"after {SECONDS:.0f} s: {number}: {seen}") from None
        return found

    async def over(self, path: str, body: object = None) -> dict[str, Any]:
        """Ask for something that is done at the marketplace, and give its operation once it is over."""
        asked = await self.hanro.call("POST", path, body, expected=(202,))
        operation: dict[str, Any] = {}

        async def is_over() -> bool:
            operation.update((await self.hanro.call("GET", asked.headers["location"])).json())
            return operation["status"] in {"applied", "rejected"}

        await until(SECONDS, is_over)
        return operation

    async def refused(self, path: str, body: object = None, *, status: int = 409) -> dict[str, Any]:
        """Ask for something that is refused, and give the problem."""
        problem: dict[str, Any] = (await self.hanro.call("POST", path, body, expected=(status,))).json()
        return problem

    async def writes(self, number: str) -> list[str]:
        """Give the paths of the requests with an effect that the marketplace saw of an order, oldest first."""
        page = (await self.sandbox.call("GET", "/_sim/journal?kind=request&limit=10000")).json()
        return [one["path"] for one in page["entries"] if one["has_effect"] and number in str(one)]

    async def facts(self, order_id: str) -> list[dict[str, Any]]:
        """Give the facts of an order as REST has them, oldest first."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = (await self.hanro.call("GET", f"/v1/order/events?after={after}&limit=200")).json()
            if not page["items"]:
                return found
            found += [one for one in page["items"] if one["subject"] == order_id]
            after = page["next"]

    async def stock(self) -> dict[str, Any]:
        """Show the stock of the goods."""
        return dict((await self.hanro.call("GET", f"/v1/stock/{SKU}")).json())

    async def adopt(self, listing: str, sku: str) -> None:
        """Map an offer to a SKU as soon as catalog-svc has heard of the account."""
        mapping = {
            "account_id": self.linked.account_id,
            "items": [{"keys": {**OFFER, "listing": listing}, "sku": sku}],
        }

        async def is_done() -> bool:
            try:
                answer = await self.hanro.call("POST", "/v1/listings:adopt", mapping, expected=(207,))
            except Refused:
                return False
            return all(item["status"] in {200, 201} for item in answer.json()["items"])

        await until(SECONDS, is_done)


@pytest.fixture(scope="session")
def sandbox(shared_stack: Stack) -> SandboxShop:
    """Link the shop and map its goods."""

    async def act() -> SandboxShop:
        async with doors(shared_stack) as opened:
            return await _link(shared_stack, opened)

    return asyncio.run(act())


async def _link(running: Stack, opened: Doors) -> SandboxShop:
    hanro = opened.hanro
    there = Api(hanro.client, running.sandbox)
    shop = (await there.call("POST", "/_sim/shops", {}, expected=(201,))).json()
    internal = (await hanro.call("POST", "/v1/shops", {"display_name": "試験店"})).json()
    wish = {"marketplace_id": "sandbox", "display_name": "サンドボックス", "shop_ids": [internal["id"]]}
    account_id = str((await hanro.call("POST", "/v1/accounts", wish)).json()["id"])
    values = {"shop_id": shop["id"], "api_key": shop["api_key"]}
    await hanro.call("PUT", f"/v1/accounts/{account_id}/credentials", {"values": values})
    await wait_for_state(hanro, account_id, WORKING)
    variants = [{"sku": SKU, "title": "見本煎茶"}]
    goods = {"items": [{"code": SKU, "title": "見本煎茶", "variants": variants}]}
    await hanro.call("POST", "/v1/products:bulk", goods, expected=(207,))
    counts = {"items": [{"sku": SKU, "on_hand": ON_HAND, "if_version": 0}]}
    await hanro.call("POST", "/v1/stock:bulk", counts, expected=(207,))
    linked = SandboxShop(running, shop, account_id)
    await linked.at(opened).adopt(OFFER["listing"], SKU)
    return linked
