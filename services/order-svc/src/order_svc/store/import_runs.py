"""Keeps where the rows of a file stand until their order is stored: a run is what follows each other of one order."""

from collections.abc import Sequence
from dataclasses import dataclass

from hanro.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Be rows of one order that follow each other: the first one's number, and their bytes in the file.

    `group_key` is what they have in common with all rows of their order. What `is_refused` is one row that cannot be
    read, and has its outcome.
    """

    number: int
    row_count: int
    start: int
    length: int
    group_key: bytes
    is_refused: bool = False

    @property
    def numbers(self) -> range:
        """Give the numbers of its rows."""
        return range(self.number, self.number + self.row_count)


async def save_runs(tx: Transaction, import_id: str, runs: Sequence[Run]) -> None:
    """Store runs that were found behind those that are stored, in two statements; of each order one is the first."""
    keys = list(dict.fromkeys(run.group_key for run in runs))
    known = await tx.fetch(
        "select distinct group_key from import_runs where import_id = $1 and group_key = any($2::bytea[])",
        import_id,
        keys,
    )
    seen = {row["group_key"] for row in known}
    is_first = []
    for run in runs:
        is_first.append(run.group_key not in seen)
        seen.add(run.group_key)
    await tx.execute(
        """
        insert into import_runs (import_id, number, row_count, start, length, group_key, is_refused, is_first)
        select $1, * from unnest($2::int[], $3::int[], $4::bigint[], $5::int[], $6::bytea[], $7::bool[], $8::bool[])
        """,
        import_id,
        [run.number for run in runs],
        [run.row_count for run in runs],
        [run.start for run in runs],
        [run.length for run in runs],
        [run.group_key for run in runs],
        [run.is_refused for run in runs],
        is_first,
    )


async def list_behind(tx: Transaction, import_id: str, *, after: int, limit: int) -> list[Run]:
    """Give all runs of the next `limit` orders, by number: those whose first row stands behind the row `after`."""
    keys = await tx.fetch(
        "select group_key from import_runs where import_id = $1 and number > $2 and is_first order by number limit $3",
        import_id,
        after,
        limit,
    )
    rows = await tx.fetch(
        """
        select number, row_count, start, length, group_key, is_refused from import_runs
        where import_id = $1 and group_key = any($2::bytea[]) order by number
        """,
        import_id,
        [row["group_key"] for row in keys],
    )
    return [Run(**dict(row)) for row in rows]


async def delete_orders(tx: Transaction, import_id: str, group_keys: Sequence[bytes]) -> None:
    """Forget where the rows of orders stand: they have their outcomes."""
    await tx.execute(
        "delete from import_runs where import_id = $1 and group_key = any($2::bytea[])", import_id, list(group_keys)
    )


async def delete_runs(tx: Transaction, import_ids: Sequence[str]) -> None:
    """Forget where rows of imports stand: no more of these files is read."""
    await tx.execute("delete from import_runs where import_id = any($1::text[])", list(import_ids))
