"""Opens sessions of the sandbox that wait for no turn, and makes what is asked of its orders."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sandbox_market import SandboxMarket, SandboxShop

from hanro.clock import SystemClock
from hanro.http import Transport
from hanro.marketplace.port import Orders, Secrets, Session
from hanro.marketplace.types import (
    Cancellation,
    CancelReason,
    LinePart,
    OrderRef,
    Party,
    SeenOrder,
    Shipment,
    Tracking,
)
from hanro.testing.conformance.rig import HurriedClock, Unpaced

ROOMY = 1000


@asynccontextmanager
async def opened(market: SandboxMarket, shop: SandboxShop) -> AsyncIterator[Session]:
    """Open a session of a shop for a block."""
    shop.controls.limit(ROOMY, burst=ROOMY)
    transport = Transport({market.plugin.id: market.base_url}, SystemClock())
    try:
        yield Session(
            secrets=Secrets(values=shop.secrets(), version=1, stored_at=datetime.now(UTC) - timedelta(days=1)),
            http=transport.session_http(market.plugin.id, "acc_1"),
            pacer=Unpaced(),
            clock=HurriedClock(),
        )
    finally:
        await transport.close()


async def seen(orders: Orders, number: str) -> SeenOrder:
    """Read one order."""
    (found,) = (await orders.fetch([OrderRef(external_id=number)])).sightings
    assert isinstance(found, SeenOrder)
    return found


def parcel(number: str, *parts: tuple[str, int], is_last: bool = True) -> Shipment:
    """Make a parcel; without `is_last` something of the order stays behind."""
    return Shipment(
        id=f"op-{number}-{'-'.join(line for line, _ in parts)}-{is_last}",
        order=OrderRef(external_id=number),
        package_id=None,
        lines=tuple(LinePart(line_id=line, quantity=quantity) for line, quantity in parts),
        tracking=Tracking(carrier_code="yamato", marketplace_value="yamato", number="123456789012", url=None),
        shipped_on=None,
        is_last=is_last,
        replaces=None,
        claim_id=None,
    )


def with_number(shipment: Shipment, number: str) -> Shipment:
    """Give a parcel another number."""
    return replace(shipment, tracking=replace(shipment.tracking, number=number))


def cancelling(
    number: str, parts: Sequence[LinePart] = (), *, called: str = "op-cancel", is_shipped: bool = False
) -> Cancellation:
    """Make a cancellation; of all that is left where no parts are named."""
    return Cancellation(
        id=called,
        order=OrderRef(external_id=number),
        lines=tuple(parts),
        is_whole=not parts,
        is_shipped=is_shipped,
        reason=CancelReason.OUT_OF_STOCK,
        by=Party.SELLER,
        comment=None,
        is_restocked=None,
    )
