"""Checks the invariants of one shop from outside: the marketplace's truth, the sink, Kafka's log and the tables."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fault_journal import subjects
from fault_log import Copy, read_copies
from fault_shop import Shop
from fault_stack import FaultStack

SECONDS = 20.0
CANCELLED = 900
TERMINAL = ("handed_over", "in_doubt", "refused", "suppressed")
LOOKS = 2

Entry = dict[str, Any]


@dataclass(frozen=True)
class LogRecord:
    """Be one record of Kafka's log, in the order of its partition; what is no envelope has no event id."""

    event_id: str
    key: str
    version: int


@dataclass(frozen=True)
class Sighted:
    """Be all that was seen of a shop."""

    truth: dict[str, Entry]
    orders: list[Entry]
    reservations: list[Entry]
    stock: list[Entry]
    messages: list[Entry]
    pauses: list[Entry]
    mails: Counter[str]
    archive: list[Entry]
    waiting: int
    inboxes: list[Entry]
    dead: list[Entry]
    log: list[LogRecord]


async def look(stack: FaultStack, shop: Shop, *, is_log_wanted: bool = True) -> Sighted:
    """Look at everything once."""
    answer = await shop.simulator.call("GET", f"/_sim/shops/{shop.number}/orders")
    async with stack.database() as connection:

        async def rows(sql: str, *words: object) -> list[Entry]:
            return [dict(row) for row in await connection.fetch(sql, *words, timeout=SECONDS)]

        orders = await rows(
            "select id, external_id, status, version from orders.orders where account_id = $1", shop.account_id
        )
        ids = [order["id"] for order in orders]
        return Sighted(
            truth={order["external_id"]: order for order in answer.json()["orders"]},
            orders=orders,
            reservations=await rows("select * from catalog.reservations where account_id = $1", shop.account_id),
            stock=await rows("select * from catalog.stock where starts_with(sku, $1)", f"{shop.prefix}-"),
            messages=await rows("select * from notifier.messages where account_id = $1", shop.account_id),
            pauses=await rows(_PAUSES, shop.account_id),
            mails=Counter(subject.split()[-1] for subject in await subjects(shop)),
            archive=await rows("select event_id, key, position from orders.archive where key = any($1)", ids),
            waiting=(await rows(_WAITING))[0]["count"],
            inboxes=await rows(_INBOXES, ids),
            dead=await rows(_DEAD),
            log=[_record(copy) for copy in await read_copies(stack, bool)] if is_log_wanted else [],
        )


async def await_stored(stack: FaultStack, shop: Shop, count: int, seconds: float) -> None:
    """Wait until a shop has so many stored orders.

    Raises:
        TimeoutError: it has not within `seconds`.
    """
    async with asyncio.timeout(seconds):
        while len((await look(stack, shop, is_log_wanted=False)).orders) < count:
            await asyncio.sleep(0.3)


async def quiet(stack: FaultStack, shop: Shop, seconds: float = 60.0, *, is_mail_awaited: bool = True) -> str:
    """Wait until nothing of the shop is under way; gives what was left at the end, empty for nothing.

    Mails leave one after the other: those of minutes of load need not be awaited where they are not what is tested.
    """
    deadline, calm, left = time.monotonic() + seconds, 0, ""
    while time.monotonic() < deadline:
        left = _left(await look(stack, shop, is_log_wanted=False), is_mail_awaited=is_mail_awaited)
        calm = 0 if left else calm + 1
        if calm == LOOKS:
            return ""
        await asyncio.sleep(0.3)
    return f"{left}; {await _reading(stack, shop)}" if left else "it was never quiet for long"


async def differences(stack: FaultStack, shop: Shop, *, seconds: float = 60.0) -> dict[str, list[str]]:
    """Wait until it is quiet and check; gives by invariant what differs, nothing where all is as it must be."""
    left = await quiet(stack, shop, seconds)
    found = judge(await look(stack, shop))
    return found | {"I11": [f"after {seconds:.0f} s: {left}"]} if left else found


