"""Lists what buyers and the shop do: at the marketplace, and through hanro."""

import json

from order_world import World

from hanro.errors import NeedsSeller, Rejected, Unsupported
from hanro.marketplace import match_key
from hanro.marketplace.types import CancelReason
from hanro_rakuten_ichiba.plugin import plugin
from order_svc import buyers, cancellations, mappings, orders, policies, shipments
from order_svc.cancellations import Request
from order_svc.domain.answers import Wanted
from order_svc.domain.cancellations import Units
from order_svc.domain.effects import ACCEPT
from order_svc.domain.policies import Acceptance
from order_svc.domain.shipments import Wanted as ToShip
from order_svc.shipments import Correction, Parcel
from order_svc.store import accounts as accounts_store
from order_svc.store import shipments as shipments_store
from order_svc.store.mappings import Mapped

# What nobody may do as things stand is no mistake of a player who tries anything.
NOT_POSSIBLE = (Rejected, NeedsSeller, Unsupported)
SENT_AT_ONCE = 0.5
FOLLOWED = 0.15


async def place(world: World) -> bool:
    """Let a buyer order."""
    placed = await world.control("POST", "/orders", {"is_plain": world.dice.random() < 0.5})
    world.numbers.append(placed["external_id"])
    return True


async def _buyer(world: World, verb: str) -> bool:
    number = world.any_order()
    return number is not None and await world.control("POST", f"/orders/{number}/{verb}", may_fail=True) is not None


async def pay(world: World) -> bool:
    """Let a buyer pay."""
    return await _buyer(world, "pay")


async def buyer_cancels(world: World) -> bool:
    """Let a buyer cancel."""
    return await _buyer(world, "cancel")


async def buyer_wants_to_cancel(world: World) -> bool:
    """Let a buyer apply for a cancellation."""
    return await _buyer(world, "request-cancel")


async def _perhaps_send(world: World) -> None:
    if world.dice.random() < SENT_AT_ONCE:
        await world.send_all()


async def ask(world: World) -> None:
    """Accept a new order, or cancel it at once; nothing is sent yet."""
    order_id = await _new_order(world)
    if world.dice.random() < 0.5:
        await _accept(world, order_id)
    else:
        await _cancel(world, order_id, is_whole=True)


async def _new_order(world: World) -> str:
    """Let a buyer order what is mapped, and look at it: its id here."""
    await place(world)
    number = world.numbers[-1]
    await world.fetch([number])
    async with world.means.db.statements() as db:
        (row,) = await db.fetch(
            "select id from orders where account_id = $1 and external_id = $2", world.account_id, number
        )
    order_id = str(row["id"])
    if world.has_catalogue:
        await map_keys(world, await _keys_of(world, order_id))
    return order_id


async def _ready_order(world: World) -> str:
    """Let a buyer order and pay, and accept it: its id here; what is asked for besides is sent with it."""
    order_id = await _new_order(world)
    number = world.numbers[-1]
    await world.control("POST", f"/orders/{number}/pay", may_fail=True)
    await _accept(world, order_id)
    await world.send_all()
    await world.fetch([number])
    return order_id


async def accept(world: World) -> bool:
    """Accept an order."""
    if not await _accept(world, await world.any_stored("new")) and not await _accept(world, await _new_order(world)):
        return False
    await _perhaps_send(world)
    return True


async def _accept(world: World, order_id: str | None) -> bool:
    if order_id is None:
        return False
    try:
        async with world.means.db.begin() as tx:
            wanted, abilities = Wanted(kind=ACCEPT), world.desk().abilities
            await orders.decide(tx, order_id, wanted, account_ids=None, abilities=abilities, by="player")
    except NOT_POSSIBLE:
        return False
    return True


async def ship(world: World) -> bool:
    """Register a parcel with all that is left for a destination of an order, perhaps as one that others follow."""
    known = await world.any_stored("accepted", "ready")
    if not await _ship(world, known) and not await _ship(world, await _ready_order(world)):
        return False
    await _perhaps_send(world)
    return True


async def _ship(world: World, order_id: str | None) -> bool:
    if order_id is None:
        return False
    try:
        async with world.means.db.begin() as tx:
            order = (await orders.get_(tx, order_id, account_ids=None)).order
            places = [str(one["external_id"]) for one in json.loads(order.sheet).get("packages", ())]
            place = world.dice.choice(places) if len(places) > 1 else None
            is_last = False if world.dice.random() < FOLLOWED else None
            parcel = Parcel(
                carrier="yamato",
                number=world.next_number(),
                shipped_on=world.kit.clock.now().date(),
                wanted=ToShip(package_id=place, is_last=is_last),
            )
            await shipments.ship(tx, world.desk(), order_id, parcel, account_ids=None, by="player")
    except NOT_POSSIBLE:
        return False
    return True


