"""Keeps what became of each row of a file: its order, or why it was refused."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.errors import LocalizedText
from order_svc.domain.files import RowFault

if TYPE_CHECKING:
    import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Be what became of a row: new, changed, unchanged (with its order, but in a dry run), or refused (`fault`)."""

    number: int
    outcome: str
    order_id: str | None = None
    fault: RowFault | None = None


async def save_outcomes(tx: Transaction, import_id: str, outcomes: Sequence[Outcome]) -> None:
    """Store what became of rows, in one statement; the import is held, and of none of them was it known."""
    if not outcomes:
        return
    await tx.execute(
        """
        insert into import_rows (import_id, number, outcome, order_id, fault)
        select $1, number, outcome, order_id, fault::jsonb
        from unnest($2::int[], $3::text[], $4::text[], $5::text[]) as t (number, outcome, order_id, fault)
        """,
        import_id,
        [one.number for one in outcomes],
        [one.outcome for one in outcomes],
        [one.order_id for one in outcomes],
        [None if one.fault is None else _written(one.fault) for one in outcomes],
    )


async def list_outcomes(
    tx: Transaction, import_id: str, *, outcome: str | None, after: int, limit: int
) -> list[Outcome]:
    """Give what became of rows behind a number, in the file's order; `outcome`: only those."""
    rows = await tx.fetch(
        """
        select number, outcome, order_id, fault::text as fault from import_rows
        where import_id = $1 and number > $2 and ($3::text is null or outcome = $3)
        order by number limit $4
        """,
        import_id,
        after,
        outcome,
        limit,
    )
    return [_outcome(row) for row in rows]


async def delete_outcomes(tx: Transaction, import_ids: Sequence[str]) -> None:
    """Forget what became of the rows of imports."""
    await tx.execute("delete from import_rows where import_id = any($1::text[])", list(import_ids))


def _written(fault: RowFault) -> str:
    message = fault.message
    said = {"code": fault.code, "ja": message.ja, "en": message.en, "column": fault.column, "at": fault.byte_offset}
    return json.dumps(said, ensure_ascii=False)


def _outcome(row: "asyncpg.Record") -> Outcome:
    said = None if row["fault"] is None else json.loads(row["fault"])
    fault = said and RowFault(
        code=said["code"],
        message=LocalizedText(ja=said["ja"], en=said["en"]),
        column=said["column"],
        byte_offset=said["at"],
    )
    return Outcome(number=row["number"], outcome=row["outcome"], order_id=row["order_id"], fault=fault)
