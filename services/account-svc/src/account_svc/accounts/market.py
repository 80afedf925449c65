"""Reads what sellers set up at marketplaces: asks for it, begins, keeps what came and what changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from account_svc.accounts import asked, audit, jobs
from account_svc.accounts.credentials import Safe, Use, not_working, take_out
from account_svc.accounts.linking import Plugins
from account_svc.accounts.market_entries import tell
from account_svc.accounts.preflights import SERVICE, suspect
from account_svc.domain.accounts import Account
from account_svc.domain.market import Change, compare, keepable, names_of
from account_svc.domain.transitions import Deed, is_possible, require
from account_svc.store import accounts as account_rows
from account_svc.store import market as store
from account_svc.store.market import StoredKind, absence_of, failure_of
from hanro import due, operations
from hanro.db import Transaction
from hanro.doubling import doubled
from hanro.due import Lease
from hanro.errors import CREDENTIAL_CODES, Failure, NeedsSeller, Retryable, Unsupported
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import Absent, Capability, MarketInformation, MarketKind, MarketplaceId
from hanro.operations import Operation, OperationStatus

KIND = "market-information"
DAILY = timedelta(days=1)
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Be a read that has begun; `operations` are answered when it ends."""

    account: Account
    plugin: Plugin
    secrets: Secrets = field(repr=False)
    operations: tuple[Operation, ...]


async def request(tx: Transaction, account: Account, plugin: Plugin, by: str) -> Operation:
    """Ask for a read of an account that is locked; it begins at once. One that waits to begin is given again.

    Raises:
        NotNow: the account's state does not allow it; code "account-state".
        NeedsSeller: the account is switched off; `remedy` says what to do.
        Unsupported: nothing can be read at this marketplace; code "absent".
    """
    require(account, Deed.REFRESH_MARKET)
    if not account.is_working:
        raise not_working(account)
    support = plugin.capabilities[Capability.MARKET_INFORMATION]
    if isinstance(support, Absent):
        raise Unsupported(support.reason.en, code="absent", remedy=support.reason, menu=support.menu)
    await due.plan(tx, account.id, jobs.MARKET)
    waiting = await operations.list_(tx, limit=1, kind=KIND, subject_id=account.id, status=OperationStatus.ACCEPTED)
    if waiting:
        return waiting[0]
    await audit.note(tx, Deed.REFRESH_MARKET.value, account_id=account.id, shop_ids=account.shop_ids)
    return await operations.accept(tx, kind=KIND, subject_id=account.id, account_id=account.id, asked={}, by=by)


def estimate(plugin: Plugin) -> timedelta:
    """Say how long a read takes where nothing is in its way: requests of its grants at account-svc's share."""
    support = plugin.capabilities[Capability.MARKET_INFORMATION]
    named = frozenset() if isinstance(support, Absent) else support.grant_ids
    longest = timedelta()
    for name in {grant.group for grant in plugin.grants if grant.id in named}:
        group = plugin.limits.groups[name]
        count = sum(grant.group == name for grant in plugin.grants if grant.id in named)
        longest = max(longest, group.period / group.request_count * count / float(group.shares.get(SERVICE, 1)))
    return longest + timedelta(seconds=5)


async def begin(tx: Transaction, plugins: Plugins, safe: Safe, lease: Lease, at: datetime) -> Reading | None:
    """Take up what a read needs; None where the account does not work: the job rests, who asked is told why.

    Raises:
        Retryable: the lease is lost, or the credentials cannot be opened now.
        ContractBroken: the stored credentials cannot be opened.
    """
    account = await account_rows.lock_account(tx, lease.account_id)
    await due.hold(tx, lease)
    waiting = await asked.open_operations(tx, account.id, KIND)
    plugin = plugins.get(MarketplaceId(account.marketplace_id))
    secrets = None
    if plugin is not None and account.is_working:
        use = Use(caller=SERVICE, service=SERVICE, purpose=lease.job, at=at)
        secrets = await take_out(tx, safe, account.id, plugin, use)
    if secrets is None or plugin is None:
        await _answer(tx, waiting, not_working(account))
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return None
    await asked.answer(tx, waiting, OperationStatus.SENT)
    return Reading(account=account, plugin=plugin, secrets=secrets, operations=waiting)


