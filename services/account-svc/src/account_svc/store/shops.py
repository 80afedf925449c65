"""Stores internal shops: those that may use accounts."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.errors import Rejected

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Be an internal shop: who may use which accounts is said by shop. `version` grows with each change."""

    id: str
    display_name: str
    version: int
    created_at: datetime


# Never a star: a column that a later version brings must not reach the code of this one.
COLUMNS = ", ".join(one.name for one in fields(Shop))


async def insert_shop(tx: Transaction, shop: Shop) -> None:
    """Store a new shop."""
    await tx.execute(
        "insert into shops (id, display_name, version, created_at) values ($1, $2, $3, $4)",
        shop.id,
        shop.display_name,
        shop.version,
        shop.created_at,
    )


async def save_shop(tx: Transaction, shop: Shop) -> None:
    """Store a shop that is locked."""
    await tx.execute(
        "update shops set display_name = $2, version = $3 where id = $1", shop.id, shop.display_name, shop.version
    )


async def delete_shop(tx: Transaction, shop_id: str) -> None:
    """Delete a shop that is locked."""
    await tx.execute("delete from shops where id = $1", shop_id)


async def list_shops(
    tx: Transaction, *, limit: int, after: str | None = None, ids: Sequence[str] | None = None
) -> list[Shop]:
    """Give shops by id, at most `limit` behind `after`; `ids` None: all."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from shops
        where ($1::text is null or id > $1) and ($2::text[] is null or id = any($2)) order by id limit $3
        """,  # noqa: S608  columns of ours
        after,
        None if ids is None else list(ids),
        limit,
    )
    return [_shop(row) for row in rows]


async def get_shop(tx: Transaction, shop_id: str) -> Shop:
    """Give a shop without locking it.

    Raises:
        Rejected: there is none of that id; code "not-found".
    """
    return _only(await tx.fetch(f"select {COLUMNS} from shops where id = $1", shop_id))  # noqa: S608  columns of ours


async def lock_shop(tx: Transaction, shop_id: str) -> Shop:
    """Lock a shop: nothing is bound to it until the transaction ends.

    Raises:
        Rejected: there is none of that id; code "not-found".
    """
    return _only(await tx.fetch(f"select {COLUMNS} from shops where id = $1 for update", shop_id))  # noqa: S608  columns of ours


async def hold_shops(tx: Transaction, shop_ids: Sequence[str]) -> set[str]:
    """Keep shops from being deleted until the transaction ends, sorted by id; give the ids of those that exist."""
    rows = await tx.fetch(
        "select id from shops where id = any($1::text[]) order by id for key share", sorted(set(shop_ids))
    )
    return {row["id"] for row in rows}


def _only(rows: "Sequence[asyncpg.Record]") -> Shop:
    if not rows:
        raise Rejected("There is no such internal shop.", code="not-found")
    return _shop(rows[0])


def _shop(row: "asyncpg.Record") -> Shop:
    return Shop(**dict(row))
