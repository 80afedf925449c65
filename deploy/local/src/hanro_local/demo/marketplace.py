"""Plays the marketplace's side through the simulator's controls: opens the shop, lets buyers order, tells the truth."""

import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from hanro_local.demo.api import Api

SHOP_NUMBER = "999001"
FORM = {
    "service_secret": "service_secret",
    "license_key": "license_key",
    "smtp_id": "smtp_username",
    "smtp_password": "smtp_password",
    "sender_address": "sender_address",
}
"""The fields of hanro's form, and what the simulator calls what belongs there."""
# The simulator counts from 1 at each start while the orders of former starts are kept here: seconds never repeat.
_COUNTED_FROM = 1_767_225_600


@dataclass(frozen=True)
class OpenShop:
    """Be the shop as its owner sees it in RMS: what is typed into hanro, by the names of its form."""

    number: str
    credentials: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Placed:
    """Be an order as its buyer knows it."""

    number: str
    buyer: str
    line_count: int


async def open_shop(simulator: Api) -> OpenShop:
    """Open the demo shop, or look at it where it is open already.

    Raises:
        Refused: the simulator answers otherwise.
        httpx.HTTPError: it does not answer.
    """
    wish = {"number": SHOP_NUMBER, "first_sequence": max(1, int(time.time()) - _COUNTED_FROM)}
    answer = await simulator.call("POST", "/_sim/shops", wish, expected=(201, 409))
    if answer.status_code == 409:  # noqa: PLR2004  it is open
        answer = await simulator.call("GET", f"/_sim/shops/{SHOP_NUMBER}")
    shop = answer.json()
    return OpenShop(
        number=shop["id"],
        credentials={field: shop[name] for field, name in FORM.items()},
    )


async def open_at(url: str) -> None:
    """Open the demo shop at a simulator that has just started.

    It has forgotten the shop: a service that asked first would be refused, and let the account rest for minutes.

    Raises:
        Refused, httpx.HTTPError: as `open_shop`.
    """
    async with httpx.AsyncClient(trust_env=False) as client:
        await open_shop(Api(client, url))


async def place(simulator: Api, count: int = 1, *, is_plain: bool = False) -> list[str]:
    """Let buyers order; gives the order numbers. A plain order has one line and nothing that could hold it."""
    wish = {"count": count} | ({"is_plain": True} if is_plain else {})
    answer = await simulator.call("POST", f"/_sim/shops/{SHOP_NUMBER}/orders", wish)
    numbers: list[str] = answer.json()["external_ids"]
    return numbers


async def look_at(simulator: Api, number: str) -> Placed:
    """Look at an order as the marketplace knows it."""
    answer = await simulator.call("GET", f"/_sim/shops/{SHOP_NUMBER}/orders/{number}")
    tree: dict[str, Any] = answer.json()["tree"]
    orderer = tree["OrdererModel"]
    return Placed(
        number=number,
        buyer=f"{orderer['familyName']} {orderer['firstName']}",
        line_count=sum(len(package["ItemModelList"]) for package in tree["PackageModelList"]),
    )


async def cancel(simulator: Api, number: str) -> None:
    """Let the buyer cancel an order."""
    await simulator.call("POST", f"/_sim/shops/{SHOP_NUMBER}/orders/{number}/cancel")
