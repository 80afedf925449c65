"""Lists what may happen in a shop's life, plays it in any order, and lets everything come to an end."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import order_deeds as deeds
import order_file_actions as files
from order_downloads import Mode, Wish
from order_world import OPEN_ROUTES, World, dies

from hanro.marketplace.types import Notice, NoticeKind
from order_svc import notices
from order_svc.poller import Poller
from order_svc.sender import Sender

COPIES = 3
LATE_FILES = 2
MOST_BROKEN = 4

Action = Callable[[World], Awaitable[bool]]


async def _minutes(world: World) -> bool:
    world.kit.clock.advance(timedelta(minutes=world.dice.randint(1, 20)))
    return True


async def _night(world: World) -> bool:
    world.kit.clock.advance(timedelta(days=1))
    return True


async def _hide(world: World) -> bool:
    number = world.any_order()
    if number is None:
        return False
    routes = world.dice.choice((["placed"], ["open"], ["placed", "open"]))
    await world.control("POST", f"/orders/{number}/hide", {"routes": routes})
    world.hidden.add(number)
    return True


async def _break(world: World) -> bool:
    """Show orders that nobody can read, for one look; time must not pass: mending brings the tree of before back."""
    numbers = world.dice.sample(world.numbers, min(len(world.numbers), MOST_BROKEN))
    for number in numbers:
        await world.control("POST", f"/orders/{number}/set", {"raw": {"orderProgress": "broken"}})
    await world.read(world.dice.choice(OPEN_ROUTES))
    for number in numbers:
        await world.control("POST", f"/orders/{number}/mend")
    return bool(numbers)


async def _read_placed(world: World) -> bool:
    await world.read("placed")
    return True


async def _sweep(world: World) -> bool:
    await world.read("open")
    return True


async def _fetch(world: World) -> bool:
    number = world.any_order()
    if number is None:
        return False
    await world.fetch([number])
    return True


async def _arrive_late(world: World) -> bool:
    if not world.late:
        return False
    # It stays: what came late may come again.
    await world.take_in(world.dice.choice(world.late), "placed")
    return True


async def _send(world: World) -> bool:
    if not await world.hasten():
        await deeds.ask(world)
    if not await world.hasten():
        return False
    await world.send_all()
    return True


async def _sender_dies(world: World) -> bool:
    """Send, and die before the call or behind its answer: what came of it nobody was told."""
    if not await world.hasten():
        await deeds.ask(world)
        await world.hasten()
    point = world.dice.choice(("sender.after_sent", "sender.after_answer"))
    if not await dies(point, 1, Sender(world.means).send_due()):
        return False
    if world.dice.random() < deeds.SENT_AT_ONCE:
        await world.send_all()
    return True


async def _poll(world: World) -> bool:
    await world.poll(world.dice.randint(1, len(OPEN_ROUTES)))
    return True


async def _poller_dies(world: World) -> bool:
    await world.make_due()
    point = world.dice.choice(("orders.before_storing", "orders.before_commit", "orders.after_commit"))
    return await dies(point, 1, Poller(world.means).poll_due(asyncio.Event()))


async def _two_pollers(world: World) -> bool:
    """Let a poller sleep over its lease while an answer is on its way: another one reads, and knows more."""
    await world.make_due()
    left = world.dice.randint(1, 2)

    async def another_reads() -> None:
        nonlocal left
        left -= 1
        if left:
            world.meanwhile = another_reads
            return
        await world.dice.choice((deeds.pay, deeds.buyer_cancels, deeds.place))(world)
        await world.poll(1)

    world.meanwhile = another_reads
    await Poller(world.means).poll_due(asyncio.Event())
    world.meanwhile = None
    return True


async def _notice(world: World) -> bool:
    number = world.any_order()
    if number is None:
        return False
    kind = world.dice.choice((NoticeKind.ORDER_PLACED, NoticeKind.ORDER_CHANGED))
    notice = Notice(external_id=f"{number}-{world.dice.randrange(9)}", kind=kind, order_ids=(number,), at=None)
    for _ in range(COPIES):
        await notices.take_down(world.means.db, world.account_id, [notice])
    await world.poll(1)
    return True


async def hear(world: World) -> bool:
    """Let the catalogue hear what is new, in order, and among it what it has heard before."""
    facts = [json.loads(text) for _, _, text in await world.facts(len(world.shelf.heard))]
    for fact in facts:
        world.shelf.hear(fact)
        world.shelf.heard.append(fact)
        if world.dice.random() < 0.3:
            world.shelf.hear(world.dice.choice(world.shelf.heard))
    return bool(facts)


ACTIONS: dict[str, Action] = {
    "a buyer orders": deeds.place,
    "a buyer pays": deeds.pay,
    "a buyer cancels": deeds.buyer_cancels,
    "a buyer asks for a cancellation": deeds.buyer_wants_to_cancel,
    "the shop accepts": deeds.accept,
    "the shop ships": deeds.ship,
    "the shop corrects a parcel": deeds.correct,
    "the shop cancels an order": deeds.cancel_order,
    "the shop cancels a unit": deeds.cancel_unit,
    "the shop leaves accepting to hanro, or not": deeds.leave_accepting,
    "the shop maps an offer": deeds.map_offer,
    "the shop erases a buyer": deeds.erase,
    "the shop downloads a file": files.download,
    "a file updates": files.update,
    "a file overwrites": files.overwrite,
    "a file is tried out": files.try_out,
    "a file comes twice": files.repeat,
    "who takes a file in dies": files.die,
    "minutes pass": _minutes,
    "a night passes": _night,
    "the marketplace hides an order": _hide,
    "orders cannot be read": _break,
    "a notice comes often": _notice,
    "new orders are read": _read_placed,
    "open orders are swept": _sweep,
    "an order is read again": _fetch,
    "a page arrives late": _arrive_late,
    "a poller reads": _poll,
    "a poller dies": _poller_dies,
    "two pollers read": _two_pollers,
    "what was asked is sent": _send,
    "who sends dies": _sender_dies,
    "the catalogue hears facts, also again": hear,
}


async def play(world: World, count: int) -> None:
    """Do so many things that had an effect, drawn by the world's dice: what happened least so far comes most often."""
    names = list(ACTIONS)
    done = 0
    while done < count:
        weights = [1 / (1 + world.counts[name]) ** 2 for name in names]
        (name,) = world.dice.choices(names, weights)
        if await ACTIONS[name](world):
            world.counts[name] += 1
            done += 1


async def settle(world: World) -> None:
    """Let everything that is under way end, read all orders once more, then let all that is late arrive."""
    await deeds.choose_policy(world, "manual")
    for number in sorted(world.hidden):
        await world.control("POST", f"/orders/{number}/show", {"routes": list(OPEN_ROUTES)})
    await world.send_all()
    await world.fetch(world.numbers)
    async with world.means.db.begin() as tx:
        waiting = await tx.fetch("select unmapped_keys as keys from orders where account_id = $1", world.account_id)
    if keys := sorted({key for row in waiting for key in row["keys"]}):
        await deeds.map_keys(world, keys)
    world.dice.shuffle(world.late)
    for page in world.late:
        await world.take_in(page, "placed")
    for late in world.dice.sample(world.downloads, min(len(world.downloads), LATE_FILES)):
        mode: Mode = world.dice.choice(("update", "overwrite"))
        await files.take_in(world, Wish(download=late, mode=mode, reserves_stock=False))
    await hear(world)
