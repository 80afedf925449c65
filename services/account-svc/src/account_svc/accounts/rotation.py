"""Tries an account's second credentials, lets them take over where they pass, and lets the old ones go in time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from account_svc.accounts import asked, jobs, settling
from account_svc.accounts.credentials import Safe, Use, open_noted, open_stored
from account_svc.accounts.grounds import Round, closed, ground_of, has_whole_rate
from account_svc.accounts.linking import Plugins, apply
from account_svc.accounts.preflights import SERVICE
from account_svc.accounts.rounds import Going
from account_svc.domain import preflights as rules
from account_svc.domain import rotation
from account_svc.domain.accounts import WORKING, Account, Reason
from account_svc.domain.happenings import CredentialsPromoted, Judged
from account_svc.domain.preflights import Ground
from account_svc.domain.rotation import SpareState, Trial, Verdict
from account_svc.domain.transitions import Deed, is_possible, require
from account_svc.store import accounts as account_rows
from account_svc.store import credentials as store
from account_svc.store import expiries as expiry_rows
from account_svc.store import preflights as preflight_rows
from account_svc.store import spares
from account_svc.store.credentials import StoredCredentials
from account_svc.store.preflights import Preflight
from account_svc.store.spares import Spare
from hanro import breaker, due, operations
from hanro.db import Transaction
from hanro.due import Lease
from hanro.errors import LocalizedText, Rejected
from hanro.ids import new_id
from hanro.marketplace.types import MarketplaceId, PreflightRow
from hanro.operations import Operation, OperationStatus

KIND = "rotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Be a trial that has begun: the round that probes, and the version that it is about."""

    round: Round
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """Be what a trial's probes found, by grant, and when they ended."""

    rows: Mapping[str, PreflightRow]
    at: datetime


async def request(tx: Transaction, account: Account, by: str) -> Operation:
    """Have the candidate of an account that is locked tried at once; the operation ends when it took over or failed."""
    await due.plan(tx, account.id, jobs.ROTATION)
    return await operations.accept(
        tx, kind=KIND, subject_id=account.id, account_id=account.id, asked={"slot": "candidate"}, by=by
    )


async def promote(tx: Transaction, account: Account, by: str) -> Operation:
    """Ask by hand that the candidate takes over: it is probed, and does where it passes.

    Raises:
        Rejected: it failed its probes, with the reason; or there is none, code "candidate-missing".
    """
    require(account, Deed.STORE_CREDENTIALS)
    spare = await spares.find_spare(tx, account.id)
    if spare is None or spare.state is SpareState.RETIRING:
        raise Rejected(
            "There is no candidate.",
            code="candidate-missing",
            remedy=LocalizedText(ja="新しい認証情報を入力してください。", en="Store new credentials first."),
        )
    if spare.reason is not None:
        raise _refused(replace(spare.reason, why=f"The candidate is not promoted. {spare.reason.why}"))
    return await request(tx, account, by)


async def withdraw(tx: Transaction, account: Account, at: datetime) -> None:
    """Delete the candidate of an account that is locked, and end what was asked for it.

    Raises:
        Rejected: there is none; code "not-found".
    """
    spare = await spares.find_spare(tx, account.id)
    if spare is None or spare.state is SpareState.RETIRING:
        raise Rejected("There is no candidate.", code="not-found")
    await spares.delete_spare(tx, account.id)
    failure = {"error": "Rejected", "code": "withdrawn", "why": "The candidate was withdrawn."}
    await _close(tx, account.id, OperationStatus.REJECTED, failure=failure)
    if rotation.is_key_dead(account):
        # What waited for the candidate learns that nothing comes.
        await due.plan(tx, account.id, jobs.PREFLIGHT, next_at=at)


