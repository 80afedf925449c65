"""Asks for preflights, begins them with what is known, and puts their outcome into the account."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from account_svc.accounts import asked, jobs, looking_back, settling
from account_svc.accounts.credentials import Safe, take_out
from account_svc.accounts.credentials import Use as CredentialUse
from account_svc.accounts.linking import Plugins, apply
from account_svc.domain import activation, reports, rotation
from account_svc.domain import preflights as rules
from account_svc.domain.accounts import Account
from account_svc.domain.happenings import Judged, Standing
from account_svc.domain.preflights import Ground
from account_svc.domain.reports import Use
from account_svc.domain.rotation import SpareState
from account_svc.domain.transitions import Deed, is_possible, require
from account_svc.store import accounts as account_rows
from account_svc.store import preflights as store
from account_svc.store import spares
from account_svc.store.preflights import Preflight
from hanro import breaker, due, operations
from hanro.db import Transaction
from hanro.due import Lease
from hanro.errors import MenuPath, NeedsSeller
from hanro.ids import new_id
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import GrantState, MarketplaceId, PreflightRow, ProbeKind
from hanro.operations import Mark, Operation, OperationStatus

KIND = "preflight"
SERVICE = "account-svc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Be a preflight that has begun: what it probes with, and what need not be probed.

    `is_alone`: no other service calls for the account now, so its whole rate is the preflight's. `is_brief`: what the
    account cannot work without is probed first, and the rest where that is there. `wanted`: these grants alone, None:
    all; of the others `carried` are the rows of the preflight before. `operations` are answered when it ends.
    """

    account: Account
    plugin: Plugin
    secrets: Secrets = field(repr=False)
    is_alone: bool
    is_brief: bool
    fresh: Mapping[str, Use]
    operations: tuple[Operation, ...]
    started_at: datetime
    wanted: frozenset[str] | None = None
    carried: Mapping[str, PreflightRow] = field(default_factory=dict)


async def request(tx: Transaction, account: Account, plugin: Plugin, by: str) -> Operation:
    """Ask for a preflight of an account that is locked; it begins at once.

    Raises:
        NotNow: the account's state does not allow it; code "account-state".
        NeedsSeller: no credentials are stored; code "credentials-missing".
        Unsupported: nothing of the marketplace can be called in this version; code "absent".
    """
    absence = activation.find_absence(plugin.capabilities)
    if absence is not None:
        raise activation.unsupported(absence)
    require(account, Deed.PREFLIGHT)
    if not account.has_credentials:
        why = account.reason
        raise NeedsSeller(
            "No credentials are stored.",
            code="credentials-missing",
            remedy=why.remedy if why else None,
            menu=why.menu if why else None,
        )
    await due.plan(tx, account.id, jobs.PREFLIGHT)
    return await _accept(tx, account, by)


async def request_or_reject(tx: Transaction, account: Account, plugin: Plugin, by: str) -> Operation:
    """Ask for a preflight as `request`; where nothing can be called the operation is rejected at once, and says why."""
    absence = activation.find_absence(plugin.capabilities)
    if absence is None:
        return await request(tx, account, plugin, by)
    operation = await _accept(tx, account, by)
    failure = activation.told(absence)
    await operations.mark(
        tx, Mark(id=operation.id, fence=operation.fence, status=OperationStatus.REJECTED, failure=failure)
    )
    return await operations.get_(tx, operation.id)


async def _accept(tx: Transaction, account: Account, by: str) -> Operation:
    return await operations.accept(
        tx,
        kind=KIND,
        subject_id=account.id,
        account_id=account.id,
        asked={"credential_version": account.credential_version},
        by=by,
    )


def estimate(account: Account, plugin: Plugin) -> timedelta:
    """Say how long a preflight of an account takes: of one that works it has a small share of the rate alone."""
    longest = timedelta()
    for name in {grant.group for grant in plugin.grants if grant.probe is not ProbeKind.NONE}:
        group = plugin.limits.groups.get(name)
        if group is None:
            continue
        count = sum(grant.group == name for grant in plugin.grants)
        share = float(group.shares.get(SERVICE, 1)) if account.is_working else 1.0
        longest = max(longest, group.period / group.request_count * (count - 1) / (share or 1.0))
    return longest + timedelta(seconds=5)


