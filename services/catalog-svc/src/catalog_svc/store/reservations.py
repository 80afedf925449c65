"""Reads and writes what order lines hold of stock."""

from collections.abc import Collection, Iterable, Sequence

from asyncpg import Record

from catalog_svc.domain.reservations import Reservation
from hanro.db import Transaction

COLUMNS = (
    "order_id, line_id, account_id, external_id, placed_at, match_key, title, sku, wanted, reserved, shipped, gone,"
    " restocked"
)


async def skus_of_orders(tx: Transaction, order_ids: Collection[str]) -> set[str]:
    """Give the SKUs that the lines of some orders name, without a lock."""
    rows = await tx.fetch(
        "select distinct sku from reservations where order_id = any($1::text[]) and sku is not null", sorted(order_ids)
    )
    return {row["sku"] for row in rows}


async def lock_reservations(tx: Transaction, order_ids: Collection[str]) -> list[Reservation]:
    """Lock the lines of some orders, sorted."""
    rows = await tx.fetch(
        f"select {COLUMNS} from reservations where order_id = any($1::text[]) order by order_id, line_id for update",  # noqa: S608  constants
        sorted(order_ids),
    )
    return [_reservation(row) for row in rows]


async def lock_short(tx: Transaction, skus: Collection[str]) -> list[Reservation]:
    """Lock the lines that lack units of some SKUs, sorted; call it with their stock locked."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from reservations where sku = any($1::text[]) and reserved < wanted
        order by order_id, line_id for update
        """,  # noqa: S608  constants
        sorted(skus),
    )
    return [_reservation(row) for row in rows]


async def lock_holding(tx: Transaction, skus: Collection[str]) -> list[Reservation]:
    """Lock the lines that hold units of some SKUs, sorted; call it with their stock locked."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from reservations where sku = any($1::text[]) and reserved > 0
        order by order_id, line_id for update
        """,  # noqa: S608  constants
        sorted(skus),
    )
    return [_reservation(row) for row in rows]


async def skus_of_keys(tx: Transaction, account_id: str, match_keys: Collection[str]) -> set[str]:
    """Give the SKUs that lines with some keys are mapped to now, without a lock."""
    rows = await tx.fetch(
        """
        select distinct sku from reservations
        where account_id = $1 and match_key = any($2::text[]) and sku is not null
        """,
        account_id,
        sorted(match_keys),
    )
    return {row["sku"] for row in rows}


async def lock_by_keys(tx: Transaction, account_id: str, match_keys: Collection[str]) -> list[Reservation]:
    """Lock the lines of an account with some keys, oldest order first."""
    rows = await tx.fetch(
        f"""
        with locked as (
            select {COLUMNS} from reservations where account_id = $1 and match_key = any($2::text[])
            order by order_id, line_id for update
        )
        select {COLUMNS} from locked order by placed_at, order_id, line_id
        """,  # noqa: S608  constants
        account_id,
        sorted(match_keys),
    )
    return [_reservation(row) for row in rows]


async def save_reservations(tx: Transaction, reservations: Iterable[Reservation]) -> None:
    """Write lines; those that want nothing stay, so that a later fact can be compared with them."""
    lines = list(reservations)
    await tx.execute(
        f"""
        insert into reservations ({COLUMNS})
        select {COLUMNS} from unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
            $9::int[], $10::int[], $11::int[], $12::int[], $13::int[]
        ) as new ({COLUMNS})
        on conflict (order_id, line_id) do update set match_key = excluded.match_key, title = excluded.title,
            sku = excluded.sku, wanted = excluded.wanted, reserved = excluded.reserved, shipped = excluded.shipped,
            gone = excluded.gone, restocked = excluded.restocked
        """,  # noqa: S608  constants
        *([getattr(line, column) for line in lines] for column in COLUMNS.split(", ")),
    )


async def list_reservations(
    tx: Transaction,
    *,
    shop_ids: Sequence[str] | None,
    order_id: str | None,
    account_id: str | None,
    sku: str | None,
    after: Sequence[str] | None,
    limit: int,
) -> list[Reservation]:
    """List lines of what these shops may see by order and line, those after a pair of ids; None filters nothing."""
    after_order, after_line = after or ("", "")
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from reservations
        where ($1::text is null or order_id = $1) and ($2::text is null or account_id = $2)
            and ($3::text is null or sku = $3) and (order_id, line_id) > ($4, $5)
            and ($7::text[] is null or account_id in (select id from accounts where shop_ids && $7))
        order by order_id, line_id limit $6
        """,  # noqa: S608  constants
        order_id,
        account_id,
        sku,
        after_order,
        after_line,
        limit,
        None if shop_ids is None else list(shop_ids),
    )
    return [_reservation(row) for row in rows]


def _reservation(row: Record) -> Reservation:
    return Reservation(**dict(row))