def judge(seen: Sighted) -> dict[str, list[str]]:
    """Give by invariant what differs; an invariant that holds is not there."""
    checks = {"I1": _lost, "I2": _double, "I3": _mailed, "I5": _stock, "I9": _published, "I10": _effects}
    found = {name: sorted(check(seen)) for name, check in checks.items()}
    return {name: cases for name, cases in found.items() if cases}


async def _reading(stack: FaultStack, shop: Shop) -> str:
    """Say how the reading of a shop's orders stands: what is due, and what it waits for."""
    async with stack.database() as connection:
        rows = await connection.fetch(_READING, shop.account_id, timeout=SECONDS)
    return "; ".join(row["said"] for row in rows)


def _left(seen: Sighted, *, is_mail_awaited: bool) -> str:
    known = {order["external_id"]: order for order in seen.orders}
    unstored = [
        number
        for number, order in seen.truth.items()
        if number not in known or (known[number]["status"] == "cancelled") != (order["progress"] == CANCELLED)
    ]
    applied = {(row["schema"], row["aggregate_id"]): row["version"] for row in seen.inboxes}
    unread = [
        f"{schema} {order['id']}"
        for order in seen.orders
        for schema in ("catalog", "notifier")
        if applied.get((schema, order["id"])) != order["version"]
    ]
    unsent = [
        f"{message['id']} {message['state']} {message['reason_code']}, attempt {message['attempt']},"
        f" due {message['next_at']}, paused {seen.pauses}"
        for message in seen.messages
        if message["state"] not in TERMINAL and is_mail_awaited
    ]
    parts = {"not stored": unstored, "not read": unread, "not sent": unsent}
    words = [f"{what}: {len(cases)} ({cases[0]} …)" for what, cases in parts.items() if cases]
    # What is sent meanwhile is told by facts of its own.
    is_published = not seen.waiting or not is_mail_awaited
    return "; ".join([*words, *([] if is_published else [f"{seen.waiting} facts to publish"])])


def _lost(seen: Sighted) -> Iterator[str]:
    stored = {order["external_id"] for order in seen.orders}
    held = {row["external_id"] for row in seen.reservations}
    told = {message["order_external_id"] for message in seen.messages}
    for number in seen.truth:
        for what, known in (("stored", stored), ("reserved", held), ("planned to be mailed", told)):
            if number not in known:
                yield f"{number} is not {what}"


def _double(seen: Sighted) -> Iterator[str]:
    for number, count in Counter(order["external_id"] for order in seen.orders).items():
        if count > 1:
            yield f"{number} is stored {count} times"
        if number not in seen.truth:
            yield f"{number} is stored, and nobody ordered"
    wanted = {number: sum(1 for _ in _items(order)) for number, order in seen.truth.items()}
    for number, count in Counter(row["external_id"] for row in seen.reservations).items():
        if count > wanted.get(number, 0):
            yield f"{number} has {count} reservations for {wanted.get(number, 0)} lines"


def _mailed(seen: Sighted) -> Iterator[str]:
    states = defaultdict(list)
    for message in seen.messages:
        states[message["order_external_id"]].append(message["state"])
    for number in seen.truth:
        copies, found = seen.mails[number], states[number]
        if copies > 1:
            yield f"{number} was mailed {copies} times"
        if not copies and not set(found) & {"in_doubt", "refused", "suppressed", "planned"}:
            yield f"{number} was not mailed, and nothing says so: {found}"
        if copies and not set(found) & {"in_doubt", "handed_over"}:
            yield f"{number} was mailed, and the ledger says {found}"
    for number in seen.mails.keys() - seen.truth.keys():
        yield f"{number} was mailed, and nobody ordered"


