"""Takes in what marketplaces show: one transaction a page, and nothing twice."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hanro import due, failpoints, outbox
from hanro.clock import Clock
from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.due import Lease
from hanro.errors import Retryable
from hanro.events.orders import BY_FILE
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Cursor, Detail, Route, SeenOrder, Sighting, UnreadableOrder, Window
from hanro.turns import turn
from order_svc import buyers, mappings, policies
from order_svc.domain.accounts import Account
from order_svc.domain.payments import tells_payments
from order_svc.domain.permits import Ability
from order_svc.domain.quarantine import Catalogue, keys_of
from order_svc.domain.readings import hash_of
from order_svc.domain.reconcile import Change, external_id_of, reconcile_or_quarantine
from order_svc.domain.windows import RouteCursor, after_page, next_window
from order_svc.store import accounts as accounts_store
from order_svc.store import cursors as cursors_store
from order_svc.store import orders as store
from order_svc.store.orders import Locked, Look

SLICE = 10
Decide = Callable[..., Change | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Be one page of sightings and where the window goes on behind it; `position` None: it is done.

    `request_count` are the requests that it took.
    """

    sightings: Sequence[Sighting]
    position: Cursor | None
    request_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Be what became of a page: how far its route is read now, and how many of its orders nobody had found before."""

    cursor: RouteCursor
    found_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Be the cursor with the window to read; `new_gap`: what became out of reach since the window before."""

    cursor: RouteCursor
    new_gap: Window | None


async def begin_window(
    db: Database, lease: Lease, route: Route, *, account: Account, at: datetime, look_back: timedelta
) -> Begun:
    """Store which window is read next, before anything is asked; the one that was begun goes on.

    Raises:
        Retryable: another process took the job over (lease-lost).
    """
    async with db.begin() as tx:
        cursor = await _lock_cursor(tx, account.id, route.name)
        await due.hold(tx, lease)
        begun = next_window(route, cursor, now=at, look_back=look_back, orders_from=account.orders_from)
        await cursors_store.save_cursor(tx, begun)
    return Begun(cursor=begun, new_gap=begun.gap if begun.gap != cursor.gap else None)


async def ingest(
    db: Database,
    keyring: Keyring,
    lease: Lease,
    cursor: RouteCursor,
    page: Page,
    *,
    account: Account,
    plugin: Plugin,
    at: datetime,
    clock: Clock,
    next_at: datetime | None,
) -> Taken:
    """Store one page of sightings, its facts and its cursor; a repeated page changes nothing else.

    `next_at`: give the lease back and be due again then; None: go on under this lease, for its length from now; of an
    account that is let go it ends when it would have.

    Raises:
        Retryable: another process took the job over (lease-lost); nothing of the page is stored here.
    """
    failpoints.reach("orders.before_storing")
    async with db.begin() as tx:
        account = await lock_account(tx, account)
        changes = await take_in(tx, keyring, page.sightings, account=account, plugin=plugin, route=cursor.route, at=at)
        moved = after_page(cursor, page.position, at=at, request_count=page.request_count)
        await cursors_store.save_cursor(tx, moved)
        if next_at is not None:
            await due.settle(tx, lease, next_at=next_at)
        elif account.is_let_go:
            await due.hold(tx, lease)
        else:
            await due.go_on(tx, lease, clock=clock)
        failpoints.reach("orders.before_commit")
    failpoints.reach("orders.after_commit")
    return Taken(cursor=moved, found_count=count_found(changes))


async def ingest_fetched(
    db: Database,
    keyring: Keyring,
    sightings: Sequence[Sighting],
    *,
    account: Account,
    plugin: Plugin,
    at: datetime,
    lease: Lease | None = None,
    followed: Sequence[str] = (),
    route: str = "fetch",
    details: frozenset[Detail] = frozenset(),
) -> int:
    """Store orders that were read by number, and give how many of them nobody had found before.

    `followed` were asked for, so others come first the next time; `route` is how they were found. With `details` they
    tell more than their bytes, which are equal to those of a look without.

    Raises:
        Retryable: another process took the job over (lease-lost).
    """
    async with db.begin() as tx:
        account = await lock_account(tx, account)
        if lease is not None:
            await due.hold(tx, lease)
        locked = await lock_sighted(tx, account, _newest(sightings), by_bytes=False) if details and sightings else None
        changes = await take_in(
            tx, keyring, sightings, account=account, plugin=plugin, route=route, at=at, locked=locked
        )
        if followed:
            await store.save_followed(tx, followed)
    return count_found(changes)


