"""Takes in what marketplaces show: one transaction a page, and nothing twice."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro import due, failpoints, outbox
from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.due import Lease
from hanro.errors import Retryable
from hanro.marketplace.types import Cursor, Route, Sighting, UnreadableOrder
from order_svc import buyers
from order_svc.domain.accounts import Account
from order_svc.domain.readings import hash_of
from order_svc.domain.reconcile import Change, external_id_of, reconcile_or_quarantine
from order_svc.domain.windows import RouteCursor, after_page, next_window
from order_svc.store import cursors as cursors_store
from order_svc.store import orders as store
from order_svc.store.orders import Look

SLICE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Be one page of sightings and where the window goes on behind it; `position` None: it is done."""

    sightings: Sequence[Sighting]
    position: Cursor | None


async def begin_window(
    db: Database, lease: Lease, route: Route, *, account: Account, at: datetime, look_back: timedelta
) -> RouteCursor:
    """Store which window is read next, before anything is asked; the one that was begun goes on.

    Raises:
        Retryable: another process took the job over (lease-lost).
    """
    async with db.begin() as tx:
        cursor = await _lock_cursor(tx, account.id, route.name)
        await due.hold(tx, lease)
        begun = next_window(route, cursor, now=at, look_back=look_back, orders_from=account.orders_from)
        if begun != cursor:
            await cursors_store.save_cursor(tx, begun)
    return begun


async def ingest(
    db: Database,
    keyring: Keyring,
    lease: Lease,
    cursor: RouteCursor,
    page: Page,
    *,
    account: Account,
    at: datetime,
    next_at: datetime | None,
) -> RouteCursor:
    """Store one page of sightings, its facts and its cursor; a repeated page changes nothing else.

    `next_at`: give the lease back and be due again then; None: go on under this lease.

    Raises:
        Retryable: another process took the job over (lease-lost); nothing of the page is stored here.
    """
    async with db.begin() as tx:
        await cursors_store.lock_cursors(tx, account.id)
        await take_in(tx, keyring, page.sightings, account=account, route=cursor.route, at=at)
        moved = after_page(cursor, page.position)
        await cursors_store.save_cursor(tx, moved)
        if next_at is None:
            await due.hold(tx, lease)
        else:
            await due.settle(tx, lease, next_at=next_at)
        failpoints.reach("orders.before_commit")
    failpoints.reach("orders.after_commit")
    return moved


async def ingest_fetched(
    db: Database,
    keyring: Keyring,
    sightings: Sequence[Sighting],
    *,
    account: Account,
    at: datetime,
    lease: Lease | None = None,
    followed: Sequence[str] = (),
) -> None:
    """Store orders that were read again by number; `followed` were asked for, so others come first the next time.

    Raises:
        Retryable: another process took the job over (lease-lost).
    """
    async with db.begin() as tx:
        await cursors_store.lock_cursors(tx, account.id)
        if lease is not None:
            await due.hold(tx, lease)
        await take_in(tx, keyring, sightings, account=account, route="fetch", at=at)
        await store.save_followed(tx, followed)


async def take_in(
    tx: Transaction, keyring: Keyring, sightings: Sequence[Sighting], *, account: Account, route: str, at: datetime
) -> list[Change]:
    """Reconcile sightings with what is stored, under the account's locked cursors, and record what they changed."""
    newest: dict[str, Sighting] = {}
    for sighting in sightings:
        external_id = external_id_of(sighting)
        twin = newest.get(external_id)
        if twin is None or twin.seen_at <= sighting.seen_at:
            newest[external_id] = sighting
    if not newest:
        return []
    looks = {
        external_id: Look(raw_hash=hash_of(sighting.raw), is_readable=not isinstance(sighting, UnreadableOrder))
        for external_id, sighting in newest.items()
    }
    locked = await store.lock_orders(tx, account.id, looks)
    changes: list[Change] = []
    for place, (external_id, sighting) in enumerate(newest.items(), start=1):
        if external_id not in locked.same:
            known = locked.known.get(external_id)
            change = reconcile_or_quarantine(known, sighting, account=account, route=route, at=at)
            if change:
                changes.append(change)
            if place % SLICE == 0:
                # A page that is decided at once would let the others' answers lie.
                await asyncio.sleep(0)
    await store.save_orders(tx, [change.order for change in changes])
    await buyers.save(tx, keyring, changes)
    await outbox.record(tx, *(change.fact for change in changes))
    return changes


async def _lock_cursor(tx: Transaction, account_id: str, route: str) -> RouteCursor:
    cursor = (await cursors_store.lock_cursors(tx, account_id)).get(route)
    if cursor is None:
        raise Retryable(f"the route {route} of {account_id} is no longer read", code="lease-lost")
    return cursor
