"""Keeps what is written with decisions, for as long as it has to be told."""

from collections.abc import Sequence

from hanro.db import Transaction


async def insert_note(tx: Transaction, operation_id: str, order_id: str, note: str) -> None:
    """Store what goes with a decision."""
    await tx.execute(
        "insert into decision_notes (operation_id, order_id, note) values ($1, $2, $3)", operation_id, order_id, note
    )


async def find_notes(tx: Transaction, operation_ids: Sequence[str]) -> dict[str, str]:
    """Give what goes with decisions, by operation; those without are left out."""
    rows = await tx.fetch(
        "select operation_id, note from decision_notes where operation_id = any($1::text[])", list(operation_ids)
    )
    return {row["operation_id"]: row["note"] for row in rows}


async def delete_notes(tx: Transaction, operation_ids: Sequence[str]) -> None:
    """Forget what went with decisions, once it needs to be told no more."""
    await tx.execute("delete from decision_notes where operation_id = any($1::text[])", list(operation_ids))


async def delete_notes_of_order(tx: Transaction, order_id: str) -> None:
    """Forget what goes with the decisions on an order: its buyer is erased."""
    await tx.execute("delete from decision_notes where order_id = $1", order_id)