def _stock(seen: Sighted) -> Iterator[str]:
    held: Counter[str] = Counter()
    for row in seen.reservations:
        held[row["sku"]] += row["reserved"]
    for entry in seen.stock:
        if entry["committed"] != held[entry["sku"]] or not 0 <= entry["committed"] <= entry["on_hand"]:
            yield f"{entry['sku']}: {entry['committed']} of {entry['on_hand']} committed, {held[entry['sku']]} held"


def _published(seen: Sighted) -> Iterator[str]:
    ids = {order["id"] for order in seen.orders}
    first: dict[str, dict[int, None]] = defaultdict(dict)
    logged = set()
    for record in seen.log:
        if record.key in ids:
            first[record.key].setdefault(record.version)
            logged.add(record.event_id)
    committed = {row["event_id"] for row in seen.archive}
    for event_id in committed - logged:
        yield f"{event_id} was committed and is not in the log"
    for event_id in logged - committed:
        yield f"{event_id} is in the log and was never committed"
    for order in seen.orders:
        versions = list(first[order["id"]])
        if versions != list(range(1, order["version"] + 1)):
            yield f"{order['external_id']} has version {order['version']}, the log tells of {versions}"


def _effects(seen: Sighted) -> Iterator[str]:
    wanted = {
        number: 0 if order["progress"] == CANCELLED else sum(int(item["units"]) for item in _items(order))
        for number, order in seen.truth.items()
    }
    held: Counter[str] = Counter()
    for row in seen.reservations:
        held[row["external_id"]] += row["reserved"]
    for number, units in wanted.items():
        if held[number] != units:
            yield f"{number} holds {held[number]} units, not {units}"
    told = Counter((message["order_id"], message["trigger"]) for message in seen.messages)
    for (order_id, trigger), count in told.items():
        if count > 1:
            yield f"{order_id} has {count} messages for {trigger}"


def _items(order: Entry) -> Iterator[Entry]:
    for package in order["tree"]["PackageModelList"]:
        yield from package["ItemModelList"]


def _record(copy: Copy) -> LogRecord:
    try:
        version = int(json.loads(copy.value or b"")["version"])
    except (ValueError, KeyError, TypeError):
        # Poison, which a test put there.
        return LogRecord(event_id="", key="", version=0)
    return LogRecord(dict(copy.headers).get("ce_id", b"").decode(), (copy.key or b"").decode(), version)


_PAUSES = """
    select pause_count, pause_code, paused_until::text, state, lost_grants, notifier.now()::text as now
    from notifier.accounts where id = $1
"""
_READING = """
    select format('it is %s', orders.now()::time(0)) as said
    union all
        select format('%s: due %s, lease %s, %s failures', job, next_at::time(0), lease_until::time(0), failure_count)
        from orders.due where account_id = $1
    union all select format('%s: slowed down by %s until %s, %s wait', api_group, slowdown, ready_at::time(0), queue)
        from orders.pacer where account_id = $1
    union all select format('%s: %s, breaker open until %s', api_group, reason, open_until::time(0))
        from orders.breaker where account_id = $1
    union all select format('paused until %s', paused_until::time(0))
        from orders.accounts where id = $1 and paused_until is not null
"""
_WAITING = """
    select (select count(*) from account.outbox) + (select count(*) from catalog.outbox)
        + (select count(*) from orders.outbox) + (select count(*) from notifier.outbox) as count
"""
_INBOXES = """
    select 'catalog' as schema, aggregate_id, version from catalog.inbox where aggregate_id = any($1)
    union all select 'notifier', aggregate_id, version from notifier.inbox where aggregate_id = any($1)
"""
_DEAD = """
    select 'catalog' as schema, id, consumer, code, cause, value from catalog.dead_letters
    union all select 'notifier', id, consumer, code, cause, value from notifier.dead_letters
    union all select 'account', id, consumer, code, cause, value from account.dead_letters
    union all select 'order', id, consumer, code, cause, value from orders.dead_letters
"""