async def correct(world: World) -> bool:
    """Register a parcel under another number."""
    if not await _correct(world):
        await _ship(world, await _ready_order(world))
        await world.send_all()
        if not await _correct(world):
            return False
    await _perhaps_send(world)
    return True


async def _correct(world: World) -> bool:
    async with world.means.db.begin() as tx:
        found = await shipments_store.list_shipments(
            tx, account_ids=[world.account_id], state="registered", is_unconfirmed=None, before_id=None, limit=100
        )
    if not found:
        return False
    correction = Correction(given=frozenset({"number"}), number=world.next_number())
    try:
        async with world.means.db.begin() as tx:
            chosen = world.dice.choice(found)
            await shipments.correct(tx, world.desk(), chosen.id, correction, account_ids=None, by="player")
    except NOT_POSSIBLE:
        return False
    return True


async def _cancel_some(world: World, *, is_whole: bool) -> bool:
    known = await world.any_stored("new", "accepted", "ready", "shipped")
    if not await _cancel(world, known, is_whole=is_whole):
        ready = await _ready_order(world)
        if not await _cancel(world, ready, is_whole=is_whole):
            return False
    await _perhaps_send(world)
    return True


async def _cancel(world: World, order_id: str | None, *, is_whole: bool) -> bool:
    if order_id is None:
        return False
    async with world.means.db.begin() as tx:
        order = (await orders.get_(tx, order_id, account_ids=None)).order
    live = [line for line in order.lines if line.quantity > 0 and line.status != "cancelled"]
    if not live or (not is_whole and sum(line.quantity for line in live) == 1):
        return False
    units = None if is_whole else [Units(line_id=world.dice.choice(live).external_id, count=1)]
    request = Request(units=units, reason=CancelReason.OUT_OF_STOCK, comment=None, is_restocked=None)
    try:
        async with world.means.db.begin() as tx:
            await cancellations.cancel(tx, world.desk(), order_id, request, account_ids=None, by="player")
    except NOT_POSSIBLE:
        return False
    return True


async def cancel_order(world: World) -> bool:
    """Cancel all that is left of an order."""
    return await _cancel_some(world, is_whole=True)


async def cancel_unit(world: World) -> bool:
    """Cancel a unit of an order."""
    return await _cancel_some(world, is_whole=False)


async def map_offer(world: World) -> bool:
    """Map what an order waits for, or any order's offers; the first one makes the others wait that come then."""
    order_id = await world.any_stored()
    if order_id is None or not world.has_catalogue:
        return False
    async with world.means.db.begin() as tx:
        waiting = await tx.fetch(
            "select unmapped_keys as keys from orders where account_id = $1 and unmapped_keys <> '{}' order by id",
            world.account_id,
        )
    await map_keys(world, waiting[0]["keys"] if waiting else await _keys_of(world, order_id))
    return True


async def _keys_of(world: World, order_id: str) -> list[str]:
    async with world.means.db.begin() as tx:
        order = (await orders.get_(tx, order_id, account_ids=None)).order
    keys = {match_key(plugin.key_fields, line.keys) for line in order.lines}
    return sorted(key for key in keys if key)


async def map_keys(world: World, keys: list[str]) -> None:
    """Say that offers are mapped to SKUs."""
    mapped = [
        Mapped(account_id=world.account_id, account_epoch=1, match_key=key, listing_id=f"lst_{key}", sku=key)
        for key in keys
    ]
    async with world.means.db.begin() as tx:
        await mappings.lock_accounts(tx, [world.account_id])
        await mappings.follow(tx, mapped, world.kit.clock.now(), abilities=world.abilities())


async def leave_accepting(world: World) -> bool:
    """Leave accepting to hanro, or take it back."""
    await choose_policy(world, world.dice.choice(("automatic", "manual")))
    return True


async def choose_policy(world: World, accept: Acceptance) -> None:
    """Say whether orders are accepted by themselves."""
    async with world.means.db.begin() as tx:
        account = await accounts_store.find_account(tx, world.account_id)
        assert account is not None
        before = await policies.lock_policy(tx, world.account_id)
        await policies.choose(tx, account, before, accept, abilities=world.abilities())


async def erase(world: World) -> bool:
    """Erase the buyer of an order."""
    order_id = await world.any_stored()
    if order_id is None:
        return False
    async with world.means.db.begin() as tx:
        await buyers.erase(tx, order_id, account_ids=None, by="player")
    return True
