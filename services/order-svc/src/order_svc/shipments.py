"""Takes wishes to register parcels, checked before anything goes out, and shows how far they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from hanro import operations
from hanro.clock import Clock
from hanro.db import Transaction
from hanro.errors import Rejected
from hanro.ids import new_id
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, MarketplaceId, Tracking
from hanro.operations import Operation
from order_svc import carriers
from order_svc.domain import shipments
from order_svc.domain.accounts import Account
from order_svc.domain.carriers import tracked
from order_svc.domain.decisions import asked_of, check_readable
from order_svc.domain.effects import SHIP
from order_svc.domain.orders import Order
from order_svc.domain.permits import Ability
from order_svc.domain.shipments import Arranged, Shipment, Wanted
from order_svc.orders.acceptance import check_permitted
from order_svc.store import cancellations as cancellations_store
from order_svc.store import carriers as carriers_store
from order_svc.store import orders as orders_store
from order_svc.store import shipments as store

PREFIX = "shi"
ANYTHING_LEFT = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Hold what asking something of orders takes: what marketplaces can do, their plug-ins, the clock."""

    abilities: Mapping[str, Ability]
    plugins: Mapping[MarketplaceId, Plugin]
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Be a parcel as it is asked for. `carrier` None: the account's own; `shipped_on` None: today, there."""

    carrier: str | None
    number: str | None
    url: str | None = None
    shipped_on: date | None = None
    wanted: Wanted = ANYTHING_LEFT


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Be what is to be changed about a parcel; a field that is not among `given` stays as it is."""

    given: frozenset[str]
    carrier: str | None = None
    number: str | None = None
    url: str | None = None
    shipped_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Be a shipment as it was stored, and its operation."""

    shipment: Shipment
    operation: Operation


async def ship(
    tx: Transaction, desk: Desk, order_id: str, parcel: Parcel, *, account_ids: Sequence[str] | None, by: str
) -> Asked:
    """Write down that a parcel of an order is to be registered at its marketplace.

    Raises:
        Rejected: no such order for this caller (not-found); it cannot be shipped: see `check_shippable` and `arrange`;
            it is being cancelled (order-cancelled); the carrier or number would be refused: see `tracked`.
        Unsupported: parcels, or single lines, cannot be registered there (absent).
        NeedsSeller: the account is not active, its orders are switched off, or a grant is lost.
    """
    order = await orders_store.lock_visible(tx, order_id, account_ids)
    shipments.check_shippable(order)
    await _check_not_cancelling(tx, order)
    account = await check_permitted(tx, order, desk.abilities, Capability.SHIP)
    tracking = await _tracking(tx, desk, account, parcel)
    ability = desk.abilities[order.marketplace_id]
    known = (await store.list_of_orders(tx, [order.id]))[order.id]
    arranged = shipments.arrange(order, parcel.wanted, known, ship_line=ability.supports.get(Capability.SHIP_LINE))
    return await _store(
        tx,
        desk,
        order,
        capability=Capability.SHIP,
        account=account,
        tracking=tracking,
        arranged=arranged,
        shipped_on=parcel.shipped_on or _today(desk, order),
        by=by,
    )


