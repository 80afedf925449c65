"""Keeps reservations equal to what orders and mappings say, one transaction a batch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog_svc import ledger
from catalog_svc.domain import reservations as holding
from catalog_svc.domain.reservations import LineId, Reservation
from catalog_svc.domain.stock import Cause, Stock
from catalog_svc.store import listings as listing_store
from catalog_svc.store import reservations as store
from catalog_svc.store import stock as stock_store
from hanro.db import Transaction

ACTOR = "catalog-svc"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """Be what is known around one order: its lines, the SKUs of its keys, and the stocks that may be touched.

    `is_moved_by_hand`: a movement of units names the order.
    """

    lines: tuple[Reservation, ...]
    skus: Mapping[str, str]
    stocks: Mapping[str, Stock]
    is_moved_by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Be what an order should hold from now on; nothing is `asked` where the fact says nothing about lines."""

    known: KnownOrder
    asked: tuple[Reservation, ...]


async def look_up(tx: Transaction, orders: Mapping[str, tuple[str, Collection[str]]]) -> dict[str, KnownOrder]:
    """Lock what some orders touch: mappings are kept from changing, stock is locked by SKU, then the orders' lines.

    `orders` gives account and match keys by order id.
    """
    await listing_store.share_accounts(tx, {account_id for account_id, _ in orders.values()})
    skus = await listing_store.skus_by_key(
        tx, {(account_id, key) for account_id, keys in orders.values() for key in keys}
    )
    touched = set(skus.values()) | await store.skus_of_orders(tx, orders.keys())
    stocks = await stock_store.lock_stock(tx, touched)
    moved = await stock_store.orders_moved(tx, orders.keys())
    lines: dict[str, list[Reservation]] = {order_id: [] for order_id in orders}
    for line in await store.lock_reservations(tx, orders.keys()):
        lines[line.order_id].append(line)
    return {
        order_id: KnownOrder(
            lines=tuple(lines[order_id]),
            skus={key: skus[account_id, key] for key in keys if (account_id, key) in skus},
            stocks=stocks,
            is_moved_by_hand=order_id in moved,
        )
        for order_id, (account_id, keys) in orders.items()
    }


async def follow(tx: Transaction, changes: Sequence[Change], at: datetime) -> None:
    """Make reservations what the changes ask for; oldest order first where stock is short."""
    asked = sorted(
        (line for change in changes for line in change.asked),
        key=lambda line: (line.placed_at, line.order_id, line.line_id),
    )
    if not asked:
        return
    known = {line.key: line for change in changes for line in change.known.lines}
    before = {sku: stock for change in changes for sku, stock in change.known.stocks.items()}
    await _allot(tx, before, known, asked, at=at, cause="order")


async def remap(tx: Transaction, account_id: str, skus: Mapping[str, str], at: datetime) -> None:
    """Let lines whose key is mapped to another SKU now (or to one at last) hold that; the account is locked."""
    before_skus = await store.skus_of_keys(tx, account_id, skus.keys())
    before = await stock_store.lock_stock(tx, before_skus | set(skus.values()))
    lines = await store.lock_by_keys(tx, account_id, skus.keys())
    known = {line.key: line for line in lines if line.sku != skus[line.match_key or ""]}
    asked = [holding.mapped(line, skus[line.match_key or ""]) for line in known.values()]
    if asked:
        await _allot(tx, before, known, asked, at=at, cause="mapping")


async def _allot(
    tx: Transaction,
    before: Mapping[str, Stock],
    known: Mapping[LineId, Reservation],
    asked: Sequence[Reservation],
    *,
    at: datetime,
    cause: Cause,
) -> None:
    needed = _skus_of((*known.values(), *asked))
    allotment = holding.allot({sku: before[sku] for sku in needed}, known, asked)
    await ledger.keep(tx, before, allotment, known=known, at=at, cause=cause, by=ACTOR, order_ids=_single_orders(asked))


def _skus_of(lines: Iterable[Reservation]) -> set[str]:
    return {line.sku for line in lines if line.sku is not None}


def _single_orders(lines: Iterable[Reservation]) -> dict[str, str | None]:
    orders: dict[str, set[str]] = {}
    for line in lines:
        if line.sku is not None:
            orders.setdefault(line.sku, set()).add(line.order_id)
    return {sku: next(iter(ids)) if len(ids) == 1 else None for sku, ids in orders.items()}
