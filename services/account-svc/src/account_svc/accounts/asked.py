"""Finds what was asked of an account and waits for its outcome, takes it up, and answers it."""

from collections.abc import Mapping, Sequence

from hanro import operations
from hanro.db import Transaction
from hanro.operations import Mark, Operation, OperationStatus

MOST = 200


async def open_operations(tx: Transaction, account_id: str, kind: str) -> tuple[Operation, ...]:
    """Give the operations of a kind that wait for an account's outcome, at most 200 of each status."""
    found = [
        operation
        for status in (OperationStatus.ACCEPTED, OperationStatus.SENT)
        for operation in await operations.list_(tx, limit=MOST, kind=kind, subject_id=account_id, status=status)
    ]
    return tuple(found)


async def answer(
    tx: Transaction,
    asked: Sequence[Operation],
    status: OperationStatus,
    *,
    answer: Mapping[str, object] | None = None,
    failure: Mapping[str, object] | None = None,
) -> None:
    """Say of operations what became of them, or that they are under way."""
    await operations.mark(
        tx, *(Mark(id=one.id, fence=one.fence, status=status, answer=answer, failure=failure) for one in asked)
    )
