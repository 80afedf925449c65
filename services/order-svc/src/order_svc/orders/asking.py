"""Writes down what somebody asks to be read at a marketplace, and what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hanro import operations
from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.errors import Failure, Rejected
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, Detail, OrderRef
from hanro.operations import Mark, Operation, OperationStatus
from order_svc.domain.accounts import Account
from order_svc.domain.asking import (
    BACKFILL,
    CURSOR,
    FETCH,
    KINDS,
    check_readable,
    details_of,
    needed_of,
    routes_back,
    stretch,
)
from order_svc.domain.decisions import ref_of
from order_svc.domain.permits import Ability
from order_svc.domain.verdicts import told
from order_svc.domain.windows import RouteCursor, after_page
from order_svc.orders.ingestion import Page, Taken, count_found, take_in
from order_svc.store import cursors as cursors_store
from order_svc.store import orders as store

UNDER_WAY = frozenset({OperationStatus.ACCEPTED, OperationStatus.SENT, OperationStatus.IN_DOUBT})


async def ask_fetch(
    tx: Transaction,
    account: Account,
    external_ids: Sequence[str],
    *,
    order_id: str | None,
    ability: Ability | None,
    by: str,
    details: frozenset[Detail] = frozenset(),
) -> Operation:
    """Write down that orders are to be read again now, by the marketplace's numbers.

    `order_id`: the one order that is meant; while it is being read with all of `details` that operation is given
    again. None: several.

    Raises:
        Unsupported, NeedsSeller: as `check_readable`.
    """
    for capability in needed_of(FETCH, details):
        check_readable(account, ability, capability)
    if order_id is not None:
        for last in await operations.list_(tx, limit=1, kind=FETCH, subject_id=order_id):
            if last.status in UNDER_WAY and details <= details_of(last.asked):
                return last
    more = {"details": sorted(details)} if details else {}
    return await operations.accept(
        tx,
        kind=FETCH,
        subject_id=order_id or account.id,
        account_id=account.id,
        asked={"external_ids": list(dict.fromkeys(external_ids)), "account_epoch": account.epoch, **more},
        by=by,
    )


async def ask_backfill(
    tx: Transaction,
    account: Account,
    plugin: Plugin | None,
    *,
    start: datetime,
    end: datetime,
    at: datetime,
    by: str,
) -> Operation:
    """Write down that all orders of a stretch of time are to be read; one at a time for an account.

    While the same stretch is being read that operation is given again.

    Raises:
        Unsupported, NeedsSeller: as `check_readable`.
        Rejected: not-yet, beyond-reach; backfill-running while another stretch is being read.
    """
    ability = Ability(supports=plugin.capabilities, grants=plugin.grants) if plugin else None
    check_readable(account, ability, Capability.FIND_ORDERS)
    routes = routes_back(plugin.routes if plugin else ())
    menu = next((layout.download for layout in plugin.order_layouts), None) if plugin else None
    window = stretch(routes, start, end, at=at, menu=menu)
    await cursors_store.lock_cursors(tx, account.id)
    asked = {
        "from": start.isoformat(),
        "to": end.isoformat(),
        "routes": [route.name for route in routes],
        "account_epoch": account.epoch,
    }
    for last in await operations.list_(tx, limit=1, kind=BACKFILL, subject_id=account.id):
        if last.status in UNDER_WAY and dict(last.asked) == asked:
            return last
        if last.status in UNDER_WAY:
            raise Rejected("another stretch of time of this account is being read", code="backfill-running")
    await cursors_store.plan_window(tx, account.id, [f"{CURSOR}{route.name}" for route in routes], window)
    return await operations.accept(tx, kind=BACKFILL, subject_id=account.id, account_id=account.id, asked=asked, by=by)


async def claim_asked(db: Database, *, limit: int, lease: timedelta) -> list[Operation]:
    """Take what is to be read now; a read may be repeated, so who dies leaves it to be claimed again."""
    return await operations.claim_sendable(db, KINDS, limit=limit, lease=lease)


async def list_stretches(db: Database, account_id: str) -> list[RouteCursor]:
    """Give what is left to be read of the stretch of time that was asked for, by route."""
    async with db.begin() as tx:
        return [kept.cursor for kept in await cursors_store.list_coverage(tx, account_id, beginning=CURSOR)]


async def ingest_stretch(
    db: Database, keyring: Keyring, cursor: RouteCursor, page: Page, *, account: Account, plugin: Plugin, at: datetime
) -> Taken:
    """Store a page of a stretch of time that was asked for; its orders are silent, whatever their age."""
    async with db.begin() as tx:
        await cursors_store.lock_cursors(tx, account.id)
        changes = await take_in(tx, keyring, page.sightings, account=account, plugin=plugin, route=BACKFILL, at=at)
        moved = after_page(cursor, page.position, at=at, request_count=page.request_count)
        if moved.window is None:
            await cursors_store.delete_cursor(tx, account.id, cursor.route)
        else:
            await cursors_store.save_cursor(tx, moved)
    return Taken(cursor=moved, found_count=count_found(changes))


async def refs_of(db: Database, account_id: str, external_ids: Sequence[str]) -> list[OrderRef]:
    """Give by what a marketplace finds orders: all that is known of them, the number alone of others."""
    async with db.begin() as tx:
        known = await store.list_by_number(tx, account_id, external_ids)
    return [
        ref_of(known[external_id]) if external_id in known else OrderRef(external_id=external_id)
        for external_id in external_ids
    ]


async def ids_of(db: Database, account_id: str, external_ids: Sequence[str]) -> dict[str, str]:
    """Give our ids of an account's orders by the marketplace's numbers; those that are not stored are left out."""
    async with db.begin() as tx:
        known = await store.list_by_number(tx, account_id, external_ids)
    return {external_id: order.id for external_id, order in known.items()}


async def settle_asked(
    db: Database,
    operation: Operation,
    status: OperationStatus,
    *,
    failure: Failure | None = None,
    answer: Mapping[str, object] | None = None,
    next_at: datetime | None = None,
) -> None:
    """Write down what became of what was asked: done, refused, or to go on with at `next_at`.

    Raises:
        Retryable: another process took it over (lease-lost).
    """
    mark = Mark(
        id=operation.id,
        fence=operation.fence,
        status=status,
        failure=told(failure) if failure else None,
        answer=answer,
        next_at=next_at,
    )
    async with db.begin() as tx:
        await operations.mark(tx, mark)