async def begin(tx: Transaction, plugins: Plugins, safe: Safe, lease: Lease, at: datetime) -> Tried | None:
    """Take up what a trial needs; None where there is nothing to try, and the job is put to rest.

    Errors as `rounds.begin`.
    """
    account = await account_rows.lock_account(tx, lease.account_id)
    await due.hold(tx, lease)
    plugin = plugins.get(MarketplaceId(account.marketplace_id)) if is_possible(account, Deed.ROTATE) else None
    spare = await spares.find_spare(tx, account.id)
    is_retired = spare is not None and spare.state is SpareState.RETIRING and not rotation.is_key_dead(account)
    if spare is None or plugin is None or is_retired:
        await due.settle(tx, lease, next_at=await _retire(tx, spare, at))
        return None
    use = Use(caller=SERVICE, service=SERVICE, purpose=lease.job, at=at)
    secrets = await open_noted(tx, safe, spare.credentials, plugin, use)
    ground = Ground(grants=plugin.grants, capabilities=plugin.capabilities, known={}, is_expired=False, key_menu=None)
    wanted = rotation.wanted_grants(ground)
    grants = tuple(grant for grant in plugin.grants if grant.id in wanted)
    probing = Round(
        account=account,
        plugin=plugin,
        secrets=secrets,
        is_alone=await has_whole_rate(tx, account, plugin, at),
        is_brief=True,
        preflight=Preflight(
            id=new_id("pre"),
            account_id=account.id,
            credential_version=secrets.version,
            standing=None,
            total_count=len(grants),
            started_at=at,
            expected_at=None,
            finished_at=None,
            rows=(),
        ),
        grants=grants,
        early=frozenset(wanted),
        open_groups=frozenset(),
    )
    return Tried(round=probing, version=spare.credentials.version)


async def advance(tx: Transaction, lease: Lease, tried: Tried, at: datetime) -> Going:
    """Tell how a trial goes on: it is over where its credentials are no longer the second ones.

    And where the key in use died beside it, or came back: what began with a small share of the rate would keep the
    account waiting for minutes, and what has the whole of it would take that of others.

    Raises:
        Retryable: the lease is lost.
    """
    account = await account_rows.lock_account(tx, tried.round.account.id)
    await due.hold(tx, lease)
    is_over = not _is_second(account, await spares.find_spare(tx, account.id), tried)
    return Going(has_begun=False, is_over=is_over or await _has_other_rate(tx, account, tried, at))


async def end(tx: Transaction, safe: Safe, lease: Lease, tried: Tried, probed: Probed) -> str:
    """Let credentials take over that passed, or keep why they did not; give what became of them, for the log.

    A trial that was broken off because of its share of the rate begins again at once.

    Raises:
        Retryable: the lease is lost; nothing is to be committed.
    """
    rows, at = probed.rows, probed.at
    account = await account_rows.lock_account(tx, tried.round.account.id)
    spare = await spares.find_spare(tx, account.id)
    if spare is None or not _is_second(account, spare, tried):
        # Withdrawn, or others were stored meanwhile: those are tried next.
        await due.settle(tx, lease, next_at=at)
        return "outdated"
    plugin = tried.round.plugin
    ground = await ground_of(tx, account, tried.round, at)
    trial = rotation.judge_trial(
        ground,
        rows,
        {seen.grant_id: seen.state for seen in account.grants},
        until=rotation.settles_until(plugin.key_life, spare.credentials.stored_at),
        zone=plugin.zone,
        at=at,
    )
    if trial.verdict is Verdict.PASSED:
        new = await _renumbered(tx, safe, account, spare.credentials)
        judged = rules.judge(ground, rows, new.version)
        found = [rows[grant.id] for grant in plugin.grants if grant.id in rows]
        tried_with = replace(tried.round.preflight, credential_version=new.version)
        await preflight_rows.save_preflight(tx, closed(tried_with, found, judged.standing, at))
        until = await _take_over(tx, account, new, judged, at)
        await due.settle(tx, lease, next_at=until or at + jobs.AT_REST)
        return trial.verdict.value
    if trial.verdict is Verdict.UNKNOWN and await _has_other_rate(tx, account, tried, at):
        await due.settle(tx, lease, next_at=at, failures=lease.failure_count)
        return "broken-off"
    await _keep(tx, account, spare, trial, at)
    next_at = rotation.next_trial(trial, lease.failure_count, at, is_waited_for=rotation.is_key_dead(account))
    failures = lease.failure_count + 1 if trial.verdict is Verdict.UNKNOWN else 0
    await due.settle(tx, lease, next_at=next_at or at + jobs.AT_REST, failures=failures)
    return trial.verdict.value