async def begin(tx: Transaction, plugins: Plugins, safe: Safe, lease: Lease, at: datetime) -> Round | None:
    """Take up what a preflight needs; None where there is nothing to probe, and the job is put to rest.

    Raises:
        Retryable: the lease is lost, or the credentials cannot be opened now.
        ContractBroken: the stored credentials cannot be opened.
    """
    account = await account_rows.lock_account(tx, lease.account_id)
    await due.hold(tx, lease)
    plugin = plugins.get(MarketplaceId(account.marketplace_id))
    if not is_possible(account, Deed.JUDGE):
        await _refuse(tx, account)
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return None
    secrets = await take_out(
        tx, safe, account.id, plugin, CredentialUse(caller=SERVICE, service=SERVICE, purpose=lease.job, at=at)
    )
    if secrets is None or plugin is None or activation.find_absence(plugin.capabilities):
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return None
    uses = (await store.list_uses(tx, [account.id])).get(account.id, {})
    is_suspect = reports.is_refused_lately(account, uses) or await looking_back.is_expired(tx, account, at)
    if lease.job == jobs.PREFLIGHT and account.is_working and not is_suspect:
        # It works after all: what is left to find out must not take the rate from those who work with it.
        await due.plan(tx, account.id, jobs.RECHECK)
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return None
    waiting = await asked.open_operations(tx, account.id, KIND)
    await operations.mark(
        tx, *(Mark(id=one.id, fence=one.fence, status=OperationStatus.SENT, next_at=None) for one in waiting)
    )
    is_alone = not account.is_working or is_suspect
    last = {} if is_alone else await looking_back.last_rows(tx, account)
    wanted = rules.left_over(plugin, last, is_asked=bool(waiting))
    return Round(
        account=account,
        plugin=plugin,
        secrets=secrets,
        is_alone=is_alone,
        is_brief=not account.is_working and not waiting and await looking_back.was_checked(tx, account),
        fresh=reports.fresh_grants(account, uses, at) if account.is_working else {},
        operations=waiting,
        started_at=at,
        wanted=wanted,
        carried={} if wanted is None else last,
    )


async def is_over(tx: Transaction, taken: Round) -> bool:
    """Tell whether a preflight of an account that worked need not go on.

    Somebody asked for another, a candidate waits for its turn, or the account does not work any more, or with others.
    """
    account = await account_rows.get_account(tx, taken.account.id)
    spare = await spares.find_spare(tx, account.id)
    is_waited_for = spare is not None and spare.state is SpareState.WAITING
    if is_waited_for or not account.is_working or account.credential_version != taken.secrets.version:
        return True
    known = {operation.id for operation in taken.operations}
    return any(operation.id not in known for operation in await asked.open_operations(tx, taken.account.id, KIND))


async def end(tx: Transaction, lease: Lease, taken: Round, rows: Mapping[str, PreflightRow], at: datetime) -> Account:
    """Store what a preflight found, judge the account by it, answer who asked, and say when to look again.

    Where newer credentials were stored meanwhile nothing is judged: they are checked next. Nor where an account that
    works turns out to have a dead key: then all is probed at once, at the whole rate, for nobody else calls any more.

    Raises:
        Retryable: the lease is lost; nothing is to be committed.
    """
    account = await account_rows.lock_account(tx, taken.account.id)
    if not is_possible(account, Deed.JUDGE):
        await _refuse(tx, account)
        await due.settle(tx, lease, next_at=at + jobs.AT_REST)
        return account
    if account.credential_version != taken.secrets.version:
        await due.settle(tx, lease, next_at=at)
        return account
    rows = {**taken.carried, **rows}
    refused = rules.find_refusal(rows)
    if refused is not None and not taken.is_alone:
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
    preflight = await save(tx, taken, judged, rows, at)
    after = await apply(tx, account, judged, at)
    if after.is_working:
        await breaker.close(tx, after.id)
        await due.plan(tx, after.id, jobs.EXPIRIES)
    if after.is_working and not account.is_working:
        await due.plan(tx, after.id, jobs.MARKET)
    next_at, failures = rules.next_look(judged, rows, lease.failure_count, at, settles_until=looks_until)
    await _plan_next(tx, lease, after, next_at, failures)
    await _answer(tx, taken.operations, preflight, after)
    return after


