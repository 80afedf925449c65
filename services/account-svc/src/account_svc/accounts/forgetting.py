"""Says how long the history of accounts is kept."""

from datetime import timedelta

from account_svc.store import credentials as credential_rows
from account_svc.store import preflights as preflight_rows
from hanro.db import Transaction

USES_KEPT = timedelta(days=365)
PREFLIGHTS_KEPT = timedelta(days=90)
BATCH = 5000


async def forget_some(tx: Transaction) -> int:
    """Delete a batch of what is too old; give how many rows, 0 when nothing is left."""
    uses = await credential_rows.prune_uses(tx, USES_KEPT, limit=BATCH)
    return uses + await preflight_rows.prune_preflights(tx, PREFLIGHTS_KEPT, limit=BATCH)
