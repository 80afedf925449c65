"""Keeps how far each route of an account was read; locking them serialises what may find one order twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.marketplace.types import Cursor, Window
from order_svc.domain.windows import RouteCursor

if TYPE_CHECKING:
    import asyncpg

_COLUMNS = """
    account_id, route, covered_until, window_start, window_end, position, gap_start, gap_end, last_run_at,
    last_done_at, request_count, last_request_count
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteError:
    """Be what ended the last run of a route that failed."""

    code: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Be how well a route is read: how far, and what went wrong since it was read to the end last, if anything."""

    cursor: RouteCursor
    error: RouteError | None


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
        f"select {_COLUMNS} from cursors where account_id = $1 order by route for update",  # noqa: S608  columns of ours
        account_id,
    )
    return {row["route"]: _cursor(row) for row in rows}


async def plan_window(tx: Transaction, account_id: str, routes: Sequence[str], window: Window) -> None:
    """Make cursors that are to read one window and nothing else; those that exist begin it anew."""
    await tx.execute(
        """
        insert into cursors (account_id, route, window_start, window_end)
        select $1, route, $3, $4 from unnest($2::text[]) as t (route)
        on conflict (account_id, route) do update set window_start = excluded.window_start,
            window_end = excluded.window_end, position = null, request_count = 0
        """,
        account_id,
        list(routes),
        window.start,
        window.end,
    )


async def delete_cursor(tx: Transaction, account_id: str, route: str) -> None:
    """Forget one cursor: its window is read, and there is no next one."""
    await tx.execute("delete from cursors where account_id = $1 and route = $2", account_id, route)


async def list_coverage(tx: Transaction, account_id: str, *, beginning: str = "") -> list[Coverage]:
    """Give how well each route of an account is read, by name; `beginning`: only those whose names begin so."""
    rows = await tx.fetch(
        f"""
        select {_COLUMNS}, error_code, error_why, error_at from cursors
        where account_id = $1 and starts_with(route, $2) order by route
        """,  # noqa: S608  columns of ours
        account_id,
        beginning,
    )
    return [
        Coverage(
            cursor=_cursor(row),
            error=RouteError(code=row["error_code"], why=row["error_why"], at=row["error_at"])
            if row["error_code"] is not None
            else None,
        )
        for row in rows
    ]


async def lock_all_cursors(tx: Transaction, account_ids: Sequence[str]) -> None:
    """Lock all cursors of some accounts, sorted by account and route."""
    await tx.execute(
        "select 1 from cursors where account_id = any($1::text[]) order by account_id, route for update",
        sorted(account_ids),
    )


async def save_cursor(tx: Transaction, cursor: RouteCursor) -> None:
    """Store how far a route was read; one that was read to the end has no error any more."""
    await tx.execute(
        """
        update cursors set covered_until = $3, window_start = $4, window_end = $5, position = $6, gap_start = $7,
            gap_end = $8, last_run_at = $9, last_done_at = $10, request_count = $11, last_request_count = $12,
            error_code = case when $4::timestamptz is not null then error_code end,
            error_why = case when $4::timestamptz is not null then error_why end,
            error_at = case when $4::timestamptz is not null then error_at end
        where account_id = $1 and route = $2
        """,
        cursor.account_id,
        cursor.route,
        cursor.covered_until,
        cursor.window.start if cursor.window else None,
        cursor.window.end if cursor.window else None,
        cursor.position,
        cursor.gap.start if cursor.gap else None,
        cursor.gap.end if cursor.gap else None,
        cursor.last_run_at,
        cursor.last_done_at,
        cursor.request_count,
        cursor.last_request_count,
    )


async def save_error(tx: Transaction, account_id: str, route: str, error: RouteError) -> None:
    """Note what ended a run of a route; how far it was read stays as it is."""
    await tx.execute(
        """
        update cursors set error_code = $3, error_why = $4, error_at = $5 where account_id = $1 and route = $2
        """,
        account_id,
        route,
        error.code,
        error.why,
        error.at,
    )


async def close_gaps(tx: Transaction, account_id: str, until: datetime) -> int:
    """Forget gaps that end no later than `until`; give how many."""
    return await tx.execute(
        """
        update cursors set gap_start = null, gap_end = null from (
            select route from cursors where account_id = $1 and gap_end <= $2 order by route for update
        ) held where cursors.account_id = $1 and cursors.route = held.route
        """,
        account_id,
        until,
    )


async def delete_cursors(tx: Transaction, account_id: str) -> None:
    """Forget how far an account's routes were read."""
    await tx.execute("delete from cursors where account_id = $1", account_id)


def _cursor(row: "asyncpg.Record") -> RouteCursor:
    return RouteCursor(
        account_id=row["account_id"],
        route=row["route"],
        covered_until=row["covered_until"],
        window=_window(row["window_start"], row["window_end"]),
        position=None if row["position"] is None else Cursor(row["position"]),
        gap=_window(row["gap_start"], row["gap_end"]),
        last_run_at=row["last_run_at"],
        last_done_at=row["last_done_at"],
        request_count=row["request_count"],
        last_request_count=row["last_request_count"],
    )


def _window(start: datetime | None, end: datetime | None) -> Window | None:
    return None if start is None or end is None else Window(start=start, end=end)
