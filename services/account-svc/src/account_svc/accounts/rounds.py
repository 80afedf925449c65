"""Begins preflights with what is known, keeps what they found so far, and puts their outcome into the account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from account_svc.accounts import jobs, settling
from account_svc.accounts.credentials import Safe, take_out
from account_svc.accounts.credentials import Use as CredentialUse
from account_svc.accounts.grounds import ALONE, Round, closed, ground_of, in_their_order, is_key_suspect, uses_of
from account_svc.accounts.linking import Plugins, apply
from account_svc.accounts.preflights import SERVICE, answer_asked, list_asked, refuse_asked, suspect, take_asked
from account_svc.domain import activation, probes, reports, rotation
from account_svc.domain import preflights as rules
from account_svc.domain.accounts import WORKING, Account, State
from account_svc.domain.happenings import Judged, Standing
from account_svc.domain.rotation import SpareState
from account_svc.domain.transitions import Deed, is_possible
from account_svc.store import accounts as account_rows
from account_svc.store import preflights as store
from account_svc.store import spares
from account_svc.store.preflights import Preflight
from hanro import breaker, due
from hanro.db import Transaction
from hanro.due import Lease
from hanro.ids import new_id
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Grant, GrantState, MarketplaceId, PreflightRow
from hanro.operations import OperationStatus

MARGIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """Be how a preflight goes on: `has_begun`: others began to work for the account; `is_over`: it is to end here."""

    has_begun: bool
    is_over: bool


async def begin(tx: Transaction, plugins: Plugins, safe: Safe, lease: Lease, at: datetime) -> Round | None:
    """Take up what a preflight needs; None where there is nothing to probe, and the job is put to rest.

    One that a dead process left is gone on with: what it found stands.

    Raises:
        Retryable: the lease is lost, or the credentials cannot be opened now.
        ContractBroken: the stored credentials cannot be opened.
    """
    account = await account_rows.lock_account(tx, lease.account_id)
    await due.hold(tx, lease)
    plugin = plugins.get(MarketplaceId(account.marketplace_id))
    if not is_possible(account, Deed.JUDGE):
        await _stop(tx, lease, account, at)
        return None
    secrets = await take_out(
        tx, safe, account.id, plugin, CredentialUse(caller=SERVICE, service=SERVICE, purpose=lease.job, at=at)
    )
    if secrets is None or plugin is None or activation.find_absence(plugin.capabilities):
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return None
    uses = await uses_of(tx, account)
    is_suspect = await is_key_suspect(tx, account, plugin, uses, at)
    if lease.job == jobs.PREFLIGHT and account.is_working and not is_suspect:
        # It works after all: what is left to find out must not take the rate from those who work with it.
        await due.plan(tx, account.id, jobs.RECHECK)
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return None
    asked = await take_asked(tx, account.id)
    is_alone = not account.is_working or is_suspect
    known = {seen.grant_id: seen.state for seen in account.grants} if account.is_working else {}
    grants = probes.in_order(plugin, known)
    if asked and not is_alone:
        grants = probes.asked_for(plugin, grants, known)
    rows = {}
    if not is_alone:
        rows = await _carried(tx, account, plugin, at, is_asked=bool(asked))
        rows |= _used_rows(reports.fresh_grants(account, uses, rules.login_grants(plugin), at))
    left = await _left_open(tx, account, at, is_suspect=is_suspect)
    rows |= {row.grant_id: row for row in left.rows} if left else {}
    calls = [grant.id for grant in grants if grant.probe in rules.CALLS]
    if calls and all(one in rows for one in calls):
        # Nothing but a request shows that the key still lives.
        del rows[calls[0]]
    preflight = Preflight(
        id=left.id if left else new_id("pre"),
        account_id=account.id,
        credential_version=secrets.version,
        standing=None,
        total_count=len(plugin.grants),
        started_at=left.started_at if left else at,
        expected_at=at + _length([grant for grant in grants if grant.id not in rows], plugin, is_alone=is_alone),
        finished_at=None,
        rows=in_their_order(plugin, rows),
    )
    is_brief = not account.is_working and not asked and await _was_checked(tx, account)
    await store.save_preflight(tx, preflight)
    return Round(
        account=account,
        plugin=plugin,
        secrets=secrets,
        is_alone=is_alone,
        is_brief=is_brief,
        preflight=preflight,
        grants=grants,
        early=probes.judged_early(plugin),
        open_groups=probes.open_groups(plugin, plugin.limits, SERVICE, is_first=account.state in settling.NEVER_WORKED),
        operations=asked,
    )


async def advance(tx: Transaction, lease: Lease, taken: Round, rows: Mapping[str, PreflightRow], at: datetime) -> Going:
    """Keep what was found so far, and judge what cannot wait.

    An account begins to work as soon as all that must be known for that is; one that works learns at once what it lost,
    and what came back. It is over where newer credentials were stored, where the account was taken away, or where
    somebody asks anew, or other credentials wait, while the rest would take long.

    Raises:
        Retryable: the lease is lost.
    """
    account = await account_rows.lock_account(tx, taken.account.id)
    await due.hold(tx, lease)
    if account.credential_version != taken.secrets.version or not is_possible(account, Deed.JUDGE):
        return Going(has_begun=False, is_over=True)
    if await _is_overtaken(tx, taken):
        return Going(has_begun=False, is_over=True)
    await store.save_preflight(tx, replace(taken.preflight, rows=in_their_order(taken.plugin, rows)))
    judged = rules.judge(await ground_of(tx, account, taken, at), rows, taken.secrets.version)
    if rules.find_refusal(rows) is None and _cannot_wait(account, judged, taken, rows):
        account = await _put(tx, account, judged, at)
    if taken.is_alone:
        return Going(has_begun=account.is_working and not taken.account.is_working, is_over=False)
    spare = await spares.find_spare(tx, account.id)
    is_waited_for = spare is not None and spare.state is SpareState.WAITING
    is_asked_anew = bool(await list_asked(tx, account.id, OperationStatus.ACCEPTED)) or is_waited_for
    # One that no longer works is probed anew at the whole rate.
    return Going(has_begun=False, is_over=is_asked_anew or not account.is_working)


async def end(tx: Transaction, lease: Lease, taken: Round, found: Mapping[str, PreflightRow], at: datetime) -> Account:
    """Store what a preflight found, judge the account by it, answer who asked, and say when to look again.

    A grant without a row was not asked for.
    Where newer credentials were stored meanwhile nothing is judged: they are checked next. Nor where another preflight
    of the account was begun. Nor where an account that works turns out to have a dead key: then all is probed at once,
    at the whole rate, for nobody else calls any more.
    What was left out because others work for the account by now is asked for next, at their pace.

    Raises:
        Retryable: the lease is lost; nothing is to be committed.
    """
    account = await account_rows.lock_account(tx, taken.account.id)
    if not is_possible(account, Deed.JUDGE):
        await _stop(tx, lease, account, at)
        return account
    rows = _filled(taken, account, found, at)
    if account.credential_version != taken.secrets.version:
        await store.save_preflight(tx, closed(taken.preflight, rows.values(), Standing.UNKNOWN, at))
        await due.settle(tx, lease, next_at=at)
        return account
    if await _is_overtaken(tx, taken):
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return account
    refused = rules.find_refusal(found)
    # One that began to work meanwhile had a key that lived: what was granted and what is refused are of two times.
    has_begun = account.is_working and not taken.account.is_working
    if refused is not None and (has_begun or not taken.is_alone):
        await store.save_preflight(tx, closed(taken.preflight, rows.values(), Standing.UNKNOWN, at))
        await suspect(tx, account, refused.grant_id, at)
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return account
    ground = await ground_of(tx, account, taken, at)
    judged = rules.judge(ground, rows, taken.secrets.version)
    looks_until = None
    if judged.standing in {Standing.FAILED, Standing.AWAITED} and rotation.is_key_refused(ground, rows):
        key = settling.Key(
            plugin=taken.plugin, stored_at=taken.secrets.stored_at, has_ended=ground.is_expired, probed_at=at
        )
        judged, looks_until = await settling.explain(tx, account, key, judged)
    preflight = closed(taken.preflight, rows.values(), judged.standing, at)
    await store.save_preflight(tx, preflight)
    after = await _put(tx, account, judged, at)
    next_at, failures = rules.next_look(judged, rows, lease.failure_count, at, settles_until=looks_until)
    if after.is_working and len(found) < len(rows):
        next_at, failures = at, 0
    await _plan_next(tx, lease, after, next_at, failures)
    await answer_asked(tx, taken.operations, preflight, after)
    return after


async def _is_overtaken(tx: Transaction, taken: Round) -> bool:
    """Tell whether another preflight of the account was begun meanwhile, or this one was ended: its rows are older."""
    running = await store.find_open(tx, taken.account.id)
    return running is None or running.id != taken.preflight.id


def _filled(taken: Round, account: Account, found: Mapping[str, PreflightRow], at: datetime) -> dict[str, PreflightRow]:
    """Give a row for each grant, in the plug-in's order: those not asked for say why."""
    retry_at = None
    refused = rules.find_refusal(found)
    if refused is not None:
        why = "It was not asked for: the credentials were refused."
    elif taken.is_brief and not account.is_working:
        why = "It was not asked for: something that the account needs is missing."
    elif account.is_working:
        why = "It is asked for next."
    else:
        why, retry_at = "There was no time to ask for it.", at + rules.FIRST_RETRY

    def left_out(grant: Grant) -> PreflightRow:
        if refused is not None and taken.is_alone and grant.probe in rules.CALLS:
            # A dead key opens nothing.
            return replace(refused, grant_id=grant.id)
        return PreflightRow(grant_id=grant.id, state=GrantState.UNKNOWN, why=why, checked_at=at, retry_at=retry_at)

    return {grant.id: found.get(grant.id) or left_out(grant) for grant in taken.plugin.grants}


