"""Stores the ticks of accounts' checklists; none is ever changed, so that going back leaves its trace."""

from collections.abc import Sequence

from account_svc.domain.checklist import Tick
from hanro.db import Transaction


async def save_tick(tx: Transaction, account_id: str, tick: Tick) -> None:
    """Add a tick."""
    await tx.execute(
        """
        insert into checklist_ticks (account_id, prerequisite_id, state, at, start_day, ticked_by, ticked_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        account_id,
        tick.prerequisite_id,
        tick.state,
        tick.at,
        tick.start_day,
        tick.ticked_by,
        tick.ticked_at,
    )


async def list_ticks(tx: Transaction, account_ids: Sequence[str], *, newest: int) -> dict[str, list[Tick]]:
    """Give the `newest` ticks of each prerequisite of accounts: by account, newest first."""
    rows = await tx.fetch(
        """
        select account_id, prerequisite_id, state, at, start_day, ticked_by, ticked_at from (
            select *, row_number() over (partition by account_id, prerequisite_id order by position desc) as place
            from checklist_ticks where account_id = any($1::text[])
        ) ticks where place <= $2 order by account_id, position desc
        """,
        list(account_ids),
        newest,
    )
    found: dict[str, list[Tick]] = {}
    for row in rows:
        tick = Tick(
            prerequisite_id=row["prerequisite_id"],
            state=row["state"],
            at=row["at"],
            start_day=row["start_day"],
            ticked_by=row["ticked_by"],
            ticked_at=row["ticked_at"],
        )
        found.setdefault(row["account_id"], []).append(tick)
    return found
