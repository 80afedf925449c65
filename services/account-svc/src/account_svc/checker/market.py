"""Reads what a seller set up at the marketplace, when that is due: look, call outside of any transaction, store."""

import asyncio

from account_svc.accounts import market
from account_svc.accounts.credentials import Safe
from account_svc.accounts.market import Reading
from account_svc.checker.metrics import CheckMetrics
from hanro import failpoints
from hanro.due import Lease
from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.types import MarketInformation
from hanro.sessions import Outside, session_with

_log = logger(__name__)


async def read_market(outside: Outside, safe: Safe, metrics: CheckMetrics, lease: Lease) -> None:
    """Read what one account's seller set up there, and keep what came, or why it did not."""
    db, clock = outside.db, outside.clock
    taken = await db.run(lambda tx: market.begin(tx, outside.plugins, safe, lease, clock.now()))
    if taken is None:
        return
    found = await _read(outside, taken, lease)
    failpoints.reach("checker.market_read")
    if not isinstance(found, MarketInformation):
        metrics.market_read(found.code)
        _log.warning("market.failed", account_id=lease.account_id, code=found.code, why=found.why)
        await db.run(lambda tx: market.keep_failure(tx, lease, taken, found, clock.now()))
        return
    changes = await db.run(lambda tx: market.keep(tx, lease, taken, found, clock.now()))
    metrics.market_read("partly" if found.failed else "read")
    _log.info(
        "market.read",
        account_id=lease.account_id,
        entries=len(found.entries),
        failed=sorted(found.failed),
        changes=len(changes),
    )


async def _read(outside: Outside, taken: Reading, lease: Lease) -> MarketInformation | Failure:
    seconds = max(0.0, lease.last_call_monotonic - outside.clock.monotonic())
    try:
        session = session_with(outside, taken.plugin, taken.secrets, taken.account.id, lease=lease, is_probing=False)
        async with asyncio.timeout(seconds):
            return await taken.plugin.access(session).market_information()
    except TimeoutError:
        return Retryable("There was no answer in time.", code="unavailable")
    except (Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt, Unsupported) as failure:
        return failure
