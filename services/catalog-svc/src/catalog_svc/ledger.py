"""Puts changed stock, reservations and facts into one transaction, the same way whatever caused the change."""

from collections.abc import Mapping
from datetime import datetime

from catalog_svc.domain import reservations as holding
from catalog_svc.domain.reservations import Allotment, LineId, Reservation
from catalog_svc.domain.stock import Cause, Stock, restated
from catalog_svc.store import reservations as reservation_store
from catalog_svc.store import stock as stock_store
from hanro import outbox
from hanro.db import Transaction


async def keep(
    tx: Transaction,
    before: Mapping[str, Stock],
    allotment: Allotment,
    *,
    known: Mapping[LineId, Reservation],
    at: datetime,
    cause: Cause,
    by: str,
    order_ids: Mapping[str, str | None],
) -> dict[str, Stock]:
    """Give free units to the lines that wait for them, then write what changed and record the facts.

    `before` are the locked stocks as they were, `order_ids` tells which single order is behind a SKU's change. Gives
    the stocks with their new versions, by SKU.
    """
    free = {sku for sku, stock in allotment.stocks.items() if stock.short_count and stock.available}
    if free:
        rows = {line.key: line for line in await reservation_store.lock_short(tx, free)}
        # What this transaction has just decided is newer than the rows.
        waiting = [allotment.reservations.get(key, line) for key, line in rows.items()]
        filled = holding.fill(allotment.stocks, [line for line in waiting if line.short_count])
        allotment = Allotment(reservations={**allotment.reservations, **filled.reservations}, stocks=filled.stocks)
        known = {**rows, **known}
    changed = [line for key, line in allotment.reservations.items() if known.get(key) != line]
    if changed:
        await reservation_store.save_reservations(tx, changed)
    stocks, facts = {}, []
    for sku in sorted(allotment.stocks):
        stock, told = restated(before[sku], allotment.stocks[sku], at=at, cause=cause, order_id=order_ids.get(sku))
        stocks[sku] = stock
        facts += told
    written = [stock for sku, stock in stocks.items() if stock != before[sku]]
    if written:
        await stock_store.save_stock(tx, written)
    moved = [(stock, stock.on_hand - before[stock.sku].on_hand) for stock in written]
    moved = [(stock, delta) for stock, delta in moved if delta]
    if moved and cause == "order":
        await stock_store.save_movements(tx, moved, cause="shipped", by=by)
    await outbox.record(tx, *facts)
    return stocks
