"""Tells a key that is refused because it is new from one that is dead, and says so in the account."""

from dataclasses import dataclass, replace
from datetime import datetime

from account_svc.accounts import jobs
from account_svc.accounts.linking import apply
from account_svc.domain import rotation
from account_svc.domain.accounts import Account, Reason, State
from account_svc.domain.happenings import Judged, Standing
from account_svc.domain.rotation import SpareState
from account_svc.store import preflights as preflight_rows
from account_svc.store import spares
from hanro import due
from hanro.db import Transaction
from hanro.marketplace.port import Plugin

NEVER_WORKED = frozenset({State.DRAFT, State.PENDING_APPROVAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Be a key in use that was refused: stored since when, whether its known end has passed, probed when."""

    plugin: Plugin
    stored_at: datetime
    has_ended: bool
    probed_at: datetime


async def explain(tx: Transaction, account: Account, key: Key, judged: Judged) -> tuple[Judged, datetime | None]:
    """Say of a refused key that a new one settles where it may; and until when the key in use is tried often.

    Other credentials that are stored are tried at once: a candidate, or those that were in use before.
    """
    spare = await spares.find_spare(tx, account.id)
    if spare is None:
        until = await _settles_until(tx, account, key)
        return _explained(judged, account, key, until), until
    await due.plan(tx, account.id, jobs.ROTATION)
    if spare.state not in {SpareState.WAITING, SpareState.SETTLING}:
        return judged, None
    until = rotation.settles_until(key.plugin.key_life, spare.credentials.stored_at)
    return _explained(judged, account, key, until), None


async def blame_candidate(tx: Transaction, account: Account, reason: Reason, at: datetime) -> None:
    """Say of an account whose key is refused what its candidate waits for, or why that does not help."""
    judged = Judged(
        credential_version=account.credential_version,
        standing=Standing.FAILED,
        grants=account.grants,
        lost_capabilities=account.lost_capabilities,
        reason=reason,
    )
    await apply(tx, account, judged, at)


async def _settles_until(tx: Transaction, account: Account, key: Key) -> datetime | None:
    """Say until when the key in use may be refused because it is new; None: it is old, it worked, or it has ended."""
    until = rotation.settles_until(key.plugin.key_life, key.stored_at)
    if until <= key.probed_at or key.has_ended:
        return None
    return None if await preflight_rows.has_worked(tx, account.id, account.credential_version) else until


def _explained(judged: Judged, account: Account, key: Key, until: datetime | None) -> Judged:
    """Name the wait as the reason; a draft whose key is refused may as well have a wrong one."""
    code = judged.reason.code if judged.reason else None
    if until is None or until <= key.probed_at or (account.state in NEVER_WORKED and code != rotation.SETTLING):
        return judged
    return replace(judged, reason=rotation.settling(judged.reason, until, key.plugin.zone))
