"""Keeps which orders consumers have to look at: those that changed since they acknowledged them."""

from collections.abc import Mapping, Sequence

from hanro.db import Transaction


async def save_consumer(tx: Transaction, name: str) -> None:
    """Know a consumer from now on; all orders that there are wait for a new one.

    Writers of orders are shut out until the commit, once in a consumer's life: else an order that is saved meanwhile
    would be marked for it neither here nor there.
    """
    if await tx.fetch("select 1 from consumers where name = $1", name):
        return
    await tx.execute("set local statement_timeout = '60s'")
    await tx.execute("lock table orders in share row exclusive mode")
    new = await tx.fetch(
        f"insert into consumers (name, known_since) values ($1, {tx.now_sql}) on conflict do nothing returning 1",  # noqa: S608  the schema's own clock
        name,
    )
    if new:
        await tx.execute(
            "insert into unacknowledged (consumer, account_id, order_id) select $1, account_id, id from orders", name
        )
    await tx.execute("set local statement_timeout to default")


async def is_known(tx: Transaction, name: str) -> bool:
    """Tell whether a consumer ever acknowledged anything."""
    return bool(await tx.fetch("select 1 from consumers where name = $1", name))


async def find_newest(tx: Transaction, name: str) -> str | None:
    """Give the last one found of the orders that a consumer has to look at; None: there is nothing."""
    ((newest,),) = await tx.fetch("select max(order_id) from unacknowledged where consumer = $1", name)
    return None if newest is None else str(newest)


async def mark_changed(tx: Transaction, accounts: Mapping[str, str]) -> None:
    """Let every known consumer look at orders that changed, by id: whose they are. Who saves them has locked them."""
    await tx.execute(
        """
        insert into unacknowledged (consumer, account_id, order_id)
        select name, account_id, order_id from consumers
        cross join unnest($1::text[], $2::text[]) as t (order_id, account_id)
        order by name, order_id on conflict do nothing
        """,
        list(accounts),
        list(accounts.values()),
    )


async def share_versions(
    tx: Transaction, order_ids: Sequence[str], account_ids: Sequence[str] | None
) -> dict[str, int]:
    """Keep orders from changing until the commit, and give their versions; None: of all accounts."""
    rows = await tx.fetch(
        """
        select id, version from orders where id = any($1::text[]) and ($2::text[] is null or account_id = any($2))
        order by id for share
        """,
        sorted(set(order_ids)),
        None if account_ids is None else list(account_ids),
    )
    return {row["id"]: row["version"] for row in rows}


async def save_acknowledged(tx: Transaction, name: str, order_ids: Sequence[str]) -> None:
    """Let a consumer look at orders no more until they change."""
    await tx.execute(
        "delete from unacknowledged where consumer = $1 and order_id = any($2::text[])", name, sorted(order_ids)
    )
