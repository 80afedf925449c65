"""Asks for parcels of orders as a seller does, and reads what the marketplace holds and saw of them."""

from typing import Any

from fault_journal import Write, writes
from fault_shop import Shop

from hanro_local.demo.api import until

READY = 300
CARRIER = "yamato"
OVER = ("registered", "rejected")
SHIPS = "updateOrderShipping"


async def found(shop: Shop, number: str, seconds: float = 60.0) -> dict[str, Any]:
    """Give an order as hanro shows it, once it waits to be shipped.

    Raises:
        TimeoutError: it does not within `seconds`.
    """
    shown: dict[str, Any] = {}

    async def is_ready() -> bool:
        path = f"/v1/orders?account_id={shop.account_id}&limit=200"
        listed = (await shop.hanro.call("GET", path)).json()["items"]
        shown.update(next((one for one in listed if one["external_id"] == number), {}))
        return shown.get("status") == "ready"

    await until(seconds, is_ready)
    return shown


async def ship(shop: Shop, order_id: str, tracking_number: str) -> dict[str, Any]:
    """Ask for a parcel of an order."""
    body = {"carrier_code": CARRIER, "tracking_number": tracking_number}
    answer = await shop.hanro.call("POST", f"/v1/orders/{order_id}/shipments", body, expected=(202,))
    asked: dict[str, Any] = answer.json()
    return asked


async def reached(shop: Shop, shipment_id: str, *states: str, seconds: float = 60.0) -> str:
    """Give the state of a parcel once it is one of these.

    Raises:
        TimeoutError: it was none within `seconds`.
    """
    state = ""

    async def is_over() -> bool:
        nonlocal state
        state = (await shop.hanro.call("GET", f"/v1/shipments/{shipment_id}")).json()["state"]
        return state in states

    await until(seconds, is_over)
    return state


async def rows_of(shop: Shop, number: str) -> list[str]:
    """Give the tracking numbers of all rows that the marketplace holds of an order."""
    there = (await shop.simulator.call("GET", f"/_sim/shops/{shop.number}/orders/{number}")).json()
    packages = there["tree"]["PackageModelList"]
    return [row["shippingNumber"] for package in packages for row in package["ShippingModelList"] or ()]


async def confirmations(shop: Shop, *, after: int = 0) -> list[Write]:
    """Give the requests that were to register parcels behind a place in the marketplace's journal."""
    return [one for one in await writes(shop, after=after) if one.function.startswith(SHIPS)]
