"""Tells, once for each, of orders that must be decided soon."""

from dataclasses import replace
from datetime import timedelta

from hanro import outbox
from hanro.db import Database
from hanro.events.orders import OrderDecisionDue
from order_svc.domain.orders import restate
from order_svc.store import deadlines as store
from order_svc.store import orders as orders_store

AT_ONCE = 100


async def tell_due(db: Database, within: timedelta) -> int:
    """Record of each order that must be decided within a time that it must, once for each of its deadlines.

    Gives how many were told now, at most 100: ask again while it is as many.
    """
    async with db.begin() as tx:
        found = await store.lock_due(tx, within, limit=AT_ONCE)
        if not found:
            return 0
        at = await tx.now()
        due = [replace(order, version=order.version + 1) for order in found]
        await orders_store.save_orders(tx, due)
        await store.save_told(tx, [order.id for order in due])
        await outbox.record(tx, *(restate(OrderDecisionDue, order, at) for order in due))
    return len(found)