async def correct(
    tx: Transaction,
    desk: Desk,
    shipment_id: str,
    correction: Correction,
    *,
    account_ids: Sequence[str] | None,
    by: str,
) -> Asked:
    """Write down that a registered parcel is to be registered otherwise; the old one counts until that is done.

    Raises:
        Rejected: no such shipment (not-found); it is not registered, or corrected already (not-registered); the
            marketplace's name of it is not known yet (parcel-unknown); else as `ship`.
        Unsupported: parcels cannot be corrected there (absent).
        NeedsSeller: as `ship`.
    """
    before = await get_(tx, shipment_id, account_ids=account_ids)
    order = await orders_store.lock_visible(tx, before.order_id, account_ids)
    check_readable(order)
    await _check_not_cancelling(tx, order)
    account = await check_permitted(tx, order, desk.abilities, Capability.CORRECT_SHIPMENT)
    known = (await store.list_of_orders(tx, [order.id]))[order.id]
    current = next(one for one in known if one.id == shipment_id)
    is_corrected = any(one.replaces_id == current.id and one.state in shipments.UNDER_WAY for one in known)
    if current.state != "registered" or is_corrected:
        raise Rejected("only a parcel that is registered can be corrected, once at a time", code="not-registered")
    parcel_id = shipments.parcel_of(order, current)
    if parcel_id is None:
        raise Rejected("the marketplace's name of this parcel is not known", code="parcel-unknown")
    carrier = correction.carrier if "carrier" in correction.given else current.tracking.carrier_code
    number = correction.number if "number" in correction.given else current.tracking.number
    # Another number has another page.
    is_same = not correction.given & {"carrier", "number"}
    url = correction.url if "url" in correction.given else current.tracking.url if is_same else None
    day = correction.shipped_on if "shipped_on" in correction.given else current.shipped_on
    return await _store(
        tx,
        desk,
        order,
        capability=Capability.CORRECT_SHIPMENT,
        account=account,
        tracking=await _tracking(tx, desk, account, Parcel(carrier=carrier, number=number, url=url)),
        # Without its day the order is open again there, so that it can be cancelled.
        arranged=Arranged(
            package_id=current.package_id, lines=current.lines, is_last=current.is_last and day is not None
        ),
        shipped_on=day,
        by=by,
        replaces=(current.id, parcel_id),
    )


async def get_(tx: Transaction, shipment_id: str, *, account_ids: Sequence[str] | None) -> Shipment:
    """Give one shipment.

    Raises:
        Rejected: there is none for this caller (not-found).
    """
    found = await store.find_shipment(tx, shipment_id)
    if found is None or (account_ids is not None and found.account_id not in account_ids):
        raise Rejected("there is no such shipment", code="not-found")
    return found


async def list_of(tx: Transaction, order_id: str) -> list[Shipment]:
    """Give the shipments of an order, the first asked for first."""
    return (await store.list_of_orders(tx, [order_id]))[order_id]


async def lock_all(tx: Transaction, order_ids: Sequence[str]) -> None:
    """Lock orders in one order, before they are worked on one by one in any other."""
    await orders_store.lock_orders_by_id(tx, sorted(set(order_ids)))


async def _check_not_cancelling(tx: Transaction, order: Order) -> None:
    shipments.check_not_cancelling((await cancellations_store.list_of_orders(tx, [order.id]))[order.id])


async def _tracking(tx: Transaction, desk: Desk, account: Account, parcel: Parcel) -> Tracking:
    catalogue = carriers.catalogue_of(desk.plugins, account.marketplace_id)
    choice = await carriers_store.get_choice(tx, account.id)
    return tracked(catalogue, choice, carrier=parcel.carrier, number=parcel.number, url=parcel.url)


def _today(desk: Desk, order: Order) -> date:
    return desk.clock.now().astimezone(desk.plugins[MarketplaceId(order.marketplace_id)].zone).date()


async def _store(
    tx: Transaction,
    desk: Desk,
    order: Order,
    *,
    capability: Capability,
    account: Account,
    tracking: Tracking,
    arranged: Arranged,
    shipped_on: date | None,
    by: str,
    replaces: tuple[str, str] | None = None,
) -> Asked:
    shipment_id = new_id(PREFIX)
    operation = await operations.accept(
        tx,
        kind=SHIP,
        subject_id=order.id,
        account_id=order.account_id,
        asked=asked_of(order, account, capability) | {"shipment_id": shipment_id},
        by=by,
    )
    shipment = Shipment(
        id=shipment_id,
        order_id=order.id,
        account_id=order.account_id,
        operation_id=operation.id,
        package_id=arranged.package_id,
        lines=arranged.lines,
        tracking=tracking,
        shipped_on=shipped_on,
        is_last=arranged.is_last,
        replaces_id=replaces[0] if replaces else None,
        replaces_parcel=replaces[1] if replaces else None,
        created_by=by,
        created_at=desk.clock.now(),
        state="waiting",
        failure=None,
        parcel_id=None,
        is_unconfirmed=False,
    )
    await store.insert_shipment(tx, shipment)
    return Asked(shipment=shipment, operation=operation)