async def save(
    tx: Transaction, taken: Round, judged: Judged, rows: Mapping[str, PreflightRow], at: datetime
) -> Preflight:
    """Add what was probed to the account's history."""
    preflight = Preflight(
        id=new_id("pre"),
        account_id=taken.account.id,
        credential_version=judged.credential_version,
        standing=judged.standing,
        started_at=taken.started_at,
        finished_at=at,
        rows=tuple(rows[grant.id] for grant in taken.plugin.grants if grant.id in rows),
    )
    await store.save_preflight(tx, preflight)
    return preflight


async def suspect(tx: Transaction, account: Account, grant_id: str, at: datetime) -> None:
    """Have an account checked at once whose credential was refused to us, and trust no older success."""
    await store.save_uses(tx, [reports.own_refusal(account, SERVICE, grant_id, at)])
    await due.plan(tx, account.id, jobs.PREFLIGHT)


async def _plan_next(tx: Transaction, lease: Lease, account: Account, next_at: datetime, failures: int) -> None:
    wanted = jobs.RECHECK if account.is_working else jobs.PREFLIGHT
    if lease.job == wanted:
        await due.settle(tx, lease, next_at=next_at, failures=failures)
        return
    await due.plan(tx, account.id, wanted, next_at=next_at)
    await due.settle(tx, lease, next_at=next_at + jobs.AT_REST)


async def ground_of(tx: Transaction, account: Account, taken: Round, at: datetime) -> Ground:
    """Give what rows of an account that is locked are judged on."""
    ground = Ground(
        grants=taken.plugin.grants,
        capabilities=taken.plugin.capabilities,
        known={},
        is_expired=await looking_back.is_expired(tx, account, at),
        key_menu=_key_menu(taken.plugin),
    )
    seen = {one.grant_id: one.state for one in account.grants}
    if account.is_working:
        return replace(ground, known=seen)
    # What was seen before this key says nothing; a brief round looks again at what it was seen with.
    if taken.is_brief and taken.wanted is None:
        needed = rules.needed_grants(ground)
        return replace(ground, known={name: state for name, state in seen.items() if name not in needed})
    return ground


def _key_menu(plugin: Plugin) -> MenuPath | None:
    ending = {life.field for life in plugin.key_life}
    fields = [one for one in plugin.credential_form.fields if one.name in ending and one.where is not None]
    return fields[0].where if fields else None


async def _refuse(tx: Transaction, account: Account) -> None:
    """Answer those who asked for a preflight of an account that is nobody's any more."""
    failure = {"error": "rejected", "code": "account-state", "why": f"The account is {account.state} by now."}
    waiting = await asked.open_operations(tx, account.id, KIND)
    await operations.mark(
        tx, *(Mark(id=one.id, fence=one.fence, status=OperationStatus.REJECTED, failure=failure) for one in waiting)
    )


async def _answer(tx: Transaction, waiting: tuple[Operation, ...], preflight: Preflight, account: Account) -> None:
    states = [row.state for row in preflight.rows]
    answer = {
        "preflight_id": preflight.id,
        "standing": preflight.standing.value,
        "state": account.state.value,
        **{state.value: states.count(state) for state in GrantState},
    }
    await operations.mark(
        tx, *(Mark(id=one.id, fence=one.fence, status=OperationStatus.APPLIED, answer=answer) for one in waiting)
    )
