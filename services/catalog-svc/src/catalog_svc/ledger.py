"""Puts changed stock, reservations and facts into one transaction, the same way whatever caused the change."""

from collections.abc import Mapping
from dataclasses import replace
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
    """Let held and free units fit what is in the house, then write what changed and record the facts.

    `before` are the locked stocks as they were, `order_ids` tells which single order is behind a SKU's change. Gives
    the stocks with their new versions, by SKU.
    """
    overdrawn = {sku for sku, stock in allotment.stocks.items() if stock.available < 0}
    if overdrawn:
        rows = {line.key: line for line in await reservation_store.lock_holding(tx, overdrawn)}
        holders = [line for line in _newest(rows, allotment) if line.sku in overdrawn]
        allotment = _joined(allotment, holding.withdraw(allotment.stocks, holders))
        known = {**rows, **known}
    free = {sku for sku, stock in allotment.stocks.items() if stock.short_count and stock.available}
    if free:
        rows = {line.key: line for line in await reservation_store.lock_short(tx, free)}
        waiting = [line for line in _newest(rows, allotment) if line.short_count]
        allotment = _joined(allotment, holding.fill(allotment.stocks, waiting))
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
    if cause == "order":
        await _write_movements(tx, before, stocks, allotment.restocked, by=by)
    await outbox.record(tx, *facts)
    return stocks


def _newest(rows: Mapping[LineId, Reservation], allotment: Allotment) -> list[Reservation]:
    # What this transaction has just decided is newer than the rows.
    return [allotment.reservations.get(key, line) for key, line in rows.items()]


def _joined(allotment: Allotment, more: Allotment) -> Allotment:
    return replace(allotment, reservations={**allotment.reservations, **more.reservations}, stocks=more.stocks)


async def _write_movements(
    tx: Transaction, before: Mapping[str, Stock], stocks: Mapping[str, Stock], restocked: Mapping[str, int], *, by: str
) -> None:
    """Write down what came back from buyers, and what left for them."""
    back = [(replace(stocks[sku], on_hand=before[sku].on_hand + units), units) for sku, units in restocked.items()]
    if back:
        await stock_store.save_movements(tx, back, cause="returned", by=by)
    left = [(stock, stock.on_hand - before[sku].on_hand - restocked.get(sku, 0)) for sku, stock in stocks.items()]
    if left := [(stock, delta) for stock, delta in left if delta]:
        await stock_store.save_movements(tx, left, cause="shipped", by=by)
