"""Keeps what accounts leave to hanro, and finds the orders that are."""

from collections.abc import Collection, Sequence

from hanro.db import Transaction
from order_svc.domain.orders import Order
from order_svc.domain.policies import NOTHING_SAID, Policy
from order_svc.store.order_rows import READ, order_of


async def get_policy(tx: Transaction, account_id: str) -> Policy:
    """Give what an account leaves to hanro."""
    rows = await tx.fetch("select version, accept from acceptance_policies where account_id = $1", account_id)
    return Policy(version=rows[0]["version"], accept=rows[0]["accept"]) if rows else NOTHING_SAID


async def lock_policy(tx: Transaction, account_id: str) -> Policy:
    """Give what an account leaves to hanro; nobody changes it meanwhile, also where nothing was said yet."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{account_id} acceptance")
    return await get_policy(tx, account_id)


async def save_policy(tx: Transaction, account_id: str, policy: Policy) -> None:
    """Store what an account leaves to hanro."""
    await tx.execute(
        f"""
        insert into acceptance_policies (account_id, version, accept, changed_at) values ($1, $2, $3, {tx.now_sql})
        on conflict (account_id) do update set
            version = excluded.version, accept = excluded.accept, changed_at = excluded.changed_at
        """,  # noqa: S608  the schema's own clock
        account_id,
        policy.version,
        policy.accept,
    )


async def delete_policy(tx: Transaction, account_id: str) -> None:
    """Forget what an account left to hanro."""
    await tx.execute("delete from acceptance_policies where account_id = $1", account_id)


async def list_automatic(tx: Transaction, account_ids: Collection[str]) -> list[str]:
    """Give those of some accounts whose orders are accepted by themselves."""
    rows = await tx.fetch(
        """
        select account_id from acceptance_policies where account_id = any($1::text[]) and accept = 'automatic'
        order by account_id
        """,
        sorted(account_ids),
    )
    return [row["account_id"] for row in rows]


async def lock_waiting(tx: Transaction, account_ids: Sequence[str]) -> list[Order]:
    """Lock the orders of accounts that wait to be accepted and are not held back, sorted by id."""
    rows = await tx.fetch(
        f"""
        {READ}
        where account_id = any($1::text[]) and status = 'new'
            and not is_quarantined and not is_backfilled and not is_from_file
        order by id for update
        """,
        list(account_ids),
    )
    return [order_of(row) for row in rows]
