"""Links the demo shop as a seller would: over REST, with what the marketplace handed out; may be repeated."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from hanro_local.demo.api import Api, Refused, until
from hanro_local.demo.goods import GOODS, OFFERS, ON_HAND
from hanro_local.demo.letter import BODY, SHOP_NAME, SUBJECT, TEMPLATE
from hanro_local.demo.marketplace import OpenShop

MARKETPLACE = "rakuten_ichiba"
TRIGGER = "new_order"
WORKING = ("active", "degraded")
CHECK_SECONDS = 60.0
# What a service does not know yet it will have heard within this time.
NEWS_SECONDS = 30.0
DRAFT_NAME = "試験店"
WRITERS = 4
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class LinkedShop:
    """Be the linked account as the seller's page shows it."""

    account_id: str
    name: str
    label: str
    granted_count: int
    grant_count: int

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.name} at Rakuten Ichiba: {self.label}, {self.granted_count} of {self.grant_count} grants so far"


async def link(hanro: Api, shop: OpenShop) -> LinkedShop:
    """Link the shop, put its goods and bind its mail; what stands already stays as it is.

    Raises:
        Refused: an answer was not as expected.
        TimeoutError: the account does not become active within a minute, or its news do not arrive.
        httpx.HTTPError: no answer.
    """
    account_id = await _account(hanro)
    await hanro.call("PUT", f"/v1/accounts/{account_id}/credentials", {"values": shop.credentials})
    await wait_for_state(hanro, account_id, WORKING)
    await _put_goods(hanro, account_id)
    await _put_letter(hanro, account_id)
    return await look_at(hanro, account_id)


async def look_at(hanro: Api, account_id: str) -> LinkedShop:
    """Look at the account as it stands."""
    account = (await hanro.call("GET", f"/v1/accounts/{account_id}")).json()
    return LinkedShop(
        account_id=account_id,
        name=account["display_name"],
        label=account["label"]["ja"],
        granted_count=account["grants"]["granted"],
        grant_count=account["grants"]["total"],
    )


async def wait_for_state(hanro: Api, account_id: str, states: tuple[str, ...]) -> dict[str, Any]:
    """Wait until the account is in one of these states, and give it.

    Raises:
        TimeoutError: it is not within a minute.
    """
    account: dict[str, Any] = {}

    async def is_there() -> bool:
        account.update((await hanro.call("GET", f"/v1/accounts/{account_id}")).json())
        return account["state"] in states

    await until(CHECK_SECONDS, is_there)
    return account


async def keep_renaming(hanro: Api) -> None:
    """Give account-svc work that needs no marketplace, until cancelled: rename a draft, again and again.

    While the service is down nothing is renamed.
    """
    account_id = await _open_account(hanro, DRAFT_NAME)

    async def rename() -> None:
        for number in itertools.count(1):
            try:
                await hanro.call("PATCH", f"/v1/accounts/{account_id}", {"display_name": f"{DRAFT_NAME} {number}"})
            except (Refused, httpx.HTTPError):
                await asyncio.sleep(PAUSE_SECONDS)

    await asyncio.gather(*(rename() for _ in range(WRITERS)))


async def _account(hanro: Api) -> str:
    async for known in hanro.pages("/v1/accounts"):
        if known["marketplace_id"] == MARKETPLACE and known["display_name"] == SHOP_NAME:
            return str(known["id"])
    return await _open_account(hanro, SHOP_NAME)


async def _open_account(hanro: Api, name: str) -> str:
    shop = (await hanro.call("POST", "/v1/shops", {"display_name": name})).json()
    wish = {
        "marketplace_id": MARKETPLACE,
        "display_name": name,
        "shop_ids": [shop["id"]],
        "orders_from": datetime.now(UTC).isoformat(),
    }
    return str((await hanro.call("POST", "/v1/accounts", wish)).json()["id"])


async def _put_goods(hanro: Api, account_id: str) -> None:
    products = [
        {
            "code": goods.code,
            "title": goods.title,
            "variants": [{"sku": offer.sku, "title": offer.title} for offer in goods.offers],
        }
        for goods in GOODS
    ]
    await _all_done(hanro, "/v1/products:bulk", {"items": products})
    # Whatever was counted once is what the orders of former runs are held from.
    untouched = [entry["sku"] async for entry in hanro.pages("/v1/stock") if entry["version"] == 0]
    if untouched:
        counts = [{"sku": sku, "on_hand": ON_HAND, "if_version": 0} for sku in untouched]
        await _all_done(hanro, "/v1/stock:bulk", {"items": counts})
    offers = [
        {"keys": {"manage_number": offer.manage_number, "variant_id": offer.variant_id}, "sku": offer.sku}
        for offer in OFFERS
    ]
    mapping = {"account_id": account_id, "items": offers}
    await _when_heard(lambda: _all_done(hanro, "/v1/listings:adopt", mapping))


async def _put_letter(hanro: Api, account_id: str) -> None:
    path = f"/v1/templates/{TEMPLATE}"
    known = await hanro.call("GET", path, expected=(200, 404))
    if known.status_code == 404:  # noqa: PLR2004  HTTP
        await hanro.call("PUT", path, {"subject": SUBJECT, "body": BODY})
    path = f"/v1/bindings/{account_id}/{TRIGGER}"

    async def bind() -> None:
        bound = await hanro.call("GET", path, expected=(200, 404))
        # Bound anew, it would tell of nothing that was ordered before.
        if bound.status_code == 404 or bound.json().get("template") is None:  # noqa: PLR2004  HTTP
            await hanro.call("PUT", path, {"template": TEMPLATE})

    await _when_heard(bind)


async def _all_done(hanro: Api, path: str, body: object) -> None:
    answer = await hanro.call("POST", path, body, expected=(207,))
    refused = [item for item in answer.json()["items"] if item["status"] not in {200, 201}]
    if refused:
        raise Refused(f"POST {path}: {len(refused)} refused, the first: {refused[0]}")


async def _when_heard(act: Callable[[], Awaitable[None]]) -> None:
    """Do what a service refuses as long as no fact has told it of the account."""
    refusal: Refused | None = None

    async def is_done() -> bool:
        nonlocal refusal
        try:
            await act()
        except Refused as again:
            refusal = again
            return False
        return True

    try:
        await until(NEWS_SECONDS, is_done)
    except TimeoutError:
        raise refusal or TimeoutError(f"no answer within {NEWS_SECONDS:.0f} s") from None
