"""Keeps how far each route of an account was read; locking them serialises what may find one order twice."""

from collections.abc import Sequence

from hanro.db import Transaction
from hanro.marketplace.types import Cursor, Window
from order_svc.domain.windows import RouteCursor


async def plan_cursors(tx: Transaction, account_id: str, routes: Sequence[str]) -> None:
    """Make the cursors that are missing; those that exist stay, so that a gap is filled."""
    await tx.execute(
        """
        insert into cursors (account_id, route) select $1, route from unnest($2::text[]) as t (route)
        on conflict do nothing
        """,
        account_id,
        list(routes),
    )


async def lock_cursors(tx: Transaction, account_id: str) -> dict[str, RouteCursor]:
    """Lock all cursors of an account, by route: who holds them alone may store orders that are not there yet."""
    rows = await tx.fetch(
        """
        select route, covered_until, window_start, window_end, position from cursors
        where account_id = $1 order by route for update
        """,
        account_id,
    )
    return {
        row["route"]: RouteCursor(
            account_id=account_id,
            route=row["route"],
            covered_until=row["covered_until"],
            window=Window(start=row["window_start"], end=row["window_end"]) if row["window_start"] else None,
            position=None if row["position"] is None else Cursor(row["position"]),
        )
        for row in rows
    }


async def save_cursor(tx: Transaction, cursor: RouteCursor) -> None:
    """Store how far a route was read."""
    await tx.execute(
        """
        update cursors set covered_until = $3, window_start = $4, window_end = $5, position = $6
        where account_id = $1 and route = $2
        """,
        cursor.account_id,
        cursor.route,
        cursor.covered_until,
        cursor.window.start if cursor.window else None,
        cursor.window.end if cursor.window else None,
        cursor.position,
    )


async def delete_cursors(tx: Transaction, account_id: str) -> None:
    """Forget how far an account's routes were read."""
    await tx.execute("delete from cursors where account_id = $1", account_id)
