"""Asks order-svc for parcels and cancellations inside a test, and lets time pass for what waits."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from order_playground import Playground
from order_sightings import line, seen

from hanro.db import Database
from hanro.events.orders import OrderFact
from hanro.marketplace.types import CancelReason, OrderStatus, SeenOrder, Sighting
from order_svc import accounts, cancellations, orders, shipments
from order_svc.domain.cancellations import Units
from order_svc.domain.permits import Ability
from order_svc.domain.shipments import Shipment, Wanted
from order_svc.poller import Means
from order_svc.shipments import Correction, Desk, Parcel
from order_svc.store.orders import find_order

NUMBER = "123456789012"
DAY = date(2026, 3, 2)


def ready(external_id: str = "n-1", *, quantities: Sequence[int] = (1,), **said: Any) -> SeenOrder:
    """Give an order that waits to be shipped, a line for each quantity."""
    lines = tuple(
        line(str(place), quantity=count, status=OrderStatus.READY) for place, count in enumerate(quantities, start=1)
    )
    return seen(external_id, lines=lines, **said)


def desk_of(means: Means, playground: Playground) -> Desk:
    """Give what asking takes."""
    plugin = playground.plugin()
    ability = Ability(supports=plugin.capabilities, grants=plugin.grants)
    return Desk(abilities={"playground": ability}, plugins={plugin.id: plugin}, clock=means.clock)


async def store(means: Means, sighting: Sighting) -> str:
    """Store an order, and give its id."""
    account = await accounts.find(means.db, "acc_1")
    assert account is not None
    await orders.ingest_fetched(
        means.db, means.keyring, [sighting], account=account, plugin=Playground().plugin(), at=means.clock.now()
    )
    async with means.db.begin() as tx:
        (row,) = await tx.fetch("select id from orders where external_id = $1", sighting.external_id)
    return str(row["id"])


async def ship(
    means: Means,
    playground: Playground,
    order_id: str,
    *,
    number: str = NUMBER,
    lines: dict[str, int] | None = None,
    is_last: bool | None = None,
) -> Shipment:
    """Ask for a parcel."""
    parcel = Parcel(carrier="yamato", number=number, shipped_on=DAY, wanted=Wanted(lines=lines, is_last=is_last))
    async with means.db.begin() as tx:
        asked = await shipments.ship(tx, desk_of(means, playground), order_id, parcel, account_ids=None, by="tester")
    return asked.shipment


async def undate(means: Means, playground: Playground, shipment_id: str) -> Shipment:
    """Ask for a parcel to lose its day."""
    correction = Correction(given=frozenset({"shipped_on"}), shipped_on=None)
    async with means.db.begin() as tx:
        asked = await shipments.correct(
            tx, desk_of(means, playground), shipment_id, correction, account_ids=None, by="tester"
        )
    return asked.shipment


async def cancel(means: Means, playground: Playground, order_id: str, *, units: Sequence[Units] | None = None) -> str:
    """Ask for a cancellation, and give its operation's id."""
    request = cancellations.Request(
        units=units, reason=CancelReason.OUT_OF_STOCK, comment="在庫がありません", is_restocked=None
    )
    async with means.db.begin() as tx:
        asked = await cancellations.cancel(
            tx, desk_of(means, playground), order_id, request, account_ids=None, by="tester"
        )
    return asked.operation.id


async def parcels_of(db: Database, order_id: str) -> list[Shipment]:
    """Give the parcels of an order as they are."""
    async with db.begin() as tx:
        return await shipments.list_of(tx, order_id)


async def order_of(db: Database, order_id: str) -> Any:
    """Give an order as it is stored."""
    async with db.begin() as tx:
        found = await find_order(tx, order_id)
    assert found is not None
    return found.order


async def facts(db: Database, order_id: str) -> list[str]:
    """Give the kinds of facts that were recorded of an order, oldest first."""
    async with db.begin() as tx:
        rows = await tx.fetch(
            "select type from outbox where topic = $1 and key = $2 order by id", OrderFact.topic, order_id
        )
    return [row["type"].removeprefix("hanro.order.").removesuffix(".v1") for row in rows]


async def ripen(db: Database, *, minutes: int = 0) -> None:
    """Let leases run out and make due what waits for a time; what was sent was sent so many minutes earlier."""
    async with db.begin() as tx:
        await tx.execute(
            f"""
            update operations set lease_until = null, next_at = '2000-01-01',
                sent_at = sent_at - interval '{minutes} minutes'
            where next_at is not null
            """  # noqa: S608  a number of this test
        )
