"""Looks imports up for callers, and forgets old ones."""

from collections.abc import Sequence
from datetime import timedelta

from hanro.db import Transaction
from hanro.errors import Rejected
from order_svc.store import import_rows as rows_store
from order_svc.store import imports as store
from order_svc.store.import_rows import Outcome
from order_svc.store.imports import Import

UPLOADS_KEPT = timedelta(hours=1)
KEPT = timedelta(days=30)
AT_ONCE = 1


async def get_(tx: Transaction, import_id: str, *, account_ids: Sequence[str] | None) -> Import:
    """Give one import; `account_ids` None: the caller may see all.

    Raises:
        Rejected: there is none, or it is of no account that the caller may see (not-found).
    """
    found = await store.find_import(tx, import_id)
    if found is None or (account_ids is not None and found.account_id not in account_ids):
        raise Rejected("There is no such import.", code="not-found")
    return found


async def list_(
    tx: Transaction, *, account_ids: Sequence[str] | None, before_id: str | None, limit: int
) -> list[Import]:
    """Give imports, the last one first."""
    return await store.list_imports(tx, account_ids=account_ids, before_id=before_id, limit=limit)


async def list_rows(tx: Transaction, import_id: str, *, outcome: str | None, after: int, limit: int) -> list[Outcome]:
    """Give what became of an import's rows behind a number, in the file's order; `outcome`: only those."""
    return await rows_store.list_outcomes(tx, import_id, outcome=outcome, after=after, limit=limit)


async def forget_old(tx: Transaction) -> int:
    """Delete some imports that ended 30 days ago, and uploads that never ended; give how many."""
    return await store.prune(tx, uploads_kept=UPLOADS_KEPT, kept=KEPT, limit=AT_ONCE)
