"""Says how long the history of accounts is kept."""

from datetime import timedelta

from account_svc.store import audit as audit_rows
from account_svc.store import credentials as credential_rows
from account_svc.store import preflights as preflight_rows
from hanro.db import Transaction

USES_KEPT = timedelta(days=365)
PREFLIGHTS_KEPT = timedelta(days=90)
ENTRIES_KEPT = timedelta(days=2 * 365)
BATCH = 5000


async def forget_uses(tx: Transaction) -> int:
    """Delete a batch of uses that are too old; give how many, 0 when none is left."""
    return await credential_rows.prune_uses(tx, USES_KEPT, limit=BATCH)


async def forget_preflights(tx: Transaction) -> int:
    """Delete a batch of preflights that are too old; give how many, 0 when none is left."""
    return await preflight_rows.prune_preflights(tx, PREFLIGHTS_KEPT, limit=BATCH)


async def forget_deeds(tx: Transaction) -> int:
    """Delete a batch of deeds that are too old; give how many, 0 when none is left."""
    return await audit_rows.prune_entries(tx, ENTRIES_KEPT, limit=BATCH)