async def _put(tx: Transaction, account: Account, judged: Judged, at: datetime) -> Account:
    after = await apply(tx, account, judged, at)
    if after.is_working:
        await breaker.close(tx, after.id)
        await due.plan(tx, after.id, jobs.EXPIRIES)
    if after.is_working and not account.is_working:
        await due.plan(tx, after.id, jobs.MARKET)
    return after


def _cannot_wait(account: Account, judged: Judged, taken: Round, rows: Mapping[str, PreflightRow]) -> bool:
    is_good = judged.standing in {Standing.WHOLE, Standing.PARTLY}
    if account.state not in WORKING:
        return is_good and taken.early <= rows.keys()
    is_whole = account.state is State.ACTIVE
    is_other = is_good and is_whole is not (judged.standing is Standing.WHOLE)
    return is_other or judged.standing is Standing.FAILED or judged.lost_capabilities != account.lost_capabilities


def _length(unasked: Sequence[Grant], plugin: Plugin, *, is_alone: bool) -> timedelta:
    seconds = timedelta(seconds=probes.seconds_of(unasked, plugin.limits, SERVICE, is_alone=is_alone)) + MARGIN
    return min(seconds, ALONE) if is_alone else seconds


async def _was_checked(tx: Transaction, account: Account) -> bool:
    last = (await store.list_last_preflights(tx, [account.id])).get(account.id)
    return last is not None and last.credential_version == account.credential_version


