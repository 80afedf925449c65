"""Opens a shop for one test and links it over REST, as a seller would; SKUs and account are its own."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from fault_stack import FaultStack
from fault_switches import Late

from hanro_local.demo import tokens
from hanro_local.demo.api import Api, Refused
from hanro_local.demo.goods import OFFERS
from hanro_local.issuer_state import PUBLIC_SCOPES

ON_HAND = 100_000
SECONDS = 60.0
# Shops are linked several at a time, nearly a hundred probes each: a machine at half its speed took over a minute.
LINKED_SECONDS = 180.0
TEMPLATE = "fault-mail"
TRIGGER = "new_order"
# While it is linked: drafts are probed quickly here.
LINKING = {"requests_per_second": 100.0, "burst": 100}

Entry = dict[str, Any]
_NUMBERS = itertools.count(1)


@dataclass
class Mailbox:
    """Be what was read of a shop's mails so far: their subjects, and the place in the relay's list behind them."""

    subjects: list[str] = field(default_factory=list)
    place: int = 0


@dataclass(frozen=True)
class Shop:
    """Be a linked shop: its number at the marketplace, its account, the beginning of its SKUs."""

    number: str
    account_id: str
    prefix: str
    simulator: Api
    hanro: Api
    mailbox: Mailbox = field(default_factory=Mailbox, repr=False)

    async def place(self, count: int = 1, **wish: Any) -> list[str]:
        """Let buyers order; gives the order numbers."""
        answer = await self.simulator.call("POST", f"/_sim/shops/{self.number}/orders", {"count": count, **wish})
        numbers: list[str] = answer.json()["external_ids"]
        return numbers

    async def cancel(self, number: str) -> None:
        """Let the buyer cancel an order."""
        await self.simulator.call("POST", f"/_sim/shops/{self.number}/orders/{number}/cancel")


def apis(stack: FaultStack, client: httpx.AsyncClient) -> tuple[Api, Api]:
    """Give the controls of the simulator, and hanro's REST with a token that opens everything, also to ops."""
    token = tokens.mint(stack.parts.state, (*PUBLIC_SCOPES, "ops"), subject="faults")
    return Api(client, stack.parts.simulator), Api(client, stack.parts.gateway, token)


async def open_shop(stack: FaultStack, client: httpx.AsyncClient) -> Shop:
    """Open and link a new shop whose orders are mailed; all services have heard of it when this returns.

    Raises:
        Refused: an answer was not as expected.
        Late: the account was not active within three minutes, or not known everywhere within one more.
    """
    simulator, hanro = apis(stack, client)
    opened = (await simulator.call("POST", "/_sim/shops", {})).json()
    prefix = f"F{next(_NUMBERS)}"
    credentials = {
        "service_secret": opened["service_secret"],
        "license_key": opened["license_key"],
        "smtp_id": opened["smtp_username"],
        "smtp_password": opened["smtp_password"],
        "sender_address": opened["sender_address"],
    }
    shop_id = (await hanro.call("POST", "/v1/shops", {"display_name": prefix})).json()["id"]
    wish = {
        "marketplace_id": "rakuten_ichiba",
        "display_name": f"見本店 {prefix}",
        "shop_ids": [shop_id],
        "orders_from": datetime.now(UTC).isoformat(),
    }
    account_id = str((await hanro.call("POST", "/v1/accounts", wish)).json()["id"])
    shop = Shop(opened["id"], account_id, prefix, simulator, hanro)
    await _put_goods(shop)
    await simulator.call("PUT", "/_sim/limits", {**LINKING, "shop": shop.number})
    await hanro.call("PUT", f"/v1/accounts/{account_id}/credentials", {"values": credentials})

    async def is_active() -> None:
        account = (await hanro.call("GET", f"/v1/accounts/{account_id}")).json()
        if account["state"] not in {"active", "degraded"}:
            raise Refused(f"{account_id} is {account['state']}")

    async def is_polled() -> None:
        async with stack.database() as connection:
            if not await connection.fetchval("select count(*) from orders.due where account_id = $1", account_id):
                raise Refused(f"order-svc has not heard of {account_id}")

    await once(is_active, LINKED_SECONDS)
    await once(is_polled)
    await once(lambda: bind(shop))
    await once(lambda: _adopt(shop))
    return shop


async def once(act: Callable[[], Awaitable[None]], seconds: float = SECONDS) -> None:
    """Do something again until it is not refused any more.

    Raises:
        Late: it was refused for so long.
    """
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await act()
                except (Refused, httpx.HTTPError) as refusal:
                    last = refusal
                    await asyncio.sleep(0.2)
                else:
                    return
    except TimeoutError:
        raise Late(f"still refused after {seconds:.0f} s: {last}") from None


async def _put_goods(shop: Shop) -> None:
    skus = [f"{shop.prefix}-{offer.sku}" for offer in OFFERS]
    products = [{"code": sku, "title": sku, "variants": [{"sku": sku, "title": sku}]} for sku in skus]
    await _bulk(shop, "/v1/products:bulk", {"items": products})
    await _bulk(shop, "/v1/stock:bulk", {"items": [{"sku": sku, "on_hand": ON_HAND, "if_version": 0} for sku in skus]})


async def _adopt(shop: Shop) -> None:
    offers = [
        {
            "keys": {"manage_number": offer.manage_number, "variant_id": offer.variant_id},
            "sku": f"{shop.prefix}-{offer.sku}",
        }
        for offer in OFFERS
    ]
    await _bulk(shop, "/v1/listings:adopt", {"account_id": shop.account_id, "items": offers})


async def bind(shop: Shop) -> None:
    """Have every new order mailed to its buyer."""
    known = await shop.hanro.call("GET", f"/v1/templates/{TEMPLATE}", expected=(200, 404))
    if known.status_code == 404:
        letter = {"subject": "注文 {{ order.external_id }}", "body": "{{ buyer.name }} 様\n{{ order.external_id }}\n"}
        await shop.hanro.call("PUT", f"/v1/templates/{TEMPLATE}", letter)
    await shop.hanro.call("PUT", f"/v1/bindings/{shop.account_id}/{TRIGGER}", {"template": TEMPLATE})


async def _bulk(shop: Shop, path: str, body: object) -> None:
    answer = await shop.hanro.call("POST", path, body, expected=(207,))
    refused = [item for item in answer.json()["items"] if item["status"] not in {200, 201}]
    if refused:
        raise Refused(f"POST {path}: {len(refused)} refused, the first: {refused[0]}")
