"""Keeps orders, without their buyers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro.db import Transaction
from hanro.errors import Rejected
from order_svc.domain.orders import Order
from order_svc.store.acks import mark_changed
from order_svc.store.order_rows import COLUMNS, READ, StoredOrder, order_of, stored_of
from order_svc.store.terms import save_terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Be the bytes under which an order was sighted: equal ones say nothing new."""

    raw_hash: bytes
    is_readable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """Be the orders of a page that are known: `same` were sighted under equal bytes, `known` were not."""

    known: Mapping[str, Order]
    same: frozenset[str]


# What is equal byte by byte is not read out: a page of known orders costs one look at an index.
_LOCK = """
    select orders.id, orders.external_id, same.is_same
    from unnest($2::text[], $3::bytea[], $4::boolean[]) as look (external_id, raw_hash, is_readable)
    join orders on orders.account_id = $1 and orders.external_id = look.external_id
    cross join lateral (
        select orders.raw_hash = look.raw_hash and orders.is_quarantined = not look.is_readable as is_same
    ) same
    order by orders.id for update of orders
"""


async def lock_orders(tx: Transaction, account_id: str, looks: Mapping[str, Look]) -> Locked:
    """Lock the orders of a page that are known, by external id, sorted by id; those of equal bytes are only named."""
    rows = await tx.fetch(
        _LOCK,
        account_id,
        list(looks),
        [look.raw_hash for look in looks.values()],
        [look.is_readable for look in looks.values()],
    )
    changed = [row["id"] for row in rows if not row["is_same"]]
    # They are locked: a second statement may read them, and sees the newest.
    found = await tx.fetch(f"{READ} where id = any($1::text[])", changed) if changed else []
    return Locked(
        known={row["external_id"]: order_of(row) for row in found},
        same=frozenset(row["external_id"] for row in rows if row["is_same"]),
    )


async def save_seen(tx: Transaction, account_id: str, seen: Mapping[str, datetime]) -> None:
    """Note when orders that were looked at and say nothing new were seen; what was seen before then is old from now."""
    if not seen:
        return
    await tx.execute(
        """
        update orders set seen_at = look.seen_at
        from unnest($2::text[], $3::timestamptz[]) as look (external_id, seen_at)
        where orders.account_id = $1 and orders.external_id = look.external_id and orders.seen_at < look.seen_at
        """,
        account_id,
        list(seen),
        list(seen.values()),
    )


async def save_payments_read(tx: Transaction, account_id: str, read: Mapping[str, datetime]) -> None:
    """Note when payments of orders were looked at, and said nothing new of refunds."""
    if not read:
        return
    await tx.execute(
        """
        update orders set refunds_read_at = look.read_at
        from unnest($2::text[], $3::timestamptz[]) as look (external_id, read_at)
        where orders.account_id = $1 and orders.external_id = look.external_id
            and (orders.refunds_read_at is null or orders.refunds_read_at < look.read_at)
        """,
        account_id,
        list(read),
        list(read.values()),
    )


async def save_orders(tx: Transaction, orders: Sequence[Order]) -> None:
    """Store orders as they stand now, new and known ones: rows, what finds them, and that consumers are to look."""
    if not orders:
        return
    ordered = sorted(orders, key=lambda order: order.id)
    # Known rows are locked by who saves them: to look for a conflict at each row would be for nothing.
    if new := [order for order in ordered if order.version == 1]:
        at = await tx.now()
        await tx.insert("orders", _NEW, [(*(column.of(order) for column in COLUMNS), at, at, at) for order in new])
    if known := [order for order in ordered if order.version > 1]:
        columns = [[column.sent(order) for order in known] for column in COLUMNS]
        await tx.execute(_UPDATE.replace("{now}", tx.now_sql), *columns)
    await save_terms(tx, ordered)
    await mark_changed(tx, {order.id: order.account_id for order in ordered})


_NAMES = ", ".join(column.name for column in COLUMNS)
_NEW = (*(column.name for column in COLUMNS), "created_at", "changed_at", "followed_at")
_UPDATE = f"""
    update orders set {", ".join(f"{column.name} = {column.value}" for column in COLUMNS if not column.is_for_good)},
        changed_at = clock.at, followed_at = clock.at
    from unnest({", ".join(f"${place}::{column.type}[]" for place, column in enumerate(COLUMNS, 1))}) as t ({_NAMES}),
        (select {{now}} as at) clock
    where orders.id = t.id
"""  # noqa: S608  names of ours


