"""Keeps when accounts' secrets end, and that a look-up fails."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from account_svc.accounts import jobs
from account_svc.accounts.credentials import Safe, Use, take_out
from account_svc.accounts.linking import Plugins
from account_svc.accounts.preflights import SERVICE, suspect
from account_svc.store import accounts as account_rows
from account_svc.store import expiries as store
from account_svc.store.expiries import StoredExpiry
from hanro import due
from hanro.db import Transaction
from hanro.doubling import doubled
from hanro.due import Lease
from hanro.errors import CREDENTIAL_CODES, ContractBroken, InDoubt, NeedsSeller, Rejected, Retryable
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import KeyExpiry, MarketplaceId

DAILY = timedelta(days=1)
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)

LookUpFailure = Retryable | NeedsSeller | Rejected | ContractBroken | InDoubt


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Be a look-up that has begun."""

    account_id: str
    plugin: Plugin
    secrets: Secrets = field(repr=False)


async def begin(tx: Transaction, plugins: Plugins, safe: Safe, lease: Lease, at: datetime) -> LookUp | None:
    """Take up what a look-up needs; None where the account does not work, and the job is put to rest.

    Raises:
        Retryable: the lease is lost, or the credentials cannot be opened now.
        ContractBroken: the stored credentials cannot be opened.
    """
    account = await account_rows.lock_account(tx, lease.account_id)
    await due.hold(tx, lease)
    plugin = plugins.get(MarketplaceId(account.marketplace_id))
    secrets = None
    if plugin is not None and account.is_working:
        secrets = await take_out(
            tx, safe, account.id, plugin, Use(caller=SERVICE, service=SERVICE, purpose=lease.job, at=at)
        )
    if secrets is None or plugin is None:
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return None
    return LookUp(account_id=account.id, plugin=plugin, secrets=secrets)


async def keep(tx: Transaction, lease: Lease, taken: LookUp, found: Sequence[KeyExpiry], at: datetime) -> None:
    """Store what was looked up; a secret that has ended has the account checked at once."""
    account = await account_rows.lock_account(tx, taken.account_id)
    if account.credential_version != taken.secrets.version:
        await due.settle(tx, lease, next_at=at)
        return
    stored = [StoredExpiry(expiry=one, credential_version=taken.secrets.version, read_at=at) for one in found]
    await store.save_expiries(tx, account.id, stored)
    if any(one.expires is not None and one.expires.at <= at for one in found):
        await due.plan(tx, account.id, jobs.PREFLIGHT)
    await due.plan(tx, account.id, jobs.WARNINGS)
    await due.settle(tx, lease, next_at=at + DAILY)


async def keep_failure(tx: Transaction, lease: Lease, taken: LookUp, failure: LookUpFailure, at: datetime) -> bool:
    """Note that a look-up failed, and try again sooner than tomorrow; True: it fails for so long that this is an alarm.

    A refused credential has the account checked at once.
    """
    account = await account_rows.lock_account(tx, taken.account_id)
    if account.credential_version != taken.secrets.version:
        await due.settle(tx, lease, next_at=at)
        return False
    if isinstance(failure, NeedsSeller) and failure.code in CREDENTIAL_CODES:
        await suspect(tx, account, failure.grant_id or lease.job, at)
    noted = await store.save_expiry_failure(tx, taken.account_id, code=failure.code, why=failure.why, at=at)
    wait = doubled(FIRST_RETRY, lease.failure_count, LONGEST_RETRY)
    await due.settle(tx, lease, next_at=at + wait, failures=lease.failure_count + 1)
    return noted.is_alarming


async def rest(tx: Transaction, lease: Lease, at: datetime) -> None:
    """Put the job to rest: nothing can be looked up at this marketplace."""
    await due.settle(tx, lease, next_at=at + jobs.AT_REST)