async def keep(
    tx: Transaction, lease: Lease, taken: Reading, found: MarketInformation, at: datetime
) -> tuple[Change, ...]:
    """Store what was read, compare it with the last, tell what changed, and answer who asked.

    Of kinds that failed the old entries stay; of kinds that are absent there what was typed stays. Where the account
    was linked anew or has other credentials meanwhile nothing is stored: it is read again at once.

    Raises:
        Retryable: the lease is lost; nothing is to be committed.
    """
    account = await account_rows.lock_account(tx, taken.account.id)
    if not is_possible(account, Deed.KEEP_MARKET):
        await _answer(tx, taken.operations, not_working(account))
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return ()
    if account.epoch != taken.account.epoch or account.credential_version != taken.secrets.version:
        await due.settle(tx, lease, next_at=at)
        return ()
    kept = keepable(found)
    changes = await _store(tx, account, kept, at)
    await store.save_read(tx, account.id, at)
    await tell(tx, account, changes, at=at, by=SERVICE)
    answer = {"failed": sorted(kept.failed), "changed": list(names_of(changes)), "entries": len(kept.entries)}
    await asked.answer(tx, taken.operations, OperationStatus.APPLIED, answer=answer)
    await due.settle(tx, lease, next_at=at + DAILY)
    return changes


async def keep_failure(tx: Transaction, lease: Lease, taken: Reading, failure: Failure, at: datetime) -> None:
    """Note that a read failed as a whole, answer who asked, and try again: soon, where a machine can mend it.

    A refused credential has the account checked at once; a marketplace that tells nothing is not asked again.
    """
    account = await account_rows.lock_account(tx, taken.account.id)
    await store.save_read(tx, account.id, at, failure_of(failure))
    await _answer(tx, taken.operations, failure)
    if isinstance(failure, NeedsSeller) and failure.code in CREDENTIAL_CODES:
        if account.credential_version == taken.secrets.version:
            await suspect(tx, account, failure.grant_id or lease.job, at)
        await due.settle(tx, lease, next_at=at + DAILY)
    elif isinstance(failure, Unsupported):
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
    else:
        wait = doubled(FIRST_RETRY, lease.failure_count, LONGEST_RETRY)
        await due.settle(tx, lease, next_at=at + wait, failures=lease.failure_count + 1)


async def _store(tx: Transaction, account: Account, found: MarketInformation, at: datetime) -> tuple[Change, ...]:
    known = await store.list_kinds(tx, account.id)
    old = await store.list_entries(tx, account.id)
    kinds: list[StoredKind] = []
    changes: list[Change] = []
    replaced: list[MarketKind] = []
    for kind in MarketKind:
        before = known.get(kind, StoredKind(kind=kind, is_typed=False, known_at=None))
        if kind in found.failed:
            kinds.append(replace(before, failure=failure_of(found.failed[kind]), failed_at=at))
        elif kind in found.absent:
            kinds.append(replace(before, absent=absence_of(found.absent[kind]), failure=None, failed_at=None))
        else:
            was = None if before.known_at is None else [entry for entry in old if entry.kind is kind]
            changed = compare(kind, was, [entry for entry in found.entries if entry.kind is kind])
            changes += changed
            kinds.append(StoredKind(kind=kind, is_typed=False, known_at=at))
            if changed:
                replaced.append(kind)
    await store.save_kinds(tx, account.id, kinds)
    fresh = [entry for entry in found.entries if entry.kind in replaced]
    await store.replace_entries(tx, account.id, replaced, fresh)
    return tuple(changes)


async def _answer(tx: Transaction, waiting: Sequence[Operation], failure: Failure) -> None:
    """Say why nothing was read; what a machine mends later stays under way."""
    why = {"error": type(failure).__name__, "code": failure.code, "why": failure.why}
    status = OperationStatus.SENT if isinstance(failure, Retryable) else OperationStatus.REJECTED
    await asked.answer(tx, waiting, status, failure=why)
