"""Asks for preflights, says how long they take, and answers who asked."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from account_svc.accounts import asked, audit, jobs
from account_svc.domain import activation, probes, reports
from account_svc.domain.accounts import Account
from account_svc.domain.transitions import Deed, require
from account_svc.store import preflights as store
from account_svc.store.preflights import Preflight
from hanro import due, operations
from hanro.db import Transaction
from hanro.errors import NeedsSeller
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import GrantState
from hanro.operations import Operation, OperationStatus

KIND = "preflight"
SERVICE = "account-svc"


async def request(tx: Transaction, account: Account, plugin: Plugin, by: str) -> Operation:
    """Ask for a preflight of an account that is locked; it begins at once.

    Whoever asks while one waits to begin joins it: the operation is the same. One that runs says nothing of what was
    switched on meanwhile, so those who ask while it runs have one more, all of them the same; it begins when the
    running one ends, or takes its place where that would take long.

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
    wanted = {"credential_version": account.credential_version}
    waiting = await list_asked(tx, account.id, OperationStatus.ACCEPTED)
    return next((one for one in waiting if one.asked == wanted), None) or await _accept(tx, account, by)


async def request_or_reject(tx: Transaction, account: Account, plugin: Plugin, by: str) -> Operation:
    """Ask for a preflight as `request`; where nothing can be called the operation is rejected at once, and says why."""
    absence = activation.find_absence(plugin.capabilities)
    if absence is None:
        return await request(tx, account, plugin, by)
    operation = await _accept(tx, account, by)
    failure = activation.told(absence)
    await asked.answer(tx, [operation], OperationStatus.REJECTED, failure=failure)
    return await operations.get_(tx, operation.id)


async def _accept(tx: Transaction, account: Account, by: str) -> Operation:
    await audit.note(tx, "preflight", account_id=account.id, shop_ids=account.shop_ids)
    wanted = {"credential_version": account.credential_version}
    return await operations.accept(tx, kind=KIND, subject_id=account.id, account_id=account.id, asked=wanted, by=by)


def estimate(account: Account, plugin: Plugin) -> timedelta:
    """Say how long a preflight takes at most: of an account that works it has a small share of the rate alone."""
    seconds = probes.seconds_of(plugin.grants, plugin.limits, SERVICE, is_alone=not account.is_working)
    return timedelta(seconds=seconds + 5)


async def suspect(tx: Transaction, account: Account, grant_id: str, at: datetime) -> None:
    """Have an account checked at once whose credential was refused to us, and trust no older success."""
    await store.save_uses(tx, [reports.own_refusal(account, SERVICE, grant_id, at)])
    await due.plan(tx, account.id, jobs.PREFLIGHT)


async def list_asked(tx: Transaction, account_id: str, status: OperationStatus) -> list[Operation]:
    """Give the preflights that were asked for and are in a status, newest first."""
    return await operations.list_(tx, limit=asked.MOST, kind=KIND, subject_id=account_id, status=status)


async def take_asked(tx: Transaction, account_id: str) -> tuple[Operation, ...]:
    """Take up all that was asked for: it is answered when the preflight that begins ends."""
    waiting = await asked.open_operations(tx, account_id, KIND)
    await asked.answer(tx, waiting, OperationStatus.SENT)
    return waiting


async def refuse_asked(tx: Transaction, account: Account) -> None:
    """Answer those who asked for a preflight of an account that is nobody's any more."""
    failure = {"error": "rejected", "code": "account-state", "why": f"The account is {account.state} by now."}
    waiting = await asked.open_operations(tx, account.id, KIND)
    await asked.answer(tx, waiting, OperationStatus.REJECTED, failure=failure)


async def answer_asked(tx: Transaction, waiting: Sequence[Operation], preflight: Preflight, account: Account) -> None:
    """Answer those who asked for a preflight that ended."""
    states = [row.state for row in preflight.rows]
    answer = {
        "preflight_id": preflight.id,
        "standing": preflight.standing.value if preflight.standing else None,
        "state": account.state.value,
        **{state.value: states.count(state) for state in GrantState},
    }
    await asked.answer(tx, waiting, OperationStatus.APPLIED, answer=answer)
