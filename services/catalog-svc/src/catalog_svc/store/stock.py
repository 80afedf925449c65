"""Reads and writes the stock of SKUs and its movements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from catalog_svc.domain.stock import Stock
from hanro.db import Transaction

COLUMNS = "id, sku, version, on_hand, committed, safety_buffer, short_count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Be one change of the units in the house; `delta` is what came or left, `on_hand_after` what is there then."""

    position: int
    sku: str
    at: datetime
    delta: int
    on_hand_after: int
    cause: str
    note: str | None
    order_id: str | None
    by: str


async def lock_stock(tx: Transaction, skus: Collection[str]) -> dict[str, Stock]:
    """Lock the stock of some SKUs, sorted by SKU; unknown ones are left out."""
    rows = await tx.fetch(
        f"select {COLUMNS} from stock where sku = any($1::text[]) order by sku for update",  # noqa: S608  constants
        sorted(skus),
    )
    return {row["sku"]: _stock(row) for row in rows}


async def find_stock(tx: Transaction, sku: str) -> Stock | None:
    """Give the stock of a SKU, None where there is none."""
    rows = await tx.fetch(f"select {COLUMNS} from stock where sku = $1", sku)  # noqa: S608  constants
    return _stock(rows[0]) if rows else None


async def list_stock(tx: Transaction, *, after: str | None, limit: int) -> list[Stock]:
    """List stock by SKU, those after `after`."""
    rows = await tx.fetch(
        f"select {COLUMNS} from stock where $1::text is null or sku > $1 order by sku limit $2",  # noqa: S608  constants
        after,
        limit,
    )
    return [_stock(row) for row in rows]


async def save_stock(tx: Transaction, stocks: Sequence[Stock]) -> None:
    """Write figures and versions of stock that is locked."""
    await tx.execute(
        f"""
        update stock set version = new.version, on_hand = new.on_hand, committed = new.committed,
            safety_buffer = new.safety_buffer, short_count = new.short_count, changed_at = {tx.now_sql}
        from unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[])
            as new (sku, version, on_hand, committed, safety_buffer, short_count)
        where stock.sku = new.sku
        """,  # noqa: S608  constants
        [stock.sku for stock in stocks],
        [stock.version for stock in stocks],
        [stock.on_hand for stock in stocks],
        [stock.committed for stock in stocks],
        [stock.safety_buffer for stock in stocks],
        [stock.short_count for stock in stocks],
    )


async def create_stock(tx: Transaction, ids: Sequence[str], skus: Sequence[str]) -> None:
    """Give new SKUs an empty stock; those that have one keep it."""
    await tx.execute(
        "insert into stock (id, sku) select * from unnest($1::text[], $2::text[]) on conflict (sku) do nothing",
        list(ids),
        list(skus),
    )


async def delete_stock(tx: Transaction, skus: Collection[str]) -> None:
    """Forget the stock of SKUs that are no more."""
    await tx.execute("delete from stock where sku = any($1::text[])", sorted(skus))


async def save_movements(
    tx: Transaction,
    changes: Sequence[tuple[Stock, int]],
    *,
    cause: str,
    by: str,
    note: str | None = None,
    order_id: str | None = None,
) -> None:
    """Write down that units came or left: pairs of the stock afterwards and the units."""
    await tx.execute(
        """
        insert into movements (sku, delta, on_hand_after, cause, by, note, order_id)
        select sku, delta, on_hand_after, $4, $5, $6, $7
        from unnest($1::text[], $2::int[], $3::int[]) as new (sku, delta, on_hand_after)
        """,
        [stock.sku for stock, _ in changes],
        [delta for _, delta in changes],
        [stock.on_hand for stock, _ in changes],
        cause,
        by,
        note,
        order_id,
    )


async def orders_moved(tx: Transaction, order_ids: Collection[str]) -> set[str]:
    """Give those of some orders that a movement by hand names."""
    rows = await tx.fetch("select distinct order_id from movements where order_id = any($1::text[])", sorted(order_ids))
    return {row["order_id"] for row in rows}


async def list_movements(tx: Transaction, sku: str, *, before: int | None, limit: int) -> list[Movement]:
    """List the movements of a SKU, newest first, those before a position."""
    rows = await tx.fetch(
        """
        select position, sku, at, delta, on_hand_after, cause, note, order_id, by from movements
        where sku = $1 and ($2::bigint is null or position < $2) order by position desc limit $3
        """,
        sku,
        before,
        limit,
    )
    return [Movement(**dict(row)) for row in rows]


def _stock(row: Record) -> Stock:
    return Stock(**dict(row))
