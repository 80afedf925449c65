"""Makes shipments and looks at the rows that a simulator's order then has."""

from datetime import date
from typing import Any

from ichiba_wire import Shop

from hanro.marketplace import track
from hanro.marketplace.types import LinePart, OrderRef, SeenOrder, Shipment, Tracking
from hanro_rakuten_ichiba.declared.carriers import CARRIERS
from hanro_rakuten_ichiba.orders import IchibaOrders

FIRST, SECOND, THIRD = "000000000011", "000000000022", "000000000033"


def parcel(
    order: SeenOrder,
    number: str | None = FIRST,
    *,
    carrier: str = "yamato",
    package: int | None = 0,
    is_last: bool = True,
    shipped_on: date | None = date(2026, 6, 1),
    replaces: str | None = None,
    claim_id: str | None = None,
    tracking: Tracking | None = None,
) -> Shipment:
    """Make a shipment of the lines of one destination."""
    package_id = order.packages[package or 0].external_id
    lines = [line for line in order.lines if line.package_id == package_id]
    return Shipment(
        id=f"shp_{order.external_id}_{number}_{package_id}_{replaces}",
        order=OrderRef(external_id=order.external_id),
        package_id=None if package is None else package_id,
        lines=tuple(LinePart(line_id=line.external_id, quantity=line.quantity) for line in lines),
        tracking=tracking or track(CARRIERS, carrier, number, None),
        shipped_on=shipped_on,
        is_last=is_last,
        replaces=replaces,
        claim_id=claim_id,
    )


async def read_order(orders: IchibaOrders, number: str) -> SeenOrder:
    """Read an order that is there."""
    (order,) = (await orders.fetch([OrderRef(external_id=number)])).sightings
    assert isinstance(order, SeenOrder)
    return order


def rows(shop: Shop, number: str) -> list[tuple[str, str | None, str | None]]:
    """Give carrier, number and date of each row that the order has."""
    tree: Any = shop.control("GET", f"/orders/{number}")["tree"]
    return [
        (row["deliveryCompany"], row["shippingNumber"], row["shippingDate"])
        for package in tree["PackageModelList"]
        for row in package["ShippingModelList"] or []
    ]