async def _plan_next(tx: Transaction, lease: Lease, account: Account, next_at: datetime, failures: int) -> None:
    wanted = jobs.RECHECK if account.is_working else jobs.PREFLIGHT
    if lease.job == wanted:
        await due.settle(tx, lease, next_at=next_at, failures=failures)
        return
    await due.plan(tx, account.id, wanted, next_at=next_at)
    await due.settle(tx, lease, next_at=next_at + jobs.AT_REST)


async def _stop(tx: Transaction, lease: Lease, account: Account, at: datetime) -> None:
    """Let go of an account that is nobody's any more."""
    await refuse_asked(tx, account)
    left = await store.find_open(tx, account.id)
    if left is not None:
        await store.save_preflight(tx, closed(left, left.rows, Standing.UNKNOWN, at))
    await due.settle(tx, lease, next_at=at + jobs.AT_REST)


async def _left_open(tx: Transaction, account: Account, at: datetime, *, is_suspect: bool) -> Preflight | None:
    """Give the preflight that a dead process left; close one of other credentials, or of a key that may be dead."""
    left = await store.find_open(tx, account.id)
    if left is None or (left.credential_version == account.credential_version and not is_suspect):
        return left
    await store.save_preflight(tx, closed(left, left.rows, Standing.UNKNOWN, at))
    return None


async def _carried(
    tx: Transaction, account: Account, plugin: Plugin, at: datetime, *, is_asked: bool
) -> dict[str, PreflightRow]:
    last = (await store.list_last_preflights(tx, [account.id])).get(account.id)
    if last is None or last.credential_version != account.credential_version:
        return {}
    since = at - (probes.CARRIED if is_asked else probes.CONTINUED)
    return probes.carry(plugin, {row.grant_id: row for row in last.rows}, since)


def _used_rows(fresh: Mapping[str, reports.Use]) -> dict[str, PreflightRow]:
    return {
        grant_id: PreflightRow(
            grant_id=grant_id,
            state=GrantState.GRANTED,
            why=f"{use.service} used it at {use.succeeded_at:%Y-%m-%dT%H:%M:%SZ}.",
            checked_at=use.succeeded_at,
        )
        for grant_id, use in fresh.items()
        if use.succeeded_at is not None
    }