async def lock_account(tx: Transaction, account: Account) -> Account:
    """Lock an account's cursors before its sightings are taken in; give it with what is new there, its state, by now.

    A run may have begun long before the seller said from when on orders are new; those before that must tell nobody.
    """
    known = (await accounts_store.share_accounts(tx, [account.id])).get(account.id, account)
    await cursors_store.lock_cursors(tx, account.id)
    return replace(account, orders_from=known.orders_from, state=known.state)


def count_found(changes: Sequence[Change]) -> int:
    """Count the orders among changes that nobody had found before."""
    return sum(change.order.version == 1 for change in changes)


async def take_in(
    tx: Transaction,
    keyring: Keyring,
    sightings: Sequence[Sighting],
    *,
    account: Account,
    plugin: Plugin,
    route: str,
    at: datetime,
    decide: Decide = reconcile_or_quarantine,
    locked: Locked | None = None,
    is_dry_run: bool = False,
) -> list[Change]:
    """Reconcile sightings with what is stored, under the account's locked cursors (`lock_account`), and record changes.

    `plugin` is the account's marketplace: by its keys is looked up what lines are mapped to. `decide` says what a
    sighting changes; `locked` are the sightings' orders where they are locked already. A dry run gives the changes and
    stores nothing.
    """
    newest = _newest(sightings)
    if not newest:
        return []
    if locked is None:
        locked = await lock_sighted(tx, account, newest)
    read = {external_id: sighting for external_id, sighting in newest.items() if external_id not in locked.same}
    catalogue = await _catalogue(tx, account, plugin, list(read.values()), locked)
    # Of these a look that began earlier and comes later must not be believed.
    nothing_new = {external_id: newest[external_id].seen_at for external_id in locked.same}
    changes: list[Change] = []
    async with turn():
        for place, (external_id, sighting) in enumerate(read.items(), start=1):
            known = locked.known.get(external_id)
            change = decide(known, sighting, account=account, route=route, at=at, catalogue=catalogue)
            if change:
                changes.append(change)
            elif known is not None:
                nothing_new[external_id] = sighting.seen_at
            if place % SLICE == 0:
                # A page that is decided at once would let the others' answers lie.
                await asyncio.sleep(0)
    if is_dry_run:
        return changes
    # Nobody knows how old a file is: it is no look at the marketplace.
    if route != BY_FILE:
        await store.save_seen(tx, account.id, nothing_new)
        looked_at = {one: seen_at for one, seen_at in nothing_new.items() if tells_payments(newest[one])}
        await store.save_payments_read(tx, account.id, looked_at)
    await store.save_orders(tx, [change.order for change in changes])
    await buyers.save(tx, keyring, changes)
    await outbox.record(tx, *(change.fact for change in changes))
    ability = Ability(supports=plugin.capabilities, grants=plugin.grants)
    await policies.follow(tx, [change.order for change in changes], {account.marketplace_id: ability})
    return changes


async def lock_sighted(
    tx: Transaction, account: Account, sightings: Mapping[str, Sighting], *, by_bytes: bool = True
) -> Locked:
    """Lock the orders that are sighted, by number, as far as they are known.

    `by_bytes` False: equal bytes do not mean that they say nothing new.
    """
    looks = {
        external_id: Look(
            raw_hash=hash_of(sighting.raw) if by_bytes else b"",
            is_readable=not isinstance(sighting, UnreadableOrder),
        )
        for external_id, sighting in sightings.items()
    }
    return await store.lock_orders(tx, account.id, looks)


def _newest(sightings: Sequence[Sighting]) -> dict[str, Sighting]:
    newest: dict[str, Sighting] = {}
    for sighting in sightings:
        external_id = external_id_of(sighting)
        twin = newest.get(external_id)
        if twin is None or twin.seen_at <= sighting.seen_at:
            newest[external_id] = sighting
    return newest


async def _catalogue(
    tx: Transaction, account: Account, plugin: Plugin, sightings: Sequence[Sighting], locked: Locked
) -> Catalogue | None:
    lines = [line.keys for sighting in sightings if isinstance(sighting, SeenOrder) for line in sighting.lines]
    if not lines:
        return None
    # A sighting need not tell of every line.
    lines += [line.keys for order in locked.known.values() for line in order.lines]
    return await mappings.catalogue_of(tx, account, plugin.key_fields, keys_of(plugin.key_fields, lines))


async def _lock_cursor(tx: Transaction, account_id: str, route: str) -> RouteCursor:
    cursor = (await cursors_store.lock_cursors(tx, account_id)).get(route)
    if cursor is None:
        raise Retryable(f"the route {route} of {account_id} is no longer read", code="lease-lost")
    return cursor
