"""Follows what account-svc says of accounts: whose orders are looked for, and who waits for the seller."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from hanro import breaker, due, operations, releasing
from hanro.auth import ALL_SHOPS, Caller
from hanro.db import Database, Transaction
from hanro.due import Lease
from hanro.errors import Rejected
from order_svc import notices
from order_svc.domain.accounts import Account, AccountChange, pause
from order_svc.domain.asking import KINDS as ASKED
from order_svc.domain.effects import KINDS
from order_svc.domain.verdicts import epoch_past, told
from order_svc.store import accounts as store
from order_svc.store import carriers as carriers_store
from order_svc.store import cursors as cursors_store
from order_svc.store import identifiers as identifiers_store
from order_svc.store import imports as imports_store
from order_svc.store import mappings as mappings_store
from order_svc.store import notices as notices_store
from order_svc.store import policies as policies_store
from order_svc.store.cursors import RouteError

JOB = "orders:"


def job_of(route: str) -> str:
    """Give the name of the due job that reads a route."""
    return f"{JOB}{route}"


def route_of(job: str) -> str:
    """Give the route that a due job reads."""
    return job.removeprefix(JOB)


async def apply(
    tx: Transaction,
    changes: Sequence[AccountChange],
    *,
    routes: Mapping[str, Sequence[str]],
    forget: Callable[[str], None],
) -> None:
    """Store accounts and plan or drop their jobs; cursors stay, so that a gap is filled.

    `routes` by marketplace; of a marketplace that is not installed none are read. `forget` drops cached secrets,
    of an account that must not use them any more.
    """
    await store.save_accounts(tx, [change.account for change in sorted(changes, key=lambda one: one.account.id)])
    freed = [change.account.id for change in changes if change.is_freed]
    await operations.hasten(tx, [*KINDS, *ASKED], freed)
    for change in changes:
        account = change.account
        if change.is_past:
            await releasing.plan(tx, account.id)
        if account.is_let_go:
            # What is under way keeps its row, so that its end can be waited for.
            await due.stop(tx, account.id, but=releasing.JOB)
        elif change.is_stopped:
            await due.drop(tx, account.id, but=releasing.JOB)
        if change.is_due:
            await breaker.close(tx, account.id)
            names = routes.get(account.marketplace_id, ())
            await cursors_store.plan_cursors(tx, account.id, names)
            for route in names:
                await due.plan(tx, account.id, job_of(route))
            await notices.plan_waiting(tx, account.id)
        if not account.is_working:
            tx.after_commit(partial(forget, account.id))


async def plan_missing(db: Database, routes: Mapping[str, Sequence[str]]) -> None:
    """Make due the routes that accounts work for and nobody reads yet; `routes` by marketplace."""
    async with db.begin() as tx:
        for marketplace_id, names in routes.items():
            jobs = {job_of(route): route for route in names}
            for account_id, job in await store.list_without_job(tx, marketplace_id, sorted(jobs)):
                await cursors_store.plan_cursors(tx, account_id, [jobs[job]])
                await due.plan(tx, account_id, job)


async def erase(tx: Transaction, account_id: str) -> int | None:
    """Let an account go: its polls end, what was wished for it is closed, its cursors and mappings go; its orders stay.

    Gives its epoch once nothing of an older one is under way, None before. Of an account that is linked again by now,
    or was never heard of before, nothing older is held.
    """
    account = (await store.lock_accounts(tx, [account_id])).get(account_id)
    if account is None:
        raise AssertionError("unreachable: who plans it stores the account first")
    if not account.is_let_go:
        return account.epoch
    is_idle = await due.stop(tx, account_id, but=releasing.JOB)
    await carriers_store.delete_choice(tx, account_id)
    await policies_store.delete_policy(tx, account_id)
    is_idle &= await operations.close_past(tx, account_id, account.epoch, failure=told(epoch_past()))
    if not is_idle:
        return None
    await cursors_store.delete_cursors(tx, account_id)
    await notices_store.delete_notices(tx, account_id)
    await mappings_store.delete_mappings(tx, account_id, before_epoch=account.epoch)
    await imports_store.close_past(tx, account_id, account.epoch, failure=told(epoch_past()))
    await breaker.close(tx, account_id)
    return account.epoch


async def count(tx: Transaction, account_id: str) -> Mapping[str, int]:
    """Count what is held of an account here."""
    return {"orders": await identifiers_store.count_orders(tx, account_id)}


async def find(db: Database, account_id: str) -> Account | None:
    """Give an account, or None where no fact told of it yet."""
    async with db.begin() as tx:
        return await store.find_account(tx, account_id)


async def pause_after_refusal(
    db: Database, lease: Lease | None, account_id: str, *, credential_version: int, at: datetime, length: timedelta
) -> None:
    """Let all work of an account wait after its credential was refused, and give the lease back until then.

    Where a newer credential is known by now nothing waits: the refusal is of one that is gone.
    """
    async with db.begin() as tx:
        known = (await store.lock_accounts(tx, [account_id])).get(account_id)
        paused = None if known is None else pause(known, credential_version, at, length)
        is_outdated = paused is not None and paused.paused_until is None
        if is_outdated:
            await breaker.close(tx, account_id)
        elif paused is not None:
            await store.save_accounts(tx, [paused])
        if lease is not None:
            next_at = at if is_outdated else at + length
            await due.settle(tx, lease, next_at=next_at, failures=lease.failure_count + 1)


async def go_on(db: Database, lease: Lease | None, account_id: str, *, at: datetime) -> None:
    """Let calls of an account begin again whose credential was replaced, and make the job of a lease due at once."""
    async with db.begin() as tx:
        await breaker.close(tx, account_id)
        if lease is not None:
            await due.settle(tx, lease, next_at=at)


async def put_off(
    db: Database, lease: Lease, *, next_at: datetime, failures: int, error: RouteError | None = None
) -> None:
    """Give a lease back: the job is due again at `next_at`, after so many failures in a row; `error` says why."""
    async with db.begin() as tx:
        if error is not None:
            await cursors_store.save_error(tx, lease.account_id, route_of(lease.job), error)
        await due.settle(tx, lease, next_at=next_at, failures=failures)


async def note_error(db: Database, account_id: str, job: str, error: RouteError) -> None:
    """Note why a route is not read, whose lease was given back."""
    async with db.begin() as tx:
        await cursors_store.save_error(tx, account_id, route_of(job), error)


async def stop_job(db: Database, lease: Lease) -> None:
    """Forget a job whose account is not to be looked after; the fact that makes it work again plans it anew."""
    async with db.begin() as tx:
        known = (await store.lock_accounts(tx, [lease.account_id])).get(lease.account_id)
        if known is None or not known.is_finding:
            await due.drop(tx, lease.account_id, lease.job)


async def get_visible(tx: Transaction, account_id: str, shops: frozenset[str]) -> Account:
    """Give an account that a caller with these internal shops may see.

    Raises:
        Rejected: there is none for this caller (not-found).
    """
    found = await store.find_account(tx, account_id)
    if found is None or (ALL_SHOPS not in shops and not shops & set(found.shop_ids)):
        raise Rejected("There is no such account.", code="not-found")
    return found


async def visible(tx: Transaction, shops: frozenset[str]) -> list[str] | None:
    """Give the accounts that a caller with these internal shops may see; None: all."""
    return None if ALL_SHOPS in shops else await store.list_account_ids(tx, sorted(shops))


async def narrowed(
    tx: Transaction,
    shops: frozenset[str],
    *,
    account_id: str | None,
    marketplace_id: str | None,
    shop_id: str | None,
) -> list[str] | None:
    """Give the accounts that a caller may see and that fit all of these; None: all."""
    mine = await visible(tx, shops)
    if account_id is None and marketplace_id is None and shop_id is None:
        return mine
    fitting = await store.list_fitting(tx, account_id=account_id, marketplace_id=marketplace_id, shop_id=shop_id)
    return fitting if mine is None else sorted(set(mine) & set(fitting))


async def of_caller(tx: Transaction, who: Caller) -> list[str]:
    """Give the accounts of a caller who may not see all shops."""
    return await store.list_account_ids(tx, sorted(who.shops))