def _is_second(account: Account, spare: Spare | None, tried: Tried) -> bool:
    return is_possible(account, Deed.ROTATE) and spare is not None and spare.credentials.version == tried.version


async def _has_other_rate(tx: Transaction, account: Account, tried: Tried, at: datetime) -> bool:
    return await has_whole_rate(tx, account, tried.round.plugin, at) is not tried.round.is_alone


async def _take_over(
    tx: Transaction, account: Account, new: StoredCredentials, judged: Judged, at: datetime
) -> datetime | None:
    """Put other credentials in use; give until when those are kept that were, None where they are gone."""
    old = await store.find_credentials(tx, account.id)
    until = None
    if old is not None and account.state in WORKING:
        until = await _end_of_overlap(tx, old, at)
        await spares.save_spare(tx, Spare(credentials=old, state=SpareState.RETIRING, since=at, until=until))
    else:
        await spares.delete_spare(tx, account.id)
    await store.save_credentials(tx, new)
    rotated = await apply(tx, account, CredentialsPromoted(version=new.version), at)
    after = await apply(tx, rotated, judged, at)
    await breaker.close(tx, after.id)
    await expiry_rows.forget_failure(tx, after.id)
    # What was not probed is found out in peace, and the new key's end.
    await due.plan(tx, after.id, jobs.RECHECK)
    await due.plan(tx, after.id, jobs.EXPIRIES)
    answer = {"credential_version": new.version, "state": after.state.value}
    await _close(tx, account.id, OperationStatus.APPLIED, answer=answer)
    return until


async def _keep(tx: Transaction, account: Account, spare: Spare, trial: Trial, at: datetime) -> None:
    """Keep why credentials did not pass; those that were in use before and are refused now go for good."""
    if trial.verdict is Verdict.UNKNOWN:
        return
    if spare.state is SpareState.RETIRING:
        await spares.delete_spare(tx, account.id)
        return
    state = SpareState.SETTLING if trial.verdict is Verdict.SETTLING else SpareState.REFUSED
    since = spare.since if spare.state is state else at
    kept = replace(spare, state=state, since=since, until=trial.until, reason=trial.reason)
    await spares.save_spare(tx, kept)
    if rotation.is_key_dead(account) and trial.reason is not None:
        await settling.blame_candidate(tx, account, trial.reason, at)
    if state is SpareState.REFUSED and trial.reason is not None:
        failure = {"error": "NeedsSeller", "code": trial.reason.code, "why": trial.reason.why}
        await _close(tx, account.id, OperationStatus.REJECTED, failure=failure)


async def _retire(tx: Transaction, spare: Spare | None, at: datetime) -> datetime:
    """Delete credentials whose time is up; give when to look again."""
    if spare is None or spare.until is None:
        return at + jobs.AT_REST
    if spare.until > at:
        return spare.until
    await spares.delete_spare(tx, spare.credentials.account_id)
    return at + jobs.AT_REST


async def _renumbered(tx: Transaction, safe: Safe, account: Account, stored: StoredCredentials) -> StoredCredentials:
    """Give credentials a version above those in use: what comes back is news to every service."""
    if stored.version > account.credential_version:
        return stored
    version = await spares.next_version(tx, account.id, account.credential_version)
    sealed = safe.vault.close(account.id, version, open_stored(safe, stored))
    return replace(stored, version=version, sealed=sealed)


async def _end_of_overlap(tx: Transaction, old: StoredCredentials, at: datetime) -> datetime:
    known = (await expiry_rows.list_expiries(tx, [old.account_id])).get(old.account_id, ())
    ends = [one.expiry.expires.at for one in known if one.expiry.expires and one.credential_version == old.version]
    return min([at + rotation.OVERLAP, *ends])


async def _close(
    tx: Transaction,
    account_id: str,
    status: OperationStatus,
    *,
    answer: Mapping[str, object] | None = None,
    failure: Mapping[str, object] | None = None,
) -> None:
    waiting = await asked.open_operations(tx, account_id, KIND)
    await asked.answer(tx, waiting, status, answer=answer, failure=failure)


def _refused(reason: Reason) -> Rejected:
    return Rejected(
        reason.why,
        code=reason.code,
        refusal=reason.refusal,
        grant_id=reason.grant_id,
        remedy=reason.remedy,
        menu=reason.menu,
    )