async def find_order(tx: Transaction, order_id: str, *, is_locked: bool = False) -> StoredOrder | None:
    """Give one order, or None."""
    rows = await tx.fetch(f"{READ} where id = $1 {'for update' if is_locked else ''}", order_id)
    return stored_of(rows[0]) if rows else None


async def get_visible(
    tx: Transaction, order_id: str, account_ids: Sequence[str] | None, *, is_locked: bool = False
) -> StoredOrder:
    """Give an order that a caller may see; `account_ids` None: all.

    Raises:
        Rejected: there is none for this caller (not-found).
    """
    found = await find_order(tx, order_id, is_locked=is_locked)
    if found is None or (account_ids is not None and found.order.account_id not in account_ids):
        raise Rejected("there is no such order", code="not-found")
    return found


async def lock_visible(tx: Transaction, order_id: str, account_ids: Sequence[str] | None) -> Order:
    """Lock an order that a caller may see, and give it as `get_visible` does."""
    return (await get_visible(tx, order_id, account_ids, is_locked=True)).order


async def lock_orders_by_id(tx: Transaction, order_ids: Sequence[str]) -> dict[str, Order]:
    """Lock orders, sorted by id, and give them by id."""
    rows = await tx.fetch(f"{READ} where id = any($1::text[]) order by id for update", sorted(order_ids))
    return {row["id"]: order_of(row) for row in rows}


async def lock_unmapped(tx: Transaction, account_ids: Sequence[str], keys: Sequence[str]) -> list[Order]:
    """Lock the orders of some accounts that wait for one of these keys to be mapped, sorted by id."""
    rows = await tx.fetch(
        f"""
        {READ}
        where account_id = any($1::text[]) and unmapped_keys && $2::text[] and unmapped_keys <> '{{}}'
        order by id for update
        """,
        list(account_ids),
        list(keys),
    )
    return [order_of(row) for row in rows]


async def get_orders(tx: Transaction, order_ids: Sequence[str]) -> dict[str, Order]:
    """Give orders by id; those that are not there are left out."""
    rows = await tx.fetch(f"{READ} where id = any($1::text[])", list(order_ids))
    return {row["id"]: order_of(row) for row in rows}


async def list_by_number(tx: Transaction, account_id: str, external_ids: Sequence[str]) -> dict[str, Order]:
    """Give an account's orders by the marketplace's numbers; those that are not there are left out."""
    rows = await tx.fetch(
        f"{READ} where account_id = $1 and external_id = any($2::text[])", account_id, list(external_ids)
    )
    return {row["external_id"]: order_of(row) for row in rows}


async def list_unseen(
    tx: Transaction,
    account_id: str,
    statuses: Sequence[str],
    seen: Sequence[str],
    *,
    known_before: datetime,
    limit: int,
) -> list[Order]:
    """Give orders in these statuses that a sweep did not show, those first that were followed up longest ago.

    Those that were first seen, or seen to change, at `known_before` or later were simply not there for that sweep.
    """
    rows = await tx.fetch(
        f"""
        {READ}
        where account_id = $1 and status = any($2::text[]) and external_id <> all($3::text[])
            and seen_at < $4 and not (is_quarantined and external_id like 'unreadable-%')
        order by followed_at limit $5
        """,
        account_id,
        list(statuses),
        list(seen),
        known_before,
        limit,
    )
    return [order_of(row) for row in rows]


async def list_to_follow(
    tx: Transaction, account_id: str, statuses: Sequence[str], *, older_than: timedelta, limit: int
) -> list[Order]:
    """Give orders in these statuses that were last followed up longer ago than that, the longest first."""
    rows = await tx.fetch(
        f"""
        {READ}
        where account_id = $1 and status = any($2::text[]) and followed_at < {tx.now_sql} - $3::interval
        order by followed_at limit $4
        """,
        account_id,
        list(statuses),
        older_than,
        limit,
    )
    return [order_of(row) for row in rows]


async def save_followed(tx: Transaction, order_ids: Sequence[str]) -> None:
    """Note that orders were read again, whether or not that changed them."""
    await tx.execute(
        f"""
        update orders set followed_at = {tx.now_sql}
        from (select id from orders where id = any($1::text[]) order by id for update) held where orders.id = held.id
        """,  # noqa: S608  the schema's own clock
        sorted(order_ids),
    )
